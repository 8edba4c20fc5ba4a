"""What the work costs, in counts that are the same on every machine: requests,
packets, round trips, system calls, bytes moved, allocations. They are why the
program is fast, so this is what sees it become slow; `make bench` has the
seconds.

Beside each limit stands what was measured, in 15 runs on 6.0 and 7 on 7.0, on
a machine with three times the work that it has processors for; where the two
differ, 6.0 comes first. One number has always been the same, a range has not:
what a pipe holds when it is read is the scheduler's to say, and there the room
is wide.
"""

import shutil

import pytest

from costs import MIB, sanitizer
from works import FILE_BYTES, Works, units

# Of a run that has next to nothing to move. Waiting for the daemon's own work,
# which takes as many requests as it takes time, is not in them.
STARTS = {
    "push": {"requests": 2, "packets": 12, "rounds": 7},  # 2, 12, 7
    "pull": {"requests": 2, "packets": 8, "rounds": 5},  # 2, 8, 5
    "between": {"requests": 3, "packets": 20, "rounds": 9},  # 3, 20, 9
    "create": {"requests": (7, 5)},  # 7, 5
    "restore": {"requests": 14},  # 14
    "verify": {"requests": 0},  # 0
    "status": {"requests": 2},  # 2
}

# Of one MiB more.
FILES = {
    "push": {
        "packets": 4.5,  # 4.25
        "rounds": 0.55,  # 0.53: 8 writes of 240 KiB at a time
        "disk": 4.5,  # 4.25
        "transfers": 30,  # 13.7 to 20.3
        "waits": 8,  # 0.5 to 3.7
        "others": 0.5,  # -0.1 to 0
        "bytes_in": 1.01,  # 1.00
        "bytes_out": 1.01,  # 1.00
        "allocations": 5,  # 4.25 to 4.4
        "peak_mib": 1,  # 0.73
    },
    "pull": {
        "packets": (33, 8.5),  # 32, 8: all that the server gives at once
        "rounds": 1.05,  # 1.00
        "disk": 8.5,  # 8.00
        "transfers": (60, 36),  # 46 to 47, 22 to 23.5
        "waits": 8,  # 0.9 to 2.5
        "others": 0.5,  # 0
        "bytes_in": 1.01,  # 1.00
        "bytes_out": 1.01,  # 1.00
        "allocations": (33, 8.5),  # 32, 8
        "peak_mib": (2, 5),  # 1.62, 4.62
    },
    "between": {
        "packets": (37.5, 13),  # 36.25, 12.25
        "rounds": 1.05,  # 1.00
        "disk": 0.5,  # 0
        "transfers": (75, 48),  # 50 to 56, 25 to 32
        "waits": 12,  # 2.1 to 5.4
        "others": 0.5,  # 0
        "bytes_in": 1.01,  # 1.00
        "bytes_out": 1.01,  # 1.00
        "allocations": (37.5, 13),  # 36.25, 12.25
        "peak_mib": (2.5, 5.5),  # 2.11, 5.11
    },
    "create": {
        "disk": 150,  # 0 to 50: as gpg gives it, by 8 KiB at least
        "transfers": 600,  # 35 to 166
        "waits": 600,  # 25 to 89
        "others": 2,  # 0.1 to 0.7
        "bytes_in": 2.02,  # 2.00: from the daemon, from gpg
        "bytes_out": 2.02,  # 2.00: to gpg, to the archive
        "allocations": 20,  # 1.7 to 9.3: what libcurl keeps of a recv()
        "peak_mib": (11, 10),  # 8.9, 7.9: 4 are read ahead
    },
    "restore": {
        "disk": 4.5,  # 4.00
        "transfers": 600,  # 15 to 375
        "waits": 700,  # -180 to 432
        "others": 0.5,  # 0
        "bytes_in": 2.02,  # 2.00: from the archive, from gpg
        "bytes_out": 2.02,  # 2.00: to gpg, to the daemon
        "allocations": 2,  # -3 to 0.2
        "peak_mib": 4,  # 3.33
    },
    "verify": {
        "disk": 4.5,  # 4.00
        "transfers": 500,  # 87 to 207
        "waits": 500,  # 69 to 185
        "others": 0.5,  # 0
        "bytes_in": 2.02,  # 2.00
        "bytes_out": 1.02,  # 1.00
        "allocations": 2,  # -0.2 to 0.2
        "peak_mib": 4,  # 3.23
    },
}

