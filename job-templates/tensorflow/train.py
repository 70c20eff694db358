"""Trains a Keras model that tells a penguin's species from four measurements.

This is an ordinary SageMaker training script: hyperparameters come as arguments, folders as SM_* variables, numbers
that are printed become metrics, and what is saved in the model's folder is the job's result. It also runs by hand.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from pathlib import Path

import numpy
import tensorflow as tf
from tensorflow import keras

FEATURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
MISSING = ("", "NA")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--validation-share", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=42)
    # SageMaker says where things are; the defaults are for runs by hand, from this folder.
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN", "data"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    parser.add_argument("--output-data-dir", type=Path, default=os.environ.get("SM_OUTPUT_DATA_DIR", "output"))
    return parser.parse_args()


def read_penguins(folder: Path) -> tuple[numpy.ndarray, numpy.ndarray, list[str]]:
    """Measurements and labels of the penguins in the folder's CSV files that have all of them; the species' names."""
    rows = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows += [row for row in csv.DictReader(file) if not any(row[name] in MISSING for name in FEATURES)]
    if not rows:
        raise SystemExit(f"no penguins with measurements in {folder}/*.csv")
    species = sorted({row["species"] for row in rows})
    measurements = numpy.array([[float(row[name]) for name in FEATURES] for row in rows], dtype="float32")
    labels = numpy.array([species.index(row["species"]) for row in rows])
    return measurements, labels, species


class Report(keras.callbacks.Callback):
    """Prints each epoch in the form that the expressions of job.toml's [metrics] find: `train_loss=0.0498`."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        loss, score = logs["loss"], logs["val_accuracy"]
        # Flushed, so that the log shows it now and not when a buffer is full.
        print(f"epoch={epoch + 1} train_loss={loss:.4f} validation_accuracy={score:.4f}", flush=True)


def untrained(hidden: int, species: int, training: numpy.ndarray) -> keras.Model:
    """Takes measurements as they are: how to scale them is a part of the model, and saved with it."""
    scaling = keras.layers.Normalization()
    scaling.adapt(training)  # by the training part alone: the validation part must not leak into the model
    layers = [keras.layers.Dense(hidden, activation="relu"), keras.layers.Dense(species, activation="softmax")]
    return keras.Sequential([keras.Input((len(FEATURES),)), scaling, *layers])


def main() -> None:
    args = parse_arguments()
    keras.utils.set_random_seed(args.seed)  # Python's, numpy's and TensorFlow's
    measurements, labels, species = read_penguins(args.train)
    order = numpy.random.permutation(len(labels))
    held_out = max(1, round(len(labels) * args.validation_share))
    validation, training = order[:held_out], order[held_out:]
    gpus = len(tf.config.list_physical_devices("GPU"))
    print(f"TensorFlow {tf.__version__}, {gpus} GPUs: {len(training)} penguins to train on, {held_out} to validate on")

    model = untrained(args.hidden, len(species), measurements[training])
    model.compile(keras.optimizers.Adam(args.learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        measurements[training],
        labels[training],
        batch_size=args.batch_size,
        epochs=args.epochs,
        validation_data=(measurements[validation], labels[validation]),
        callbacks=[Report()],
        verbose=0,  # bars are for terminals: in a log each of their steps is a line
    )

    for folder in (args.model_dir, args.output_data_dir):
        folder.mkdir(parents=True, exist_ok=True)
    # A SavedModel in a folder named by a number, its version: where TensorFlow Serving looks, and so an endpoint.
    model.export(args.model_dir / "1", verbose=False)
    (args.model_dir / "species.json").write_text(json.dumps(species) + "\n", encoding="utf-8")
    report = {name: [float(value) for value in values] for name, values in history.history.items()}
    (args.output_data_dir / "history.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
