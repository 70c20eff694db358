"""Runs a container's command in a mount namespace of its own, where its folder is seen as /opt/ml.

    python -I launcher.py FILE.json

The file has `ml` (the folder), `hosts` (names that lead to this computer), `arguments` and `environment`. On stdin a `t`
sends SIGTERM to the command; a `k`, or stdin's end, kills it and all that it has started. So does the command's own end, as
in a container. The exit code is the command's; for one that a signal ended, 128 and the signal's number.
"""

import ctypes
import json
import os
import signal
import sys
import tempfile
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 2, 4, 4096, 8192, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
NOT_RUNNABLE = 127


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        wanted = json.load(file)
    isolate(wanted["ml"], wanted["hosts"])
    # What the command leaves behind becomes this process's, to be ended with it.
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        execute(wanted)
    threading.Thread(target=obey, args=[child], daemon=True).start()
    code = os.waitstatus_to_exitcode(wait_for(child))
    kill_descendants()
    os._exit(code if code >= 0 else 128 - code)


def execute(wanted):
    try:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir("/")
        path = wanted["environment"].get("PATH", os.defpath)
        os.environ["PATH"] = path
        os.execvpe(wanted["arguments"][0], wanted["arguments"], wanted["environment"])
    except OSError as error:
        print("%s: %s" % (wanted["arguments"][0], error), flush=True)
    finally:
        os._exit(NOT_RUNNABLE)


def wait_for(child):
    while True:
        pid, status = os.wait()
        if pid == child:
            return status


def obey(child):
    while True:
        word = os.read(0, 1)
        if word == b"t":
            os.kill(child, signal.SIGTERM)
        else:
            kill_descendants()
            if not word:
                os._exit(128 + signal.SIGKILL)


def kill_descendants():
    """Until there is none: whoever lost its parent has become a child of this process."""
    while True:
        living = [pid for pid in children(os.getpid()) if not is_over(pid)]
        if not living:
            return
        for pid in living:
            kill_tree(pid)


def kill_tree(pid):
    # Stopped first, so that it starts nothing more.
    for sent in (signal.SIGSTOP, signal.SIGKILL):
        try:
            os.kill(pid, sent)
        except ProcessLookupError:
            return
        if sent == signal.SIGSTOP:
            for child in children(pid):
                kill_tree(child)


def children(pid):
    found = []
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task)) as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        pass
    return found


def is_over(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def isolate(ml, hosts):
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0 or LIBC.unshare(CLONE_NEWNS) != 0:
        check(LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare")
        # The user keeps its own id.
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", "%d %d 1" % (uid, uid)),
            ("gid_map", "%d %d 1" % (gid, gid)),
        ):
            with open("/proc/self/" + name, "w") as file:
                file.write(text)
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount_opt(ml)
    name_hosts(hosts)


def mount_opt(ml):
    """Builds the new /opt aside, where the old one can still be seen, and moves it into place."""
    new = tempfile.mkdtemp()
    mount("tmpfs", new, "tmpfs", MS_NOSUID | MS_NODEV)
    os.mkdir(os.path.join(new, "ml"))
    mount(ml, os.path.join(new, "ml"), None, MS_BIND | MS_REC)
    for entry in os.scandir("/opt"):
        if entry.name != "ml":
            mirror(entry, os.path.join(new, entry.name))
    mount(new, "/opt", None, MS_MOVE)
    os.rmdir(new)


def mirror(entry, at):
    if entry.is_symlink():
        os.symlink(os.readlink(entry.path), at)
        return
    if entry.is_dir():
        os.mkdir(at)
    else:
        open(at, "w").close()
    mount(entry.path, at, None, MS_BIND | MS_REC)


def name_hosts(hosts):
    with open("/etc/hosts", encoding="utf-8") as file:
        text = file.read() + "\n127.0.0.1 %s\n" % " ".join(hosts)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.chmod(file.name, 0o644)
        # What is mounted stays when the file loses its name.
        mount(file.name, "/etc/hosts", None, MS_BIND)


def mount(source, target, kind, flags):
    as_bytes = [text and text.encode() for text in (source, target, kind)]
    check(LIBC.mount(*as_bytes, ctypes.c_ulong(flags), None), "mount on " + target)


def check(result, doing):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s (a training job needs a /opt/ml of its own)" % (doing, os.strerror(error)))


if __name__ == "__main__":
    main()