# Of one batch more: 64 files of 1000 bytes, and their directory.
TREES = {
    "tree_push": {
        "packets": 395,  # 393
        "rounds": 5.2,  # 5.0
        "disk": 130,  # 128
        "transfers": 165,  # 153
        "waits": 10,  # 4.8 to 5.3
        "others": 400,  # 392
        "bytes_in": 1.2,  # 1.15
        "bytes_out": 1.4,  # 1.32
        "allocations": 1400,  # 1369 to 1370
        "peak_mib": 3.5,  # 2.96
    },
    "tree_pull": {
        "packets": 265,  # 260
        "rounds": 2.2,  # 2.0
        "disk": 66,  # 64
        "transfers": 85,  # 75
        "waits": 8,  # 2.0 to 2.3
        "others": 530,  # 520
        "bytes_in": 1.25,  # 1.20
        "bytes_out": 1.15,  # 1.11
        "allocations": 1000,  # 976 to 977
        "peak_mib": 3.2,  # 2.69
    },
    "tree_between": {
        "packets": 660,  # 653
        "rounds": 6.2,  # 5.88
        "disk": 0.5,  # 0
        "transfers": 45,  # 35.8 to 36.1
        "waits": 12,  # 5.6 to 6.3
        "others": 70,  # 65
        "bytes_in": 1.4,  # 1.34
        "bytes_out": 1.5,  # 1.43
        "allocations": 1750,  # 1697
        "peak_mib": 4,  # 3.49
    },
}

LARGE = {**FILES, **TREES}


@pytest.fixture(scope="session")
def all_works(gpg_home):
    """By the daemon's version; gone before the keys."""
    del gpg_home
    made = {}
    yield made
    for one in made.values():
        shutil.rmtree(one.directory)


@pytest.fixture
def works(daemon, all_works, kept_box, gpg_home, tmp_path_factory):
    if not sanitizer():
        pytest.skip("the program has no AddressSanitizer to count with")
    if daemon.version not in all_works:
        all_works[daemon.version] = Works(
            daemon, kept_box, gpg_home, tmp_path_factory.mktemp("costs"))
    return all_works[daemon.version]


def asked(cost):
    """Without what is asked while the daemon works, as long as it takes: how
    that stands, and how much of a spooled export there is."""
    lasting = [line for line in cost.requests if "/operations/" not in line]
    exports = {line for line in lasting if "/export?" in line}
    return [line for line in lasting if line not in exports] + list(exports)


def above(works, figures, limits):
    """What costs more than it may, and how much it may."""
    found = {}
    for what, most in limits.items():
        if isinstance(most, tuple):
            most = most[works.daemon.version == "7"]
        if figures[what] > most:
            found[what] = figures[what], most
    return found


@pytest.mark.parametrize("work", STARTS)
def test_the_start(works, work):
    cost = works.tiny(work)
    figures = {
        "requests": len(asked(cost)),
        "packets": sum(cost.packets.values()),
        "rounds": cost.rounds,
    }
    found = above(works, figures, STARTS[work])
    assert not found, (found, cost)


@pytest.mark.parametrize("work", LARGE)
def test_more_of_it(works, work):
    small, large = works.costs(work)
    more = large - small
    count, unit_bytes = units(work)
    figures = {
        "packets": sum(more.packets.values()) / count,
        "rounds": more.rounds / count,
        "disk": more.disk / count,
        "transfers": more.transfers / count,
        "waits": more.waits / count,
        "others": more.others / count,
        "bytes_in": more.bytes_in / count / unit_bytes,
        "bytes_out": more.bytes_out / count / unit_bytes,
        "allocations": more.allocations / count,
        # Of the whole run: what grows with the size is beyond it by then.
        "peak_mib": large.peak_bytes / MIB,
    }
    found = above(works, figures, LARGE[work])
    assert not found, (found, more)
    assert len(asked(large)) == len(asked(small))


@pytest.mark.parametrize("work", ("push", "between", "create"))
def test_a_crowd_around_it(works, crowd, work):
    alone = asked(works.tiny(work))
    crowd(3)
    crowded = asked(getattr(works, work)(FILE_BYTES))
    assert len(crowded) == len(alone), crowded
