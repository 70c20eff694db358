"""Trains a neural network on a noisy sine, and can be interrupted at any moment.

After each epoch everything that the next one needs is written to the checkpoints' folder; a script that starts looks
there first. So a run that was interrupted ends with the very model that it would have had otherwise. SageMaker copies
the folder to S3 all the while, and fills it from there before the script starts on another instance.
"""

from __future__ import annotations

import argparse
import math
import os
import pickle
import time
from pathlib import Path

import torch
from torch import nn

# Where SageMaker has the folder, unless job.toml says otherwise. No variable tells it.
CHECKPOINTS = Path("/opt/ml/checkpoints")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=0.005)
    parser.add_argument("--keep", type=int, default=2)
    parser.add_argument("--epoch-seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=42)
    # The defaults are for runs by hand, from this folder.
    here = CHECKPOINTS if CHECKPOINTS.is_dir() else Path("checkpoints")
    parser.add_argument("--checkpoint-dir", type=Path, default=here)
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    return parser.parse_args()


def noisy_sine(examples: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    x = (torch.rand(examples, 1, generator=generator) * 2 - 1) * 2 * math.pi
    return x, x.sin() + torch.randn(examples, 1, generator=generator) * 0.1


class Run:
    """All that changes from epoch to epoch, and so all that a checkpoint holds."""

    def __init__(self, args: argparse.Namespace, device: torch.device) -> None:
        torch.manual_seed(args.seed)
        network = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
        self.model = network.to(device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=args.learning_rate)
        # By its epochs alone: when it is to end later, --epochs can be raised and the run goes on.
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, step_size=20, gamma=0.5)
        self.shuffling = torch.Generator().manual_seed(args.seed)
        self.epoch = 0

    def state(self) -> dict:
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "shuffling": self.shuffling.get_state(),
        }

    def restore(self, state: dict) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.shuffling.set_state(state["shuffling"].cpu())
        self.epoch = state["epoch"]

    def train_epoch(self, x: torch.Tensor, y: torch.Tensor, batch_size: int) -> float:
        """Returns the mean loss."""
        order, total = torch.randperm(len(x), generator=self.shuffling).to(x.device), 0.0
        for batch in order.split(batch_size):
            loss = nn.functional.mse_loss(self.model(x[batch]), y[batch])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(batch)
        self.schedule.step()
        self.epoch += 1
        return total / len(x)


def checkpoints(folder: Path) -> list[Path]:
    """The newest first."""
    return sorted(folder.glob("epoch-*.pt"), reverse=True)


def save_checkpoint(run: Run, folder: Path, keep: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"epoch-{run.epoch:06}.pt"
    # Renamed when it is whole: what has the name of a checkpoint is one, whenever the power goes.
    partial = path.with_suffix(".partial")
    torch.save(run.state(), partial)
    os.replace(partial, path)
    for old in checkpoints(folder)[max(keep, 1) :]:
        old.unlink()


def resume(run: Run, folder: Path, device: torch.device) -> None:
    """Goes on from the newest checkpoint that can be read; stays at the beginning where there is none."""
    for path in checkpoints(folder):
        try:
            state = torch.load(path, map_location=device, weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            print(f"{path} can't be read, trying the one before: {error}", flush=True)
            continue
        run.restore(state)
        print(f"goes on after epoch {run.epoch}, from {path}", flush=True)
        return
    print(f"no checkpoint in {folder}: starts at the beginning", flush=True)


def main() -> None:
    args = parse_arguments()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    generator = torch.Generator().manual_seed(args.seed)
    x, y = (part.to(device) for part in noisy_sine(1000, generator))
    validation_x, validation_y = (part.to(device) for part in noisy_sine(200, generator))

    run = Run(args, device)
    resume(run, args.checkpoint_dir, device)
    while run.epoch < args.epochs:
        loss = run.train_epoch(x, y, args.batch_size)
        with torch.no_grad():
            validation_loss = nn.functional.mse_loss(run.model(validation_x), validation_y).item()
        time.sleep(args.epoch_seconds)
        save_checkpoint(run, args.checkpoint_dir, args.keep)
        # Flushed, so that the log shows it now and not when a buffer is full.
        print(f"epoch={run.epoch} train_loss={loss:.4f} validation_loss={validation_loss:.4f}", flush=True)

    args.model_dir.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.cpu() for name, tensor in run.model.state_dict().items()}
    torch.save(weights, args.model_dir / "model.pt")


if __name__ == "__main__":
    main()
