#!/usr/bin/env python3
"""Compares `cetnet fit` with scikit-learn's RidgeClassifierCV on the same embeddings and grid: the regularisation that
is picked, its leave-one-out errors, the coefficients and the predictions."""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from sklearn.linear_model import RidgeClassifierCV

from cetnet.checkpoint import read_tensors
from cetnet.commands import CommandError, run
from cetnet.engine import DEFAULT_EXECUTABLE, Engine

# Of the largest magnitude. The head is float32; scikit-learn's are from the same embeddings in float64.
TOLERANCE = 1e-6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the backbone")
    parser.add_argument("--data", type=Path, required=True, help="a folder with a folder of images for each label")
    parser.add_argument("--cetnet", type=Path, default=DEFAULT_EXECUTABLE, metavar="PATH",
                        help="the executable; default: .build/release/cetnet")
    arguments = parser.parse_args()
    engine = Engine(arguments.cetnet)
    labels = sorted(folder.name for folder in arguments.data.iterdir() if folder.is_dir())
    if len(labels) < 2:
        raise CommandError(f"{arguments.data}: expected a folder for each of two or more labels")
    with tempfile.TemporaryDirectory(prefix="cetnet-verify-") as temporary:
        return compare(engine, arguments.model, arguments.data, labels, Path(temporary))


def compare(engine: Engine, model: Path, data: Path, labels: list[str], folder: Path) -> int:
    embeddings, truth = [], []
    for index, label in enumerate(labels):
        engine.call("embed", "--model", model, data / label, "--output", folder / "x.npy")
        embeddings.append(np.load(folder / "x.npy"))
        truth += [index] * len(embeddings[-1])
    x = np.concatenate(embeddings).astype(np.float64)
    engine.call("fit", "--model", model, data, "--output", folder / "new", "--json", folder / "fit.json")
    fit = json.loads((folder / "fit.json").read_text())
    alphas = [row["regularization"] for row in fit["path"]]
    reference = RidgeClassifierCV(alphas=alphas).fit(x, truth)
    head, _ = read_tensors(folder / "new" / "model.safetensors")
    weight = head["head.weight"].double().numpy() * fit["temperature"]
    bias = head["head.bias"].double().numpy() * fit["temperature"]
    two = len(labels) == 2  # of which scikit-learn has the second
    expected, intercepts = reference.coef_, reference.intercept_
    differences = {
        "coefficients": np.abs((weight[1:] if two else weight) - expected).max() / np.abs(expected).max(),
        "intercepts": np.abs((bias[1:] if two else bias) - intercepts).max() / np.abs(intercepts).max(),
        "least error": abs(min(row["squared_error"] for row in fit["path"]) / -reference.best_score_ - 1)}
    predictions = (x @ weight.T + bias).argmax(axis=1)
    same = int((predictions == reference.predict(x)).sum())
    print(f"{len(x)} images, {x.shape[1]} numbers, {len(labels)} labels")
    print(f"regularisation {fit['regularization']:.6g}, scikit-learn's {reference.alpha_:.6g}")
    for name, difference in differences.items():
        print(f"{name:<14} differ by {difference:.2e} of the largest; allowed {TOLERANCE:.0e}")
    print(f"predictions    {same} of {len(x)} the same")
    good = fit["regularization"] == reference.alpha_ and same == len(x)
    return 0 if good and all(difference <= TOLERANCE for difference in differences.values()) else 1


if __name__ == "__main__":
    run(main)
