"""Predicts a penguin's body mass from the length of its flipper, by gradient descent in plain Python.

In a container of your own the script sees what it would see in AWS's: hyperparameters come as arguments, folders as
SM_* variables, numbers that are printed become metrics, and what is saved in the model's folder is the job's result. It
also runs by hand.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
from pathlib import Path
from statistics import fmean, pstdev

LENGTH, MASS = "flipper_length_mm", "body_mass_g"
MISSING = ("", "NA")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    # SageMaker says where things are; the defaults are for runs by hand, from this folder.
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN", "data"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    return parser.parse_args()


def read_penguins(folder: Path) -> tuple[list[float], list[float]]:
    """Lengths and masses of every penguin in the folder's CSV files that has both."""
    rows = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows += [row for row in csv.DictReader(file) if not {row[LENGTH], row[MASS]} & set(MISSING)]
    if not rows:
        raise SystemExit(f"no penguins with measurements in {folder}/*.csv")
    return [float(row[LENGTH]) for row in rows], [float(row[MASS]) for row in rows]


def main() -> None:
    args = parse_arguments()
    lengths, masses = read_penguins(args.train)
    mean, deviation = fmean(lengths), pstdev(lengths)
    scaled = [(length - mean) / deviation for length in lengths]

    slope = base = 0.0
    for epoch in range(1, args.epochs + 1):
        errors = [base + slope * x - mass for x, mass in zip(scaled, masses)]
        base -= 2 * args.learning_rate * fmean(errors)
        slope -= 2 * args.learning_rate * fmean(error * x for error, x in zip(errors, scaled))
        rmse = math.sqrt(fmean(error * error for error in errors))
        # Flushed, so that the log shows it now and not when a buffer is full.
        print(f"epoch={epoch} train_rmse={rmse:.1f}", flush=True)

    model = {"grams_per_mm": slope / deviation, "grams_at_0_mm": base - slope * mean / deviation}
    args.model_dir.mkdir(parents=True, exist_ok=True)
    (args.model_dir / "model.json").write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")
    print(f"{model['grams_per_mm']:.1f} g more for each mm of the flipper, from {len(masses)} penguins", flush=True)


if __name__ == "__main__":
    main()
