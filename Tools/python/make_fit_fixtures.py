#!/usr/bin/env python3
"""Regenerates Tests/APITests/Fixtures/ridge.json: what scikit-learn's RidgeClassifierCV, with its own leave-one-out,
and SciPy make of small sets of embeddings."""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from sklearn.linear_model import RidgeClassifierCV
from sklearn.utils.class_weight import compute_sample_weight

from cetnet.commands import REPOSITORY

ALPHAS = [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0]
# Name: images, numbers of an embedding, labels, whether they are balanced.
CASES = {
    "tall": (60, 8, 3, False), "wide": (14, 24, 3, False), "two": (40, 6, 2, False),
    "balanced": (50, 7, 4, True), "constant": (30, 5, 3, False), "duplicates": (24, 9, 3, False),
    "large-mean": (40, 6, 3, False),
}


def embeddings(name: str, images: int, dimension: int, labels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """As float32; labels are unevenly frequent, and each has images."""
    generator = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(labels), generator.choice(labels, images - labels, p=skewed(labels))])
    centers = generator.normal(size=(labels, dimension))
    x = centers[truth] + 1.2 * generator.normal(size=(images, dimension))
    if name == "constant":
        x[:, 2] = 3.7
    if name == "duplicates":
        x[images // 2:] = x[:images // 2]
        truth[images // 2:] = truth[:images // 2]
    if name == "large-mean":
        x += 1000
    return x.astype(np.float32), truth


def skewed(labels: int) -> np.ndarray:
    share = 0.5 ** np.arange(labels)
    return share / share.sum()


def temperature(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """Of softmax: the least cross-entropy, with the weight of one image more spread over all labels."""
    count, labels = scores.shape
    targets = np.full((count, labels), 1 / ((count + 1) * labels))
    targets[np.arange(count), truth] += 1 - 1 / (count + 1)

    def loss(logarithm: float) -> float:
        scaled = np.exp(logarithm) * scores
        return float(weights @ (logsumexp(scaled, axis=1) - (targets * scaled).sum(axis=1)))

    found = minimize_scalar(loss, bounds=np.log([1e-3, 1e3]), method="bounded", options=dict(xatol=1e-12))
    return float(np.exp(-found.x))


def case(name: str, seed: int) -> dict[str, object]:
    images, dimension, labels, is_balanced = CASES[name]
    x, truth = embeddings(name, images, dimension, labels, seed)
    options = dict(class_weight="balanced") if is_balanced else {}
    fit = RidgeClassifierCV(alphas=ALPHAS, store_cv_results=True, **options).fit(x.astype(np.float64), truth)
    weights = compute_sample_weight("balanced", truth) if is_balanced else np.ones(images)
    # Errors of the weighted targets; of two labels one is kept.
    errors = fit.cv_results_.reshape(images, -1, len(ALPHAS))
    best = ALPHAS.index(fit.alpha_)
    coefficients, intercepts = np.atleast_2d(fit.coef_), np.atleast_1d(fit.intercept_)
    if labels == 2:  # of which scikit-learn has the second
        coefficients, intercepts = np.concatenate([-coefficients, coefficients]), np.concatenate([-intercepts, intercepts])
    scores = leave_one_out(x.astype(np.float64), truth, labels, fit.alpha_, weights)
    return dict(
        name=name, labels=labels, balanced=is_balanced, embeddings=[[float(value) for value in row] for row in x],
        truth=truth.tolist(), alphas=ALPHAS, alpha=fit.alpha_, errors=errors.mean(axis=(0, 1)).tolist(),
        coefficients=coefficients.tolist(), intercepts=intercepts.tolist(),
        predictions=fit.predict(x.astype(np.float64)).tolist(), top1=float((scores.argmax(axis=1) == truth).mean()),
        temperature=temperature(scores, truth, weights), best_error=float(errors.mean(axis=(0, 1))[best]))


def leave_one_out(x: np.ndarray, truth: np.ndarray, labels: int, alpha: float, weights: np.ndarray) -> np.ndarray:
    """By fitting as often as there are images: what no formula can get wrong."""
    targets = np.where(np.arange(labels) == truth[:, None], 1.0, -1.0)
    scores = np.empty_like(targets)
    for image in range(len(x)):
        rest = np.arange(len(x)) != image
        w, kept, y = weights[rest], x[rest], targets[rest]
        mean, target_mean = w @ kept / w.sum(), w @ y / w.sum()
        scatter = (kept - mean).T * w @ (kept - mean) + alpha * np.eye(x.shape[1])
        coefficients = np.linalg.solve(scatter, (kept - mean).T * w @ (y - target_mean))
        scores[image] = target_mean + (x[image] - mean) @ coefficients
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "Tests" / "APITests" / "Fixtures" / "ridge.json")
    output = parser.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    cases = [case(name, seed) for seed, name in enumerate(CASES)]
    output.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    for entry in cases:
        print(f"{entry['name']:<12} alpha {entry['alpha']:<8} temperature {entry['temperature']:.4f} "
              f"top-1 {entry['top1']:.3f}")


if __name__ == "__main__":
    main()
