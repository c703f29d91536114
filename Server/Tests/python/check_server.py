"""Checks a built cetnet-serve from outside: with Triton's own client, with wrong, slow and vanishing clients, and with
SIGTERM under load.

    python check_server.py PROGRAM CETNET MODELS

PROGRAM is cetnet-serve, CETNET the command whose `run` says what the numbers must be, MODELS a folder with `digits`.
Everything is sent to 127.0.0.1. Prints what failed; the last line counts.
"""
import asyncio
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
from pathlib import Path

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_async

program, cetnet, models = sys.argv[1], sys.argv[2], Path(sys.argv[3])
images = sorted((models / "digits" / "images").glob("*.png"))
INFER = "/v2/models/digits/infer"


class Server:
    """A server on a port that is free, for as long as the `with` lasts."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [program, str(models), "--port", "0", "--quiet", *options], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if line.startswith("Serving"):
                self.port = int(line.split("127.0.0.1:")[1].split("/")[0])
                break
        else:
            raise RuntimeError("the server did not start")
        # What it says from now on is read, so that it never waits for a reader.
        self.said = []
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=10) as answer:
            return answer.read().decode()

    def counter(self, line):
        found = [row for row in self.get("/metrics").splitlines() if row.startswith(line)]
        return sum(float(row.rsplit(" ", 1)[1]) for row in found)

    def memory(self):
        """Resident MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20

    def cpu(self):
        """CPU seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def expected():
    """What the model sees of the images, and the logits of `cetnet run`."""
    with tempfile.TemporaryDirectory() as folder:
        model, x, y = models / "digits", f"{folder}/x.npy", f"{folder}/y.npy"
        inputs = []
        for image in images:
            subprocess.run([cetnet, "preprocess", "--model", model, image, "--output", x], check=True)
            inputs.append(np.load(x))
        np.save(x, np.concatenate(inputs))
        subprocess.run([cetnet, "run", "--model", model, "--input", x, "--output", y], check=True)
        return np.load(x), np.load(y)


def request(body, headers=""):
    return (f"POST {INFER} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n").encode() + body


def image_request(path):
    return request(path.read_bytes(), "Inference-Header-Content-Length: 0\r\n")


def exchange(server, data, timeout=20):
    """Sends bytes and reads one answer: its status, or None if the connection was closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        try:
            connection.sendall(data)
            head = connection.recv(65536)
        except ConnectionError:
            return None
    return int(head.split(b" ")[1]) if head else None


def check_triton_client(server, x, y):
    """Triton's client, unmodified: health, metadata, inference in each form; the same bits in batches of any size."""
    client = triton.InferenceServerClient(server.address, concurrency=8)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("digits")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert client.get_model_metadata("digits")["inputs"][0]["shape"] == [-1, 3, -1, -1]
    assert [entry["name"] for entry in client.get_model_repository_index()] == ["digits"]

    def tensor(values, binary):
        tensor = triton.InferInput("image", values.shape, "FP32")
        tensor.set_data_from_numpy(values, binary_data=binary)
        return tensor

    for binary in (False, True):
        for answer_binary in (False, True):
            output = triton.InferRequestedOutput("logits", binary_data=answer_binary)
            answer = client.infer("digits", [tensor(x, binary)], outputs=[output], request_id="7")
            np.testing.assert_array_equal(answer.as_numpy("logits"), y, f"{binary} {answer_binary}")
            assert answer.get_response()["id"] == "7"
    files = triton.InferInput("image", [len(images)], "BYTES")
    files.set_data_from_numpy(np.array([image.read_bytes() for image in images], dtype=object), binary_data=True)
    np.testing.assert_array_equal(client.infer("digits", [files]).as_numpy("logits"), y)
    classes = client.infer("digits", [files], outputs=[triton.InferRequestedOutput("logits", class_count=1)])
    found = [value.decode().split(":")[1] for value in classes.as_numpy("logits")[:, 0]]
    assert found == [str(row.argmax()) for row in y], found
    pending = [(i % len(x), client.async_infer("digits", [tensor(x[i % len(x)][None], True)])) for i in range(200)]
    for row, answer in pending:
        np.testing.assert_array_equal(answer.get_result().as_numpy("logits")[0], y[row], f"async, image {row}")
    try:
        client.infer("digits", [triton.InferInput("image", [1], "BYTES")])
        raise AssertionError("an input without data was answered")
    except triton.InferenceServerException as error:
        assert error.status() == "400", error

    async def many():
        async with triton_async.InferenceServerClient(server.address) as client:
            async def one(row):
                answer = await client.infer("digits", [tensor(x[row][None], True)])
                np.testing.assert_array_equal(answer.as_numpy("logits")[0], y[row], f"asyncio, image {row}")
            await asyncio.gather(*(one(i % len(x)) for i in range(200)))
    asyncio.run(many())


