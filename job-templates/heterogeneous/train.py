"""Trains a network that tells shapes in noisy pictures apart, with the pictures made on other instances.

The script runs on every instance of the job, and what it does there depends on the instance's group: those of `data`
make batches and send them to the one of `training`, which would else wait for its CPUs more than for its GPU. Where
there are no two groups, as on this computer, one process does both.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import time
from collections.abc import Iterator
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

import torch
from torch import nn

SIZE = 24  # a picture's width and height
SHAPES = ("disc", "square", "diamond")
PORT = 7070  # of the first data host, the second has the next: so they can be tried on one computer
# Only this job's instances know it. It keeps strays out, and is no secret of any worth.
KEY = os.environ.get("TRAINING_JOB_NAME", "by hand").encode()
Batch = tuple[torch.Tensor, torch.Tensor]  # pictures, and the index of each one's shape


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.002)
    parser.add_argument("--noise", type=float, default=0.6)
    parser.add_argument("--seed", type=int, default=42)
    # SageMaker says where the model goes; the default is for runs by hand, from this folder.
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    return parser.parse_args()


def hosts_of(group: str) -> list[str]:
    groups = json.loads(os.environ.get("SM_INSTANCE_GROUPS_DICT") or "{}")
    return groups.get(group, {}).get("hosts", [])


def batches(args: argparse.Namespace, seed: int) -> Iterator[Batch]:
    """Without end. Each data host has a seed of its own, or all would make the same pictures."""
    generator = torch.Generator().manual_seed(seed)

    def between(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(args.batch_size, 1, 1, generator=generator)

    position = torch.arange(SIZE, dtype=torch.float32)
    while True:
        radius = between(4, 8)
        # How far every pixel is from the picture's shape's middle, across and down.
        x = (position.view(1, 1, SIZE) - between(8, SIZE - 8)).abs()
        y = (position.view(1, SIZE, 1) - between(8, SIZE - 8)).abs()
        inside = torch.stack([x**2 + y**2 <= radius**2, torch.maximum(x, y) <= radius * 0.9, x + y <= radius * 1.25])
        labels = torch.randint(len(SHAPES), (args.batch_size,), generator=generator)
        pictures = inside[labels, torch.arange(args.batch_size)].float()
        pictures += args.noise * torch.randn(pictures.shape, generator=generator)
        yield pictures.unsqueeze(1), labels


def send_batches(args: argparse.Namespace, host: str) -> None:
    """What a host of the group `data` does, until the training host has had enough."""
    number, sent = hosts_of("data").index(host), 0
    with Listener(("0.0.0.0", PORT + number), authkey=KEY) as listener, listener.accept() as connection:
        print(f"{host} makes batches", flush=True)
        try:
            for batch in batches(args, args.seed + 1 + number):
                packed = io.BytesIO()
                torch.save(batch, packed)
                connection.send_bytes(packed.getvalue())  # waits while the training host is behind
                sent += 1
        except (BrokenPipeError, ConnectionResetError):
            print(f"{host} is done: {sent} batches were sent", flush=True)


def connect(host: str, port: int, patience: float = 600) -> Connection:
    """To a host that may not be listening yet: instances of a job start at different times."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return Client((host, port), authkey=KEY)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def receive_batches(hosts: list[str]) -> Iterator[Batch]:
    """From all data hosts in turn."""
    connections = [connect(host, PORT + number) for number, host in enumerate(hosts)]
    for connection in itertools.cycle(connections):
        # Tensors alone: a message can't run code here, as one that is unpickled could.
        yield torch.load(io.BytesIO(connection.recv_bytes()), weights_only=True)


def train(args: argparse.Namespace, source: Iterator[Batch]) -> nn.Module:
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.LazyLinear(len(SHAPES)),
    ).to(device)
    model(torch.zeros(1, 1, SIZE, SIZE, device=device))  # tells the last layer how much comes in
    optimizer = torch.optim.Adam(model.parameters(), lr=args.learning_rate)

    start, waited, right, seen = time.monotonic(), 0.0, 0, 0
    for step in range(1, args.steps + 1):
        before = time.monotonic()
        pictures, labels = next(source)
        waited += time.monotonic() - before
        pictures, labels = pictures.to(device), labels.to(device)
        output = model(pictures)
        loss = nn.functional.cross_entropy(output, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        # Of pictures that the model had not seen: each one comes once.
        right, seen = right + (output.argmax(1) == labels).sum().item(), seen + len(labels)
        if step % 25 == 0 or step == args.steps:
            # More data hosts help while this is high. Flushed, so that the log shows it now.
            share = waited / (time.monotonic() - start)
            numbers = f"train_loss={loss.item():.4f} train_accuracy={right / seen:.4f} wait_share={share:.2f}"
            print(f"step={step} {numbers}", flush=True)
            start, waited, right, seen = time.monotonic(), 0.0, 0, 0
    return model


def main() -> None:
    args = parse_arguments()
    host = os.environ.get("SM_CURRENT_HOST", "localhost")
    data_hosts, training_hosts = hosts_of("data"), hosts_of("training")
    if data_hosts and training_hosts and host in data_hosts:
        send_batches(args, host)
        return
    if len(training_hosts) > 1:
        raise SystemExit("this script trains on one instance: see the template pytorch-distributed for more")
    data_hosts = data_hosts if training_hosts else []
    source = receive_batches(data_hosts) if data_hosts else batches(args, args.seed)
    group = os.environ.get("SM_CURRENT_INSTANCE_GROUP", "none")
    print(f"{host} of group {group} trains, with batches of {data_hosts or 'its own'}", flush=True)
    model = train(args, source)
    args.model_dir.mkdir(parents=True, exist_ok=True)
    torch.save({name: tensor.cpu() for name, tensor in model.state_dict().items()}, args.model_dir / "model.pt")


if __name__ == "__main__":
    main()
