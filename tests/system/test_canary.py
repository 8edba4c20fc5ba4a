"""What is encrypted was never on this side's disk in the clear.

The output directory and TMPDIR are disks of their own, and their raw bytes are
searched: they still show what was deleted. `-o sync` has every write reach
them, also of a file that is gone a moment later.
"""

import os
import random

import pytest

from backups import create, restore
from disks import mount_image

# Random bytes do not shrink: zstd leaves them as they are, and gzip mostly.
CANARY = random.Random(0xCA9A47).randbytes(256 << 10)
SAMPLES = [CANARY[at:at + 32] for at in range(0, len(CANARY), 16 << 10)]

KEY = ["--gpg", "tests@example.org"]


class Disk:
    """One file system, and the raw bytes below it."""

    def __init__(self, image, place):
        self.image, self.place = image, place

    def shows_the_canary(self):
        os.sync()
        data = self.image.read_bytes()
        return any(sample in data for sample in SAMPLES)


@pytest.fixture
def disks(mounted, tmp_path):
    """The disk of the output directory, and that of TMPDIR."""
    made = []
    for name in ("output", "tmp"):
        image = tmp_path / name
        made.append(Disk(image, mount_image(mounted, image, "ext4", 24 << 20,
                                            "loop,sync")))
    return made


@pytest.fixture
def caged(make_box):
    """A box that holds the canary."""
    box = make_box(project="work", start=False)
    box.inner("/root/canary").write_bytes(CANARY)
    return box


@pytest.fixture
def env(gpg_home, disks):
    return {"GNUPGHOME": str(gpg_home), "TMPDIR": str(disks[1].place)}


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_the_search_finds_what_was_in_the_clear(daemon, caged, disks, env,
                                                compression):
    """Else the other tests here would prove nothing."""
    made = create(daemon, caged, disks[0].place, "--compression", compression,
                  env=env)
    made.path.unlink()
    assert disks[0].shows_the_canary()
    assert not disks[1].shows_the_canary()


@pytest.mark.parametrize("compression", ["none", "zstd", "gzip"])
def test_no_plaintext_here(daemon, caged, disks, env, new_name, compression):
    """Neither while it is made, nor while it is restored."""
    made = create(daemon, caged, disks[0].place, "--compression", compression,
                  *KEY, env=env)
    assert not any(disk.shows_the_canary() for disk in disks)

    name = new_name()
    done = restore(daemon, made, "--name", name, env=env)
    assert done.status == 0, done
    assert caged.inner("/root/canary").read_bytes() == CANARY
    assert not any(disk.shows_the_canary() for disk in disks)


def test_no_plaintext_of_a_damaged_one_either(daemon, caged, disks, env,
                                              new_name):
    """The damage is at its end: by then all has passed through."""
    made = create(daemon, caged, disks[0].place, "--compression", "none",
                  *KEY, env=env)
    made.forget().path.write_bytes(made.path.read_bytes()[:-1])
    done = restore(daemon, made, "--name", new_name(), "--project", "home",
                   env=env)
    assert done.status == 5, done
    assert not any(disk.shows_the_canary() for disk in disks)
