"""portal copy: zeros become holes, whatever the source had, and every byte is
where it was."""

import os

import pytest

from test_copy import KINDS, ROUTES, noise

# Where data lies in a file of that size; all else are zeros.
SHAPES = {
    "hole-at-the-end": (9_003_008, [(0, 100_000)]),
    "hole-at-the-start": (9_003_008, [(8_900_000, 100_000)]),
    "islands": (40_000_001, [(5_000_000, 70_000), (20_971_520, 4096),
                             (40_000_000, 1)]),
    "only-zeros": (29_999_104, []),
    "small-with-holes": (292_292, [(262_144, 292)]),
    "small-only-zeros": (499_712, []),
}

# What a piece of data, and the end of the file, may take beyond its bytes.
SLACK_BYTES = 64 * 1024


def shape(path, size, pieces):
    with open(path, "wb") as file:
        for offset, count in pieces:
            os.pwrite(file.fileno(), noise(count), offset)
        file.truncate(size)


def check(path, size, pieces):
    assert path.stat().st_size == size
    with open(path, "rb") as file:
        for offset, count in pieces:
            assert os.pread(file.fileno(), count, offset) == noise(count)
    os.sync()
    data = sum(count for _, count in pieces)
    assert path.stat().st_blocks * 512 <= (
        data + (len(pieces) + 1) * SLACK_BYTES)


@pytest.mark.parametrize("recursive", [[], ["-r"]], ids=["file", "tree"])
@pytest.mark.parametrize("name", SHAPES)
def test_holes_everywhere(daemon, here, there, tmp_path, name, recursive):
    size, pieces = SHAPES[name]
    places = [tmp_path / "a", here.files / "b", there.files / "c",
              tmp_path / "d"]
    words = [tmp_path / "a", here.at("b"), there.at("c"), tmp_path / "d"]
    if recursive:
        places[0].mkdir()
        places = [place / "file" for place in places]
    shape(places[0], size, pieces)
    for source, target, place in zip(words, words[1:], places[1:]):
        done = daemon.anklume("portal", "copy", *recursive, source, target)
        assert (done.status, done.err) == (0, ""), done
        check(place, size, pieces)


def test_beyond_4_gib(daemon, here, tmp_path):
    """One way with each daemon: it takes a minute."""
    size, pieces = (5 << 30) + 7, [(1 << 32, 9000), (5 << 30, 7)]
    source, target, place = {
        "6": (tmp_path / "a", here.at("b"), here.files / "b"),
        "7": (here.at("a"), tmp_path / "b", tmp_path / "b")}[daemon.version]
    shape(here.files / "a" if daemon.version == "7" else tmp_path / "a",
          size, pieces)
    done = daemon.anklume("-q", "copy", source, target, deadline_s=300)
    assert (done.status, done.err) == (0, ""), done
    check(place, size, pieces)


@pytest.mark.parametrize("source, destination", ROUTES)
def test_written_zeros_become_holes(daemon, make_place, source, destination):
    """The protocol tells no holes: what is zero is one."""
    here, there = make_place(*KINDS[source]), make_place(*KINDS[destination])
    here.write("zeros", bytes(1_000_000) + b"end")
    done = daemon.anklume("copy", here.at("zeros"), there.at("zeros"))
    assert done.status == 0, done
    assert there.read("zeros") == bytes(1_000_000) + b"end"
    check(there.files / "zeros", 1_000_003, [])


def test_zeros_through_a_pipe(daemon, here):
    done = daemon.anklume("copy", "-", here.at("a"), stdin=bytes(500_000))
    assert done.status == 0, done
    check(here.files / "a", 500_000, [])
