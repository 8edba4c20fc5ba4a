"""What one run needs of memory where there is a lot to do: bytes, or files."""

from backups import encrypted, settle
from figure import Figure
from mixture import fill_tree
from sides import take_turns

HUGE_BYTES = 20 << 30
MANY_FILES = 100_000


def backup_of_huge(lab, runs):
    """A file without any block: the daemon sends all of its zeros."""
    root = lab.make("busybox", "huge")
    with open(root / "huge", "wb") as out:
        out.truncate(HUGE_BYTES)
    try:
        return one(lab, runs, encrypted(lab, "huge"))
    finally:
        lab.incus("delete", "huge")


def many(lab):
    """An instance with so many files, made once."""
    if lab.incus("info", "many", check=False).returncode != 0:
        fill_tree(lab.make("busybox", "many") / "many", MANY_FILES)


def backup_of_many(lab, runs):
    many(lab)
    return one(lab, runs, encrypted(lab, "many"))


def copy_of_many(lab, runs):
    many(lab)
    return one(lab, runs, lab.anklume("copy", "-r", "many:/many",
                                      "bench-target:/root/many-{n}"))


def one(lab, runs, side):
    return take_turns(lab, runs, {"anklume": side}, lambda: settle(lab)), {}


LAST_FIGURES = [
    Figure("backup, 20 GiB", backup_of_huge),
    Figure("backup, 100,000 files", backup_of_many),
    Figure("copy, 100,000 files", copy_of_many),
]
