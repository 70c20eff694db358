"""Model archives to download, made once and kept, and whether a tree is what is in one: for benches/download.py.

The weights are normally distributed, as trained ones are nearly, in layers of different scale. `float32` hardly compresses
(to 93 %), as all models in single precision; `quantised` holds the same rounded to steps of an eighth of the deviation, still
as float32 (to 26 %). Deflate looks back 32 kB only, so layers are put together from a few that differ.
"""

import array
import dataclasses
import hashlib
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import sys
import tarfile

LAYER = 1 << 20
LAYERS = 4
FILES = 6
CONFIG = "config.json"
STEPS = {"float32": None, "quantised": 8}


@dataclasses.dataclass
class Archive:
    path: pathlib.Path
    # Names to the SHA-256 of the contents.
    files: dict
    # Bytes, unpacked.
    unpacked: int

    @property
    def size(self):
        return self.path.stat().st_size

    @property
    def key(self):
        return self.path.name


def make(folder, kind, megabytes):
    """An archive of about so many MB unpacked; the one that is there, if there is one."""
    path = folder / f"{kind}-{megabytes}.tar.gz"
    manifest = path.with_suffix(".json")
    if not manifest.exists():
        # In a process of its own, so that this one stays small.
        maker = multiprocessing.Process(target=write, args=(path, manifest, kind, megabytes))
        maker.start()
        maker.join()
        if maker.exitcode != 0:
            sys.exit(f"could not make {path}")
    told = json.loads(manifest.read_text())
    return Archive(path, told["files"], told["unpacked"])


def write(path, manifest, kind, megabytes):
    """The manifest comes last: what stands without one is not whole."""
    tree = path.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    write_tree(tree, layers(kind), megabytes * 1_000_000)
    with tarfile.open(path, "w:gz", compresslevel=6) as tar:
        for name in sorted(os.listdir(tree)):
            tar.add(tree / name, arcname=name)
    unpacked = sum(file.stat().st_size for file in tree.rglob("*") if file.is_file())
    manifest.write_text(json.dumps({"files": digests(tree), "unpacked": unpacked}))
    shutil.rmtree(tree)


def layers(kind):
    """From a fixed seed, so that every machine measures the same."""
    chance, step = random.Random(7), STEPS[kind]
    for number in range(LAYERS):
        deviation = 0.1 / 2**number
        values = (chance.gauss(0, 1) for _ in range(LAYER))
        values = (round(value * step) / step for value in values) if step else values
        yield array.array("f", (value * deviation for value in values)).tobytes()


def write_tree(tree, all_layers, size):
    """Two small files, and weights in several."""
    (tree / "weights").mkdir(parents=True)
    (tree / CONFIG).write_text(json.dumps({"layers": LAYERS, "size": size}))
    (tree / "vocabulary.txt").write_text("\n".join(f"word{number}" for number in range(30_000)))
    chance, all_layers = random.Random(8), list(all_layers)
    for number in range(FILES):
        left = size // FILES
        with open(tree / "weights" / f"part-{number}.bin", "wb") as file:
            while left > 0:
                layer = memoryview(chance.choice(all_layers))[4 * chance.randrange(LAYER // 2) :][:left]
                left -= file.write(layer)


def digests(tree):
    files = (path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(tree)): digest(path) for path in files}


def digest(path):
    whole, buffer = hashlib.sha256(), bytearray(1 << 20)
    with open(path, "rb", buffering=0) as file:
        while length := file.readinto(buffer):
            whole.update(memoryview(buffer)[:length])
    return whole.hexdigest()


def difference(archive, out):
    """What is wrong with what a tool left below a folder, or None. In which folder there doesn't matter."""
    roots = [path.parent for path in out.rglob(CONFIG)]
    if len(roots) != 1:
        return f"{len(roots)} trees were left"
    found, beside = digests(roots[0]), sum(path.is_file() for path in out.rglob("*")) - len(archive.files)
    if found == archive.files:
        return f"{beside} files were left beside the tree" if beside else None
    wrong = sorted(name for name in {*found, *archive.files} if found.get(name) != archive.files.get(name))
    return f"differs: {', '.join(wrong[:3])}"