def check_mutations(server, count=2000, seed=1):
    """Valid requests with bytes changed, dropped, doubled: no crash, no 500, no leak."""
    chance = random.Random(seed)
    strings = json.dumps({"inputs": [{"name": "image", "shape": [1, 3, 32, 32], "datatype": "FP32",
                                      "data": [0.5] * 3072}], "parameters": {"top_k": 3}}).encode()
    seeds = [image_request(images[0]), request(strings)]
    statuses, before = {}, None
    for turn in range(count):
        data = bytearray(chance.choice(seeds))
        # The head too: then the request may never be complete, and its connection is closed from here.
        start = 0 if turn % 10 == 0 else data.index(b"\r\n\r\n") + 4
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(start, len(data))
            way = chance.randrange(3)
            if way == 0: data[at] = chance.randrange(256)
            elif way == 1 and turn % 10 == 0: del data[at:at + chance.randint(1, 64)]
            else: data[at:at + 16] = bytes(chance.choice(b'0123456789[]{},:"-.eE') for _ in range(16))[:len(data) - at]
        try:
            status = exchange(server, bytes(data), timeout=0.5 if turn % 10 == 0 else 20)
        except TimeoutError:
            status = "waiting"
        statuses[status] = statuses.get(status, 0) + 1
        if turn == count // 2: before = server.memory()
    assert server.process.poll() is None, "the server has ended"
    assert statuses.get(500, 0) == 0 and statuses.get(400, 0) > count // 4, statuses
    assert server.memory() < before * 1.05 + 8, (before, server.memory())
    return f"{statuses}, {before:.0f} and then {server.memory():.0f} MiB"


