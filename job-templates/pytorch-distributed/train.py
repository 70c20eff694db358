"""Trains a neural network that tells two spirals apart, on all GPUs of all hosts at once.

Every process has a copy of the model and a part of the data; after each batch their gradients are averaged, so that the
copies stay the same (DistributedDataParallel). torchrun starts the processes: of a SageMaker job, where job.toml has
[distribution], and by hand. Without torchrun there is one process, which needs no other.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--examples", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=42)
    # SageMaker says where the model goes; the default is for runs by hand, from this folder.
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "model"))
    return parser.parse_args()


def join_the_others() -> torch.device:
    """Connects the processes with each other. Returns the device that is this process's own."""
    has_gpu = torch.cuda.is_available()
    backend = "nccl" if has_gpu else "gloo"
    if "RANK" in os.environ:  # torchrun's; it also says where the others are
        dist.init_process_group(backend)
    else:
        dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)
    if not has_gpu:
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def spirals(examples: int, generator: torch.Generator) -> TensorDataset:
    """Points of two spirals that are wound into each other, and which of the two each is of."""
    labels = torch.arange(examples) % 2
    turn = torch.rand(examples, generator=generator).sqrt() * 3 * math.pi
    angle = turn + labels * math.pi
    points = torch.stack([turn * angle.cos(), turn * angle.sin()], dim=1)
    points += torch.randn(examples, 2, generator=generator) * 0.3
    return TensorDataset(points / 10, labels)


def batches_of(data: TensorDataset, args: argparse.Namespace, shuffle: bool) -> DataLoader:
    """This process's part of the data."""
    sampler = DistributedSampler(data, shuffle=shuffle, seed=args.seed)
    return DataLoader(data, batch_size=args.batch_size, sampler=sampler)


def mean_of_all(total: float, count: int, device: torch.device) -> float:
    """The mean over the examples of all processes. Every process has to call it: each waits for the others."""
    sums = torch.tensor([total, count], dtype=torch.float64 if device.type == "cpu" else torch.float32, device=device)
    dist.all_reduce(sums)
    return (sums[0] / sums[1]).item()


def train_epoch(model: nn.Module, data: DataLoader, optimizer: torch.optim.Optimizer, device: torch.device) -> float:
    model.train()
    total = count = 0
    for points, labels in data:
        points, labels = points.to(device), labels.to(device)
        loss = nn.functional.cross_entropy(model(points), labels)
        optimizer.zero_grad()
        loss.backward()  # here the gradients are averaged
        optimizer.step()
        total, count = total + loss.item() * len(labels), count + len(labels)
    return mean_of_all(total, count, device)


@torch.no_grad()
def accuracy(model: nn.Module, data: DataLoader, device: torch.device) -> float:
    model.eval()
    right = count = 0
    for points, labels in data:
        right += (model(points.to(device)).argmax(1) == labels.to(device)).sum().item()
        count += len(labels)
    return mean_of_all(right, count, device)


def main() -> None:
    args = parse_arguments()
    device = join_the_others()
    rank, processes = dist.get_rank(), dist.get_world_size()
    host = os.environ.get("SM_CURRENT_HOST", "this computer")
    print(f"process {rank} of {processes} on {host}: {device}", flush=True)

    # The same seed everywhere: every process makes the same data and the same first model.
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    training = batches_of(spirals(args.examples, generator), args, shuffle=True)
    validation = batches_of(spirals(max(args.examples // 5, processes), generator), args, shuffle=False)

    network = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)).to(device)
    model = DistributedDataParallel(network, device_ids=[device] if device.type == "cuda" else None)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.learning_rate)

    for epoch in range(1, args.epochs + 1):
        training.sampler.set_epoch(epoch)  # else every epoch would have the same order
        loss = train_epoch(model, training, optimizer, device)
        score = accuracy(model, validation, device)
        if rank == 0:  # once, not once a process
            print(f"epoch={epoch} train_loss={loss:.4f} validation_accuracy={score:.4f}", flush=True)

    if rank == 0:
        args.model_dir.mkdir(parents=True, exist_ok=True)
        torch.save({name: tensor.cpu() for name, tensor in network.state_dict().items()}, args.model_dir / "model.pt")
    dist.destroy_process_group()
    # Threads of gloo still let go of the last tensors, for which they need Python: with PyTorch 2.10, a process that
    # ends in that moment aborts.
    time.sleep(0.1)


if __name__ == "__main__":
    main()
