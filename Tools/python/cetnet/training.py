"""The training loop: AdamW, linear warm-up and cosine decay, label smoothing, mixup, mixed precision, checkpoints."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .checkpoint import CheckpointError, load_weights, read_training_state, save_training_state, state_dict_of
from .model import CETNet

Batches = Iterable[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class TrainingSettings:
    epochs: int
    learning_rate: float
    weight_decay: float = 0.05
    warmup_epochs: int = 5
    label_smoothing: float = 0.1
    largest_gradient_norm: float = 5.0
    mixup: float = 0.0  # both parameters of the Beta distribution that shares are drawn from; 0 for none
    mixed_precision: bool = False  # products in bfloat16; weights and their updates stay float32


def learning_rate_factor(step: int, steps_per_epoch: int, settings: TrainingSettings) -> float:
    """Rises linearly during the warm-up, then falls to zero along a half cosine."""
    warmup = settings.warmup_epochs * steps_per_epoch
    if step < warmup:
        return (step + 1) / warmup
    rest = max(1, settings.epochs * steps_per_epoch - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / rest)))


def make_optimizer(model: CETNet, settings: TrainingSettings) -> torch.optim.AdamW:
    """No weight decay on biases, normalisation and position biases."""
    decayed, others = [], []
    for name, parameter in model.named_parameters():
        plain = parameter.ndim == 1 or name.endswith("relative_position_bias_table")
        (others if plain else decayed).append(parameter)
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=settings.learning_rate)


def train(model: CETNet, batches: Callable[[int], Batches], steps_per_epoch: int, evaluate: Callable[[CETNet], float],
          settings: TrainingSettings, checkpoint: Path | None = None, resume: Path | None = None,
          on_best: Callable[[], None] | None = None) -> float:
    """Trains in place and returns the best accuracy.

    - `batches(epoch)` yields (images, labels), about `steps_per_epoch` of them.
    - `evaluate(model)` gives the accuracy; `on_best()` is called after each epoch that surpasses all before it.
    - `checkpoint` is rewritten after every epoch; `resume` continues from such a file.
    """
    device = next(model.parameters()).device
    optimizer = make_optimizer(model, settings)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(step, steps_per_epoch, settings))
    loss_function = nn.CrossEntropyLoss(label_smoothing=settings.label_smoothing)
    first, best = 0, -1.0
    if resume is not None:
        first, best = _resume(resume, model, optimizer, scheduler)

    for epoch in range(first, settings.epochs):
        model.train()
        start, total, seen = time.monotonic(), 0.0, 0
        progress = Progress(f"epoch {epoch + 1}/{settings.epochs}")
        for step, (images, labels) in enumerate(batches(epoch), start=1):
            images, labels = images.to(device), labels.to(device)
            images, others, share = mixed(images, labels, settings.mixup)
            with torch.autocast(device.type, torch.bfloat16, enabled=settings.mixed_precision):
                logits = model(images).float()
                loss = share * loss_function(logits, labels) + (1 - share) * loss_function(logits, others)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings.largest_gradient_norm)
            optimizer.step()
            scheduler.step()
            total, seen = total + loss.item() * len(labels), seen + len(labels)
            progress.show(step, steps_per_epoch, total / seen)
        progress.clear()
        model.eval()
        accuracy = evaluate(model)
        print(f"epoch {epoch + 1}/{settings.epochs}  loss {total / max(1, seen):.4f}  "
              f"accuracy {100 * accuracy:.2f} %  {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)
        if accuracy > best:
            best = accuracy
            if on_best is not None:
                on_best()
        if checkpoint is not None:
            save_training_state({
                "model": model.state_dict(), "config": model.configuration.to_json(), "epoch": epoch + 1, "best": best,
                "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, checkpoint)
    model.eval()
    return best


class Progress:
    """Steps done and time left of an epoch: one line that changes on a terminal, else a line every minute."""

    def __init__(self, title: str) -> None:
        self.title, self.start, self.is_terminal = title, time.monotonic(), sys.stderr.isatty()
        self.shown = self.start

    def show(self, step: int, steps: int, loss: float) -> None:
        now = time.monotonic()
        if now - self.shown < (0.5 if self.is_terminal else 60):
            return
        self.shown = now
        left = (now - self.start) / step * max(0, steps - step)
        line = f"{self.title}  step {step}/{steps}  loss {loss:.4f}  {left // 60:.0f}:{left % 60:02.0f} left"
        print(f"\r{line}\x1b[K" if self.is_terminal else line, end="" if self.is_terminal else "\n", file=sys.stderr,
              flush=True)

    def clear(self) -> None:
        if self.is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def mixed(images: Tensor, labels: Tensor, mixup: float) -> tuple[Tensor, Tensor, float]:
    """Each image blended with another of the batch, the other's label, and the first one's share (arXiv 1710.09412)."""
    if mixup == 0:
        return images, labels, 1.0
    share = float(torch.distributions.Beta(mixup, mixup).sample())
    order = torch.randperm(len(labels), device=labels.device)
    return share * images + (1 - share) * images[order], labels[order], share


def computes_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 itself; elsewhere mixed precision is slower, not faster."""
    try:
        words = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False
    return bool(words & {"avx512_bf16", "amx_bf16", "bf16"})


@torch.inference_mode()
def logits_of(model: CETNet, images: Tensor, batch_size: int = 64) -> Tensor:
    """(count, labels) for many images."""
    return torch.cat([model(part) for part in images.split(batch_size)])


@torch.inference_mode()
def accuracy_of(model: CETNet, batches: Batches) -> float:
    """Share of images whose largest logit is the label's."""
    return accuracies_of(model, batches)[0]


@torch.inference_mode()
def accuracies_of(model: CETNet, batches: Batches, top: int = 5) -> tuple[float, float]:
    """Shares of images whose label has the largest logit, and one of the `top` largest."""
    device = next(model.parameters()).device
    first = among = count = 0
    for images, labels in batches:
        logits = model(images.to(device)).cpu()
        ranks = logits.topk(min(top, logits.shape[1])).indices == labels[:, None]
        first, among = first + int(ranks[:, 0].sum()), among + int(ranks.any(dim=1).sum())
        count += len(labels)
    return first / max(1, count), among / max(1, count)


def _resume(path: Path, model: CETNet, optimizer: torch.optim.Optimizer,
            scheduler: torch.optim.lr_scheduler.LambdaLR) -> tuple[int, float]:
    """Restores everything, and returns how many epochs are done and the best accuracy so far."""
    state: dict[str, Any] = read_training_state(path)
    missing = [key for key in ("model", "optimizer", "scheduler", "epoch", "best") if key not in state]
    if missing:
        raise CheckpointError(f"{path}: not a checkpoint of train.py to continue from; missing {', '.join(missing)}")
    load_weights(model, state_dict_of(state, path), str(path))
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    return int(state["epoch"]), float(state["best"])
