"""Disks of a test's own: images on loop devices, and one that FUSE makes."""

import contextlib
import os
import pathlib
import subprocess

from backups import wait_for
from lab import binary

FUSE_NOLINK = pathlib.Path(
    binary()).resolve().parents[1] / "tests" / "system" / "fuse_nolink"

MAKERS = {"ext4": ["mkfs.ext4", "-q", "-F", "-O", "^has_journal"],
          "vfat": ["mkfs.vfat"],
          "exfat-fuse": ["mkfs.exfat", "-b", "4096"]}


def _stick():
    """What USB sticks carry: vfat or, where the kernel has none, exFAT, which
    FUSE gives to any kernel. Both lack links, nameless files and owners."""
    known = pathlib.Path("/proc/filesystems").read_text().split()
    return "vfat" if "vfat" in known else "exfat-fuse"


def _with_sbin():
    return {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}


def mount_image(mounted, path, kind, size_bytes, options="loop"):
    """Put an empty file system into a file and mount it: ext4, or stick."""
    kind = _stick() if kind == "stick" else kind
    with open(path, "wb") as file:
        file.truncate(size_bytes)
    subprocess.run([*MAKERS[kind], path], check=True, capture_output=True,
                   env=_with_sbin())
    return mounted(kind, "-o", options, source=path)


def names_in(directory):
    """What lies there, hidden names too, but not what mkfs put there."""
    return sorted(set(os.listdir(directory)) - {"lost+found"})


class FuseDisk:
    """A directory of fuse_nolink; `backing` shows what is really in it."""

    def __init__(self, work):
        self.place, self.backing = work / "fuse", work / "backing"
        self.hold_file = work / "hold"
        self.place.mkdir()
        self.backing.mkdir()

    def hold(self):
        """From now on a write behind the first MiB waits."""
        self.hold_file.touch()

    def let_go(self):
        self.hold_file.unlink(missing_ok=True)

    def wait_until_held(self):
        """Somebody has written 1 MiB, and cannot write more."""
        return wait_for(
            lambda: [path for path in self.backing.iterdir()
                     if path.stat().st_size >= 1 << 20],
            "a file of 1 MiB")[0]


@contextlib.contextmanager
def fuse_disk(work, *how):
    """A file system without links and nameless files: see fuse_nolink.c."""
    disk = FuseDisk(work)
    server = subprocess.Popen(
        [FUSE_NOLINK, disk.backing, disk.place, *how,
         f"hold={disk.hold_file}"],
        # libfuse leaks a little, which is none of our business.
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
        stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: os.path.ismount(disk.place), "a mount of FUSE")
        yield disk
    finally:
        disk.let_go()
        subprocess.run(["umount", disk.place], check=True)
        assert server.wait(60) == 0
