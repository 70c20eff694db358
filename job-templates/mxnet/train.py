"""Trains a Gluon network that learns a curve from points with noise.

This is an ordinary SageMaker training script: hyperparameters come as arguments, folders as SM_* variables, numbers
that are printed become metrics, and what is saved in the model's folder is the job's result. It also runs by hand.
AWS's image has Python 3.8, which knows less than this computer's.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import mxnet as mx
import numpy
from mxnet import autograd, gluon


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--seed", type=int, default=42)
    # SageMaker says where the model goes; the default is for runs by hand, from this folder.
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    return parser.parse_args()


def noisy_points(examples: int, rng: numpy.random.RandomState) -> gluon.data.ArrayDataset:
    x = rng.uniform(-3, 3, (examples, 1)).astype("float32")
    y = numpy.sin(2 * x) + 0.5 * x + rng.normal(0, 0.1, (examples, 1)).astype("float32")
    return gluon.data.ArrayDataset(x, y)


def train_epoch(network: gluon.Block, data: gluon.data.DataLoader, trainer: gluon.Trainer, device: mx.Context) -> float:
    """Returns the mean loss."""
    squares, total, count = gluon.loss.L2Loss(), 0.0, 0
    for x, y in data:
        x, y = x.as_in_context(device), y.as_in_context(device)
        with autograd.record():
            loss = squares(network(x), y)
        loss.backward()
        trainer.step(len(x))
        total, count = total + float(loss.sum().asscalar()), count + len(x)
    return total / count


def mean_loss(network: gluon.Block, data: gluon.data.DataLoader, device: mx.Context) -> float:
    squares = gluon.loss.L2Loss()
    losses = [squares(network(x.as_in_context(device)), y.as_in_context(device)).asnumpy() for x, y in data]
    return float(numpy.concatenate(losses).mean())


def main() -> None:
    args = parse_arguments()
    mx.random.seed(args.seed)
    numpy.random.seed(args.seed)  # Gluon shuffles with it
    device = mx.gpu() if mx.context.num_gpus() else mx.cpu()
    rng = numpy.random.RandomState(args.seed)
    training = gluon.data.DataLoader(noisy_points(800, rng), args.batch_size, shuffle=True)
    validation = gluon.data.DataLoader(noisy_points(200, rng), 200)

    network = gluon.nn.HybridSequential()
    for _ in range(2):
        network.add(gluon.nn.Dense(args.hidden, activation="tanh"))
    network.add(gluon.nn.Dense(1))
    network.initialize(mx.init.Xavier(), ctx=device)
    network.hybridize()  # a graph, which is what can be exported
    trainer = gluon.Trainer(network.collect_params(), "adam", {"learning_rate": args.learning_rate})

    for epoch in range(1, args.epochs + 1):
        loss = train_epoch(network, training, trainer, device)
        validation_loss = mean_loss(network, validation, device)
        # Flushed, so that the log shows it now and not when a buffer is full.
        print(f"epoch={epoch} train_loss={loss:.4f} validation_loss={validation_loss:.4f}", flush=True)

    args.model_dir.mkdir(parents=True, exist_ok=True)
    # model-symbol.json and model-0000.params, which mx.gluon.SymbolBlock.imports reads.
    network.export(str(args.model_dir / "model"))


if __name__ == "__main__":
    main()
