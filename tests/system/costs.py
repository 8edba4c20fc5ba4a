"""What one run of the program costs, in counts that no machine changes."""

import collections
import contextlib
import dataclasses
import functools
import pathlib
import re
import subprocess
import tempfile

from lab import binary, run
from lockstep import Lockstep

MIB = 1 << 20
COUNTER = pathlib.Path(
    binary()).resolve().parents[1] / "tests" / "system" / "alloc_count.so"

IN = ("read", "readv", "pread64", "recvfrom", "recvmsg")
OUT = ("write", "writev", "pwrite64", "sendto", "sendmsg")
# Both at once, in the kernel.
ACROSS = ("splice", "sendfile", "copy_file_range")
WAIT = ("poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait")
# The sanitizer has its own ways with memory: allocations are counted instead.
# How often threads meet is up to the scheduler.
IGNORED = ("mmap", "munmap", "mprotect", "mremap", "madvise", "brk", "futex")

CALL = re.compile(rb"(\w+)\((?:\d+<(/))?.*\) += (-?\d+)")


@functools.cache
def sanitizer():
    """The library of the program's, which must be loaded before any other."""
    linked = subprocess.run(["ldd", binary()], check=True, capture_output=True,
                            text=True).stdout
    return re.findall(r"=> (/\S*/libasan\.so\S*) ", linked)


@dataclasses.dataclass
class Cost:
    """Of a whole run, or of what one has more than another."""

    requests: list
    packets: collections.Counter  # SFTP requests, by their kind
    rounds: int  # times that all of SFTP was waited for
    calls: collections.Counter  # of the kernel, by name: the program's own
    disk: int  # those of them that move bytes from or to files
    bytes_in: int
    bytes_out: int
    allocations: int
    peak_bytes: int  # allocated at once

    def count(self, names):
        return sum(self.calls[name] for name in names)

    @property
    def transfers(self):
        return self.count(IN + OUT + ACROSS)

    @property
    def waits(self):
        return self.count(WAIT)

    @property
    def others(self):
        return (sum(self.calls.values()) - self.count(IGNORED)
                - self.transfers - self.waits)

    def __sub__(self, less):
        """What a larger run has cost beyond a smaller."""
        def without(ours, theirs):
            # Their own difference forgets what is below 0.
            rest = collections.Counter(ours)
            rest.subtract(theirs)
            return rest

        return Cost(
            self.requests[len(less.requests):],
            without(self.packets, less.packets), self.rounds - less.rounds,
            without(self.calls, less.calls), self.disk - less.disk,
            self.bytes_in - less.bytes_in, self.bytes_out - less.bytes_out,
            self.allocations - less.allocations,
            self.peak_bytes - less.peak_bytes)


def _traced(directory):
    """All calls of the program's own processes: name, whether it was of a file,
    result. What becomes another program (gpg) has made calls before; our own
    begins with that."""
    for path in directory.glob("calls.*"):
        lines = path.read_bytes().splitlines()
        if any(line.startswith(b"execve(") for line in lines[1:]):
            continue
        for line in lines:
            if found := CALL.match(line):
                yield found[1].decode(), bool(found[2]), int(found[3])


def measure(daemon, *words, env=None, status=0):
    """Run the program, to the end that it should have, and count."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        count = directory / "count"
        relay = Lockstep(directory / "unix.socket", daemon)
        # Memory that is lost cannot be looked for in a program that is traced.
        with contextlib.closing(relay):
            result = run(
                ["strace", "-f", "-ff", "-qq", "-y", "-s", "0",
                 "-o", directory / "calls",
                 "-E", "LD_PRELOAD=" + ":".join(
                     [*sanitizer(), str(COUNTER)]),
                 binary(), *words],
                env=daemon.environment(**{
                    **(env or {}), "INCUS_SOCKET": relay.path,
                    "ANKLUME_ALLOC_COUNT": str(count)}))
        assert result.status == status, result
        assert "Sanitizer" not in result.err, result
        calls, moved, disk = collections.Counter(), collections.Counter(), 0
        for call, of_file, value in _traced(directory):
            calls[call] += 1
            moved[call] += max(value, 0)
            disk += of_file and call in IN + OUT + ACROSS
        allocations, peak = map(int, count.read_text().split())
        return result, Cost(
            relay.requests, relay.packets, relay.rounds, calls, disk,
            sum(moved[call] for call in IN + ACROSS),
            sum(moved[call] for call in OUT + ACROSS), allocations, peak)
