"""What the benchmarks share: how a command is measured, and how a table is printed."""

import os
import shutil
import statistics
import subprocess
import sys
import time

SMTRAIN = "target/release/smtrain"
# The largest resident set of a process counts from its parent's, and that of a benchmark is not small: a process in between,
# which is, starts the tool and says at the end how it was. It leaves stopping to the tool.
STARTER = """import os, signal, sys, time
start = time.time()
pid = os.fork() or os.execvp(sys.argv[2], sys.argv[2:])
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.close(1)
_, status, usage = os.wait4(pid, 0)
numbers = [time.time() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]
os.write(int(sys.argv[1]), " ".join(map(str, numbers)).encode())
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))"""


def run(command, environment=None):
    """Wall seconds, CPU seconds and MB of the largest process, of one run of a shell command."""
    start = time.monotonic()
    process = subprocess.Popen(
        ["sh", "-c", command], stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {command}")
    to_mb = 1e6 if sys.platform == "darwin" else 1e3
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / to_mb


def compare(title, commands, runs, environment=None):
    """Prints medians of several runs as a Markdown table; the first command is what the others are compared with.

    The commands take turns, so that what else the machine does meets all of them. `commands` maps a name to the program
    that has to be installed for it, and the shell command.
    """
    print(f"\n| {title} | wall s | CPU s | max MB | CPU ratio |\n|---|---|---|---|---|")
    present = {name: command for name, (program, command) in commands.items() if shutil.which(program)}
    samples = {name: [] for name in present}
    for _ in range(runs):
        for name, command in present.items():
            samples[name].append(run(command, environment))
    first = None
    for name in commands:
        if name not in present:
            print(f"| {name} | not installed | | | |")
            continue
        wall, cpu, memory = (list(column) for column in zip(*samples[name]))
        first = first or statistics.median(cpu)
        ratio = statistics.median(cpu) / first
        print(
            f"| {name} | {statistics.median(wall):.3f} | {statistics.median(cpu):.3f} | {max(memory):.0f} | {ratio:.1f} |"
        )
