"""Trains a neural network that tells a penguin's species from four measurements.

This is an ordinary SageMaker training script: hyperparameters come as arguments, folders as SM_* variables, numbers
that are printed become metrics, and what is saved in the model's folder is the job's result. It also runs by hand.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

FEATURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
MISSING = ("", "NA")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=0.005)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--validation-share", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=42)
    # SageMaker says where things are; the defaults are for runs by hand, from this folder.
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN", "data"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    parser.add_argument("--output-data-dir", type=Path, default=os.environ.get("SM_OUTPUT_DATA_DIR", "output"))
    return parser.parse_args()


def read_penguins(folder: Path) -> tuple[TensorDataset, list[str]]:
    """Every penguin in the folder's CSV files that has all its measurements, and the names of the species."""
    rows = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows += [row for row in csv.DictReader(file) if not any(row[name] in MISSING for name in FEATURES)]
    if not rows:
        raise SystemExit(f"no penguins with measurements in {folder}/*.csv")
    species = sorted({row["species"] for row in rows})
    measurements = torch.tensor([[float(row[name]) for name in FEATURES] for row in rows])
    labels = torch.tensor([species.index(row["species"]) for row in rows])
    return TensorDataset(measurements, labels), species


class Classifier(nn.Module):
    """Takes measurements as they are: how to scale them is a part of the model, and saved with it."""

    def __init__(self, hidden: int, species: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(FEATURES)))
        self.register_buffer("deviation", torch.ones(len(FEATURES)))
        self.layers = nn.Sequential(nn.Linear(len(FEATURES), hidden), nn.ReLU(), nn.Linear(hidden, species))

    def scale_by(self, measurements: torch.Tensor) -> None:
        self.deviation, self.mean = torch.std_mean(measurements, dim=0)

    def forward(self, measurements: torch.Tensor) -> torch.Tensor:
        return self.layers((measurements - self.mean) / self.deviation)


def train_epoch(model: Classifier, data: DataLoader, optimizer: torch.optim.Optimizer, device: torch.device) -> float:
    """Returns the mean loss."""
    model.train()
    total = 0.0
    for measurements, labels in data:
        measurements, labels = measurements.to(device), labels.to(device)
        loss = nn.functional.cross_entropy(model(measurements), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return total / len(data.dataset)


@torch.no_grad()
def accuracy(model: Classifier, data: DataLoader, device: torch.device) -> float:
    model.eval()
    right = sum((model(x.to(device)).argmax(1) == y.to(device)).sum().item() for x, y in data)
    return right / len(data.dataset)


def save(args: argparse.Namespace, model: Classifier, species: list[str], history: list[dict]) -> None:
    for folder in (args.model_dir, args.output_data_dir):
        folder.mkdir(parents=True, exist_ok=True)
    # Tensors and plain values alone, so that torch.load(path, weights_only=True) reads it; from the CPU's memory, so
    # that it does where there is no GPU.
    weights = {name: tensor.cpu() for name, tensor in model.state_dict().items()}
    contents = {"weights": weights, "hidden": args.hidden, "features": list(FEATURES), "species": species}
    torch.save(contents, args.model_dir / "model.pt")
    (args.output_data_dir / "history.json").write_text(json.dumps(history, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    args = parse_arguments()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    penguins, species = read_penguins(args.train)
    held_out = round(len(penguins) * args.validation_share)
    training, validation = random_split(penguins, [len(penguins) - held_out, held_out])
    print(f"PyTorch {torch.__version__} on {device}: {len(training)} penguins to train on, {held_out} to validate on")

    model = Classifier(args.hidden, len(species))
    # By the training part alone: the validation part must not leak into the model.
    model.scale_by(penguins.tensors[0][training.indices])
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.learning_rate)
    batches = DataLoader(training, batch_size=args.batch_size, shuffle=True)
    validation_batches = DataLoader(validation, batch_size=256)

    history = []
    for epoch in range(1, args.epochs + 1):
        loss = train_epoch(model, batches, optimizer, device)
        score = accuracy(model, validation_batches, device)
        history.append({"epoch": epoch, "train_loss": loss, "validation_accuracy": score})
        # Flushed, so that the log shows it now and not when a buffer is full.
        print(f"epoch={epoch} train_loss={loss:.4f} validation_accuracy={score:.4f}", flush=True)
    save(args, model, species, history)


if __name__ == "__main__":
    main()
