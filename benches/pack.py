#!/usr/bin/env python3
"""Packs a big source tree with smtrain, with `tar czf` and with `tar | pigz`, and compares time and memory.

    cargo build --release && python3 benches/pack.py [--megabytes 2000] [--runs 5]

Prints the median of wall and CPU seconds and the largest resident set. The tree is half text, half noise, in files of all
sizes; it is made under --work and kept for the next time. A command is skipped, and said to be, when it is not installed.
"""

import argparse
import multiprocessing
import pathlib
import random
import shlex
import shutil
import sys

from measure import SMTRAIN, compare

SPEC = """[framework]
name = "sklearn"
version = "1.4-2"
[source]
dir = "src"
entry_point = "train.py"
[resources]
instance_type = "local"
"""


def make_tree(root, megabytes):
    """Files of 2 kB to 64 MB, from a fixed seed, so that every machine packs the same."""
    marker = root / f"made-{megabytes}"
    if marker.exists():
        return
    shutil.rmtree(root, ignore_errors=True)
    (root / "src").mkdir(parents=True)
    (root / "job.toml").write_text(SPEC)
    (root / "src" / "train.py").write_text("print('hello')\n")
    chance, left, number = random.Random(7), megabytes * 1_000_000, 0
    words = [bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(5000)]
    while left > 0:
        size = min(left, int(2000 * 2 ** chance.uniform(0, 15)))
        text = b" ".join(chance.choices(words, k=size // 12 + 1)) * 2
        folder = root / "src" / f"part{number % 100:02}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.dat").write_bytes(text[:size] if number % 2 else chance.randbytes(size))
        left, number = left - size, number + 1
    marker.touch()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("target/bench-pack"))
    parser.add_argument("--smtrain", default=SMTRAIN, help="the binary")
    options = parser.parse_args()
    # In a process of its own: the resident set of a child counts from its parent's at the fork, so this one stays small.
    maker = multiprocessing.Process(target=make_tree, args=(options.work, options.megabytes))
    maker.start()
    maker.join()
    if maker.exitcode != 0:
        sys.exit("could not make the tree")

    def quote(path):
        return shlex.quote(str(path))

    source, out = quote(options.work / "src"), quote(options.work / "out.tar.gz")
    commands = {
        "smtrain": (
            options.smtrain,
            f"exec {quote(options.smtrain)} --quiet submit --local --dry-run {quote(options.work / 'job.toml')}",
        ),
        "tar czf": ("tar", f"tar -C {source} -czf {out} ."),
        "tar | pigz": ("pigz", f"tar -C {source} -cf - . | pigz > {out}"),
    }
    compare(f"pack {options.megabytes} MB", commands, options.runs)


if __name__ == "__main__":
    main()
