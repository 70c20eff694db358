"""Trains boosted trees that tell a penguin's sex from its species, island and measurements.

This is an ordinary SageMaker training script: hyperparameters come as arguments, folders as SM_* variables, numbers
that are printed become metrics, and what is saved in the model's folder is the job's result. It also runs by hand.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
from pathlib import Path

import numpy
import xgboost

MEASUREMENTS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
NAMES = {"species": ("Adelie", "Chinstrap", "Gentoo"), "island": ("Biscoe", "Dream", "Torgersen")}
SEXES = ("female", "male")
MISSING = ("", "NA")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--patience", type=int, default=20)
    parser.add_argument("--max-depth", type=int, default=3)
    parser.add_argument("--eta", type=float, default=0.1)
    parser.add_argument("--subsample", type=float, default=0.8)
    parser.add_argument("--validation-share", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=42)
    # SageMaker says where things are; the defaults are for runs by hand, from this folder.
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN", "data"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    parser.add_argument("--output-data-dir", type=Path, default=os.environ.get("SM_OUTPUT_DATA_DIR", "output"))
    return parser.parse_args()


def read_rows(folder: Path) -> list[dict[str, str]]:
    """Every penguin in the folder's CSV files whose sex is known."""
    rows = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows += [row for row in csv.DictReader(file) if row["sex"] in SEXES]
    if not rows:
        raise SystemExit(f"no penguins of known sex in {folder}/*.csv")
    return rows


def features(row: dict[str, str]) -> list[float]:
    """A number for each measurement, and one for each species and island. What is missing stays so: trees can cope."""
    measured = [float("nan") if row[name] in MISSING else float(row[name]) for name in MEASUREMENTS]
    return measured + [float(row[column] == name) for column, names in NAMES.items() for name in names]


def matrix(rows: list[dict[str, str]]) -> xgboost.DMatrix:
    names = list(MEASUREMENTS) + [f"{column}_{name}" for column, names in NAMES.items() for name in names]
    values = numpy.array([features(row) for row in rows])
    labels = numpy.array([SEXES.index(row["sex"]) for row in rows])
    return xgboost.DMatrix(values, label=labels, feature_names=names)


class Report(xgboost.callback.TrainingCallback):
    """Prints each round in the form that the expressions of job.toml's [metrics] find: `validation_error=0.0896`."""

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: dict) -> bool:
        numbers = [f"{part}_{name}={log[-1]:.4f}" for part, logs in evals_log.items() for name, log in logs.items()]
        # Flushed, so that the log shows it now and not when a buffer is full.
        print(f"round={epoch + 1} {' '.join(numbers)}", flush=True)
        return False  # don't stop


def main() -> None:
    args = parse_arguments()
    rows = read_rows(args.train)
    random.Random(args.seed).shuffle(rows)
    held_out = max(1, round(len(rows) * args.validation_share))
    training, validation = matrix(rows[held_out:]), matrix(rows[:held_out])
    print(f"{training.num_row()} penguins to train on, {validation.num_row()} to validate on", flush=True)

    settings = {
        "objective": "binary:logistic",
        "eval_metric": ["error", "logloss"],  # the last one decides when to stop
        "max_depth": args.max_depth,
        "eta": args.eta,
        "subsample": args.subsample,
        "seed": args.seed,
        "nthread": int(os.environ.get("SM_NUM_CPUS", "1")),  # how many this instance has
    }
    # The best round's model, not the last one's.
    stop = xgboost.callback.EarlyStopping(rounds=args.patience, data_name="validation", save_best=True)
    parts, history = [(training, "train"), (validation, "validation")], {}
    callbacks = [Report(), stop]
    model = xgboost.train(
        settings, training, args.rounds, evals=parts, evals_result=history, verbose_eval=False, callbacks=callbacks
    )

    for folder in (args.model_dir, args.output_data_dir):
        folder.mkdir(parents=True, exist_ok=True)
    model.save_model(args.model_dir / "model.json")  # any version of XGBoost reads it
    report = {"rounds": model.num_boosted_rounds(), "gain": model.get_score(importance_type="gain"), "history": history}
    (args.output_data_dir / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    kept = model.num_boosted_rounds()
    error = history["validation"]["error"][kept - 1]
    print(f"{kept} rounds are kept: an error of {error:.4f} on penguins that they had not seen", flush=True)


if __name__ == "__main__":
    main()
