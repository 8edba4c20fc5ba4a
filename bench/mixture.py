"""Data of all kinds, the same at every run: what an instance holds that is in
use."""

import itertools
import random

# In percent, in this order, over and over.
SHARES = (("system", 40), ("random", 25), ("log", 25), ("zeros", 10))

# What one turn of all kinds adds up to, at most.
TURN_BYTES = 512 << 20
BLOCK_BYTES = 1 << 20

VERBS = ("accepted", "closed", "refused", "retried", "stored", "timed out")


def fill(place, size_bytes, system):
    """So many bytes in a new directory; `system` holds the files of a system,
    which are copied as they are, again and again."""
    chance = random.Random(size_bytes)
    files = endless(system)
    place.mkdir(parents=True)
    for turn in itertools.count():
        now = min(TURN_BYTES, size_bytes)
        size_bytes -= now
        if now == 0:
            return
        for kind, share in SHARES:
            part = now * share // 100
            if kind == "system":
                copy_files(place / f"system-{turn}", files, part)
            else:
                write(place / f"{kind}-{turn}", blocks(kind, chance, part))


def fill_tree(place, count):
    """So many small files, a hundred in each directory."""
    for i in range(count):
        folder = place / str(i // 10_000) / str(i // 100)
        if i % 100 == 0:
            folder.mkdir(parents=True)
        (folder / f"file-{i}").write_bytes(b"%d\n" % i * 20)


def endless(system):
    """Regular files, sorted by name, for ever."""
    found = sorted(path for path in system.rglob("*")
                   if path.is_file() and not path.is_symlink())
    return itertools.cycle(found)


def copy_files(place, files, size_bytes):
    """As many as that is; the last one is cut."""
    for number in itertools.count():
        if size_bytes == 0:
            return
        body = next(files).read_bytes()[:size_bytes]
        size_bytes -= len(body)
        folder = place / str(number // 100)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / str(number)).write_bytes(body)


def write(path, parts):
    with open(path, "wb") as out:
        for part in parts:
            out.write(part)


def blocks(kind, chance, size_bytes):
    """The bytes of one file."""
    make = {"random": lambda: chance.randbytes(BLOCK_BYTES),
            "log": lambda: log_lines(chance),
            "zeros": lambda: bytes(BLOCK_BYTES)}[kind]
    while size_bytes > 0:
        part = make()[:size_bytes]
        size_bytes -= len(part)
        yield part


def log_lines(chance):
    """A block of text as a daemon logs it. A line is made once and then varied
    in its numbers, which is what makes the next one differ."""
    lines = []
    size = 0
    while size < BLOCK_BYTES:
        seed = chance.getrandbits(64)
        line = (b"2026-11-%02d %02d:%02d:%02d web[%d]: request %d from "
                b"192.0.2.%d %s in %d ms\n" % (
                    1 + seed % 28, seed % 24, seed % 60, seed % 59,
                    seed % 4096, seed >> 40, seed % 251,
                    VERBS[seed % len(VERBS)].encode(), seed % 997))
        lines.append(line)
        size += len(line)
    return b"".join(lines)
