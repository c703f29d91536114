"""Spark on two executors of their own processes. CETNET_SPARK_IMAGES=20000 for the long form."""

import glob
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("pyspark")
from pyspark.sql import SparkSession

import cetnet
import cetnet.spark
from conftest import DIGITS

COUNT = int(os.environ.get("CETNET_SPARK_IMAGES", "600"))


@pytest.fixture(scope="module")
def spark():
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false")
               .config("spark.sql.execution.arrow.maxRecordsPerBatch", "64")
               .config("spark.sql.shuffle.partitions", "2").getOrCreate())
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def rows(paths):
    """(id, content) of the shipped digits over and over; each 50th is damaged."""
    contents = [Path(path).read_bytes() for path in paths]
    return [(i, contents[i % len(contents)][:200] if i % 50 == 7 else contents[i % len(contents)])
            for i in range(COUNT)]


@pytest.fixture(scope="module")
def expected(model, rows):
    seen = {}
    for _, content in rows:
        if content not in seen:
            result, = model.classify([content], top=1)
            seen[content] = None if isinstance(result, cetnet.CETNetError) else result[0]
    return {i: seen[content] for i, content in rows}


def check(found, expected):
    assert Counter(row.id for row in found) == Counter(range(COUNT))
    for row in found:
        want = expected[row.id]
        if want is None:
            assert row.predictions is None and "PNG" in row.error, row
        else:
            assert row.error is None
            assert [tuple(p) for p in row.predictions] == [tuple(want)], row


def test_every_row_once_and_damaged_ones_told(spark, rows, expected, tmp_path):
    model = cetnet.spark.distribute(spark, DIGITS)
    frame = spark.createDataFrame(rows, "id long, content binary").repartition(8)
    cetnet.spark.classify(frame, model, top=1).write.parquet(str(tmp_path / "found"))
    check(spark.read.parquet(str(tmp_path / "found")).collect(), expected)


def test_paths_and_nothing(spark, model, paths):
    frame = spark.createDataFrame([(p,) for p in [*paths[:3], "file://" + paths[3], "/missing.png", None]], "path string")
    found = cetnet.spark.classify(frame, DIGITS, top=2).collect()
    by_path = {row.path: row for row in found}
    for path in paths[:3]:
        assert [tuple(p) for p in by_path[path].predictions] == model.classify(path, top=2)
    assert by_path["file://" + paths[3]].error is None
    assert by_path["/missing.png"].error == "/missing.png: no such file"
    assert by_path[None].error == "path is NULL"
    with pytest.raises(ValueError, match="neither a column"):
        cetnet.spark.classify(frame, DIGITS, path="other")


def executors():
    """Process numbers of the executors of this session."""
    found = []
    for name in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            if b"CoarseGrainedExecutorBackend" in Path(name).read_bytes():
                pid = int(name.split("/")[2])
                if descends(pid):
                    found.append(pid)
        except OSError:
            pass
    return found


def descends(pid):
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = int(subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True).stdout or 0)
    return False


def test_an_executor_killed_in_the_middle_changes_nothing(spark, rows, expected):
    model = cetnet.spark.distribute(spark, DIGITS)
    frame = spark.createDataFrame(rows, "id long, content binary").repartition(16)
    killed = []

    def kill():
        # As soon as a task runs: results of the killed executor's tasks are lost with it and computed again.
        tracker = spark.sparkContext.statusTracker()
        deadline = time.time() + 60
        while not tracker.getActiveStageIds() and time.time() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)
        victim = executors()[0]
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)
    killer = threading.Thread(target=kill)
    killer.start()
    found = cetnet.spark.classify(frame, model, top=1).collect()
    killer.join()
    assert killed
    check(found, expected)
