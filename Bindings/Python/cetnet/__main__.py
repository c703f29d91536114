"""``python -m cetnet classify --model MODEL IMAGE…``"""

import argparse
import json
import sys

import numpy as np

import cetnet


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m cetnet", description="CETNet vision models on the CPU.")
    parser.add_argument("--version", action="version", version=cetnet.__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    classify = commands.add_parser(
        "classify", help="classify images", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Classifies JPEG and PNG files. One that cannot be read does not stop the others;\n"
                    "the exit status is then 1, and 2 if the model cannot be used.")
    classify.add_argument("images", nargs="+", metavar="IMAGE", help="JPEG or PNG files")
    classify.add_argument("--model", required=True, help="a directory or a .safetensors file")
    classify.add_argument("--top", type=_positive, default=5, help="labels to print for each image (default: 5)")
    classify.add_argument("--batch", type=_positive, default=8, help="images that run together (default: 8)")
    classify.add_argument("--threads", type=_positive, help="threads of a run (default: every CPU)")
    classify.add_argument("--precision", choices=("float32", "bfloat16", "int8"))
    classify.add_argument("--json", action="store_true", help="print one JSON object per image and line")
    return _classify(parser.parse_args(arguments))


def _classify(options: argparse.Namespace) -> int:
    try:
        model = cetnet.load(options.model, precision=options.precision, threads=options.threads)
        results = model.classifications(options.images, top=options.top, batch=options.batch)
        failures = 0
        for path, result in zip(options.images, results):
            failed = isinstance(result, cetnet.CETNetError)
            failures += failed
            if options.json:
                found = {"error": str(result)} if failed else {"predictions": [
                    # The shortest digits that give the same float32 back.
                    p._asdict() | {"probability": float(str(np.float32(p.probability)))} for p in result]}
                print(json.dumps({"path": path} | found, ensure_ascii=False))
            elif failed:
                print(f"Error: {result}", file=sys.stderr)
            else:
                print("\n".join([path] + [f"  {100 * p.probability:6.2f} %  {p.label}" for p in result]))
    except cetnet.CETNetError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    if failures:
        print(f"{failures} of {len(options.images)} images could not be classified", file=sys.stderr)
    return 1 if failures else 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not 1 or more")
    return value


if __name__ == "__main__":
    sys.exit(main())