def check_slow_clients(server, count=1000):
    """Connections that send half a head or half a body and then nothing do not stop others."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    whole = image_request(images[0])
    head = whole.index(b"\r\n\r\n") + 4
    slow = []
    for index in range(count):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        connection.sendall(whole[:[0, head // 2, head + 50][index % 3]])
        slow.append(connection)
    start = time.monotonic()
    for _ in range(20):
        assert exchange(server, whole) == 200
    seconds = (time.monotonic() - start) / 20
    assert seconds < 2, f"{seconds:.2f} s per request"
    # Those in the middle of a request have had their time; those without one keep their connection.
    time.sleep(4)
    closed = 0
    for connection in slow:
        connection.setblocking(False)
        try:
            closed += connection.recv(1) == b""
        except BlockingIOError:
            pass
        except ConnectionError:
            closed += 1
        connection.close()
    assert closed >= count // 3, f"{closed} of {count} closed"
    return f"{seconds * 1e3:.1f} ms per request beside {count} slow connections, {closed} of which were closed"


def check_vanishing_clients(server, x):
    """A client that goes away costs nothing more: its images leave the queue."""
    values = np.zeros((64, 3, 256, 256), np.float32)
    text = json.dumps({"inputs": [{"name": "image", "shape": values.shape, "datatype": "FP32",
                                   "parameters": {"binary_data_size": values.nbytes}}]}).encode()
    data = request(text + values.tobytes(), f"Inference-Header-Content-Length: {len(text)}\r\n")
    before = server.counter("cetnet_images_total")
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(data)
    while server.counter("cetnet_queue_length") == 0 and server.counter("cetnet_images_total") < before + 64:
        time.sleep(0.001)
    connection.close()
    for _ in range(1000):
        if server.counter("cetnet_queue_length") == 0: break
        time.sleep(0.01)
    time.sleep(0.5)
    ran = server.counter("cetnet_images_total") - before
    assert ran < 64, f"all {ran:.0f} images were run"
    return f"{ran:.0f} of 64 images were run"


def check_idle(server, seconds=5):
    """A server that nobody asks uses no CPU."""
    time.sleep(1)
    start = server.cpu()
    time.sleep(seconds)
    share = (server.cpu() - start) / seconds
    assert share < 0.005, f"{share:.2%} CPU"
    return f"{share:.2%} CPU"


def check_termination():
    """SIGTERM under load: what was accepted is answered, the status is 0."""
    with Server() as server:
        data, counts, lock = image_request(images[0]), {}, threading.Lock()
        ended = threading.Event()

        def client():
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
                while not ended.is_set():
                    try:
                        connection.sendall(data)
                        answer = b""
                        while b"\r\n\r\n" not in answer:
                            part = connection.recv(65536)
                            if not part: break
                            answer += part
                    except ConnectionError:
                        answer = b""
                    outcome = answer.split(b" ")[1].decode() if answer else "closed"
                    with lock: counts[outcome] = counts.get(outcome, 0) + 1
                    if outcome == "closed": return
                    length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                    body = answer.split(b"\r\n\r\n", 1)[1]
                    while len(body) < length:
                        part = connection.recv(65536)
                        if not part:
                            with lock: counts["half an answer"] = counts.get("half an answer", 0) + 1
                            return
                        body += part
        threads = [threading.Thread(target=client) for _ in range(16)]
        for thread in threads: thread.start()
        time.sleep(1)
        server.process.send_signal(signal.SIGTERM)
        status = server.process.wait(timeout=20)
        ended.set()
        for thread in threads: thread.join()
        assert status == 0, f"status {status}: {server.said}"
        assert set(counts) <= {"200", "closed"} and counts["200"] > 16, counts
        return f"{counts}"


def check_command_line():
    """What cannot be served ends with status 2 and says why."""
    for arguments, says in [
        (["/nothing"], "/nothing"), ([str(models), "--port", "99999"], "--port"),
        ([str(models), "--tls-key", "x"], "--tls-certificate"), ([str(models), "--token-file", "/nothing"], "/nothing"),
        ([str(models), "--tls-key", "/nothing", "--tls-certificate", "/nothing"], "/nothing"), ([], "models"),
    ]:
        run = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20)
        assert run.returncode == 2 and says in run.stderr, (arguments, run.returncode, run.stderr)
    run = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=20)
    assert run.returncode == 0 and "EXAMPLES" in run.stdout


def check_tls():
    """The same over TLS, with a token."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate, token = (f"{folder}/{name}" for name in ("key.pem", "certificate.pem", "token"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
                        "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        Path(token).write_text("secret\n")
        with Server("--tls-certificate", certificate, "--tls-key", key, "--token-file", token) as server:
            client = triton.InferenceServerClient(server.address, ssl=True, ssl_options={"ca_certs": certificate})
            assert client.is_server_live()
            assert client.get_server_metadata({"Authorization": "Bearer secret"})["name"] == "cetnet-serve"
            try:
                client.get_server_metadata()
                raise AssertionError("answered without a token")
            except triton.InferenceServerException as error:
                assert error.status() == "401", error


def check_schemathesis(server, examples=40):
    """Requests made from the server's own description: answers are as described."""
    tool = Path(sys.executable).with_name("schemathesis")
    # It keeps what it found where it runs.
    folder = tempfile.TemporaryDirectory()
    run = subprocess.run(
        [tool, "run", f"http://{server.address}/openapi.json", "--max-examples", str(examples), "--seed", "1",
         "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
         "--exclude-path", "/", "--phases", "examples,coverage,fuzzing"],
        cwd=folder.name, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stdout[-6000:]
    return run.stdout.strip().splitlines()[-1].strip("= ")


def main():
    x, y = expected()
    passed = failed = 0

    def check(function, *arguments):
        nonlocal passed, failed
        try:
            found = function(*arguments)
            passed += 1
            print(f"passed  {function.__name__[6:]}" + (f": {found}" if found else ""), flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {function.__name__[6:]}\n{traceback.format_exc()}", flush=True)

    check(check_command_line)
    with Server("--transfer-timeout", "3") as server:
        check(check_triton_client, server, x, y)
        check(check_mutations, server, int(os.environ.get("CETNET_MUTATIONS", "2000")))
        check(check_slow_clients, server)
        check(check_idle, server)
    with Server("--threads", "1", "--max-batch", "1") as server:
        check(check_vanishing_clients, server, x)
    with Server("--max-body", "1") as server:
        check(check_schemathesis, server)
    check(check_tls)
    check(check_termination)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
