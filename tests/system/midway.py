"""Runs that stop half-way: what feeds them waits, or nobody takes what they
give.

Each spawns the program, waits until its work has visibly begun, and yields the
process; the caller ends it one way or another. Notes are off: what is said is
the error.
"""

import contextlib
import os
import subprocess

from backups import wait_for
from places import leftovers

# How long a run may take to notice that it is over.
END_S = 60

# More than all buffers on the way hold, so that it cannot be done yet.
BULK = 24 << 20


def make_bulk(box):
    """Give a box so much that its backup does not fit into buffers."""
    (box.inner("/root/bulk")).write_bytes(os.urandom(BULK))


@contextlib.contextmanager
def _running(process):
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        process.wait(END_S)


def end_of(process):
    """Its exit status and what it said; nothing more is fed to it."""
    with contextlib.suppress(BrokenPipeError):
        if process.stdin is not None:
            process.stdin.close()
    process.stdin = None
    _, err = process.communicate(timeout=END_S)
    return process.returncode, err.decode()


@contextlib.contextmanager
def create(daemon, box, *options, env=None, **popen):
    """To a pipe that nobody reads from any more."""
    child = daemon.spawn("-q", "backup", "create", str(box), "-o", "-",
                         "--compression", "none", *options, env=env, **popen)
    with _running(child):
        assert child.stdout.read(1)
        yield child


@contextlib.contextmanager
def restore(daemon, data, *options, env=None):
    """Of an archive whose second half does not come; the daemon has some."""
    before = daemon.spool
    child = daemon.spawn("-q", "backup", "restore", "-", *options, env=env,
                         stdin=subprocess.PIPE)
    with _running(child):
        child.stdin.write(data[:len(data) // 2])
        child.stdin.flush()
        wait_for(lambda: set(daemon.spool) - set(before), "an upload")
        yield child


@contextlib.contextmanager
def copy(daemon, place, name):
    """Into an instance, from a pipe that has brought 1 MB so far."""
    child = daemon.spawn("portal", "copy", "-", place.at(name),
                         stdin=subprocess.PIPE)
    with _running(child):
        child.stdin.write(b"1" * 1_000_000)
        child.stdin.flush()
        wait_for(lambda: leftovers(place.files), "a temporary file")
        yield child
