"""Trains a classifier that tells a penguin's species from four measurements.

This is an ordinary SageMaker training script: hyperparameters come as arguments, folders as SM_* variables, numbers
that are printed become metrics, and what is saved in the model's folder is the job's result. It also runs by hand.
The model is multinomial logistic regression, written out in plain Python so that there is nothing to install.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import random
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, pstdev

FEATURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
MISSING = ("", "NA")
Example = tuple[list[float], str]  # the measurements, the species


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--validation-share", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=42)
    # SageMaker says where things are; the defaults are for runs by hand, from this folder.
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN", "data"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    parser.add_argument("--output-data-dir", type=Path, default=os.environ.get("SM_OUTPUT_DATA_DIR", "output"))
    return parser.parse_args()


def read_examples(folder: Path) -> list[Example]:
    """Every penguin in the folder's CSV files that has all its measurements."""
    examples, left_out = [], 0
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if any(row[name] in MISSING for name in FEATURES):
                    left_out += 1
                else:
                    examples.append(([float(row[name]) for name in FEATURES], row["species"]))
    if not examples:
        raise SystemExit(f"no penguins with measurements in {folder}/*.csv")
    print(f"{len(examples)} penguins, {left_out} left out for missing measurements", flush=True)
    return examples


def split(examples: list[Example], share: float, rng: random.Random) -> tuple[list[Example], list[Example]]:
    """Training and validation parts. Each species is split by itself, so that both parts have the same mix."""
    by_species = defaultdict(list)
    for example in examples:
        by_species[example[1]].append(example)
    training, validation = [], []
    for _, group in sorted(by_species.items()):
        rng.shuffle(group)
        held_out = max(1, round(len(group) * share))
        validation += group[:held_out]
        training += group[held_out:]
    return training, validation


@dataclass
class Classifier:
    """All that is needed to predict: how measurements are scaled, and for each species its weights and its bias."""

    features: list[str]
    species: list[str]
    means: list[float]
    deviations: list[float]
    weights: list[list[float]]
    biases: list[float]

    @classmethod
    def untrained(cls, training: list[Example]) -> Classifier:
        # Scaled by the training part alone: the validation part must not leak into the model.
        columns, species = list(zip(*(values for values, _ in training))), sorted({name for _, name in training})
        means, deviations = [fmean(column) for column in columns], [pstdev(column) or 1.0 for column in columns]
        weights = [[0.0] * len(FEATURES) for _ in species]
        return cls(list(FEATURES), species, means, deviations, weights, [0.0] * len(species))

    def scaled(self, measurements: list[float]) -> list[float]:
        return [(value - mean) / deviation for value, mean, deviation in zip(measurements, self.means, self.deviations)]

    def probabilities(self, scaled: list[float]) -> list[float]:
        scores = [bias + sum(w * x for w, x in zip(row, scaled)) for row, bias in zip(self.weights, self.biases)]
        highest = max(scores)  # subtracted so that exp can't overflow; the probabilities are the same
        powers = [math.exp(score - highest) for score in scores]
        return [power / sum(powers) for power in powers]

    def predict(self, measurements: list[float]) -> str:
        probabilities = self.probabilities(self.scaled(measurements))
        return self.species[probabilities.index(max(probabilities))]

    def learn(self, measurements: list[float], species: str, rate: float) -> float:
        """One step of stochastic gradient descent; returns the loss (cross-entropy) before it."""
        scaled = self.scaled(measurements)
        probabilities = self.probabilities(scaled)
        for index, name in enumerate(self.species):
            error = probabilities[index] - (name == species)
            self.weights[index] = [w - rate * error * x for w, x in zip(self.weights[index], scaled)]
            self.biases[index] -= rate * error
        return -math.log(max(probabilities[self.species.index(species)], 1e-12))


def confusion(model: Classifier, examples: list[Example]) -> dict[str, dict[str, int]]:
    """How often each species (outer key) was taken for each (inner key)."""
    pairs = Counter((species, model.predict(measurements)) for measurements, species in examples)
    return {actual: {predicted: pairs[actual, predicted] for predicted in model.species} for actual in model.species}


def accuracy(matrix: dict[str, dict[str, int]]) -> float:
    return sum(matrix[name][name] for name in matrix) / sum(sum(row.values()) for row in matrix.values())


def save(folder: Path, name: str, content: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    args = parse_arguments()
    rng = random.Random(args.seed)  # one seed for everything: the same job gives the same model
    training, validation = split(read_examples(args.train), args.validation_share, rng)
    model = Classifier.untrained(training)

    history = []
    for epoch in range(1, args.epochs + 1):
        rng.shuffle(training)
        loss = fmean(model.learn(measurements, species, args.learning_rate) for measurements, species in training)
        score = accuracy(confusion(model, validation))
        history.append({"epoch": epoch, "train_loss": loss, "validation_accuracy": score})
        # Flushed, so that the log shows it now and not when a buffer is full.
        print(f"epoch={epoch} train_loss={loss:.4f} validation_accuracy={score:.4f}", flush=True)

    matrix = confusion(model, validation)
    save(args.model_dir, "model.json", asdict(model))
    save(args.output_data_dir, "report.json", {"accuracy": accuracy(matrix), "confusion": matrix, "history": history})
    print(f"accuracy={accuracy(matrix):.4f} on {len(validation)} penguins that the model had not seen", flush=True)


if __name__ == "__main__":
    main()
