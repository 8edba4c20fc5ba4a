"""Mount points: a file that is one cannot be replaced, but written in place."""

import os
import pathlib
import subprocess

import pytest

from disks import fuse_disk
from places import leftovers
from test_copy import KINDS, ROUTES, noise


@pytest.fixture
def mounted_file(there):
    """A file with another mounted on it, as Incus does for a `disk` device
    whose source is a file."""
    there.write("below", b"below\n")
    there.write("file", b"old, and longer than what comes\n", 0o604, (7, 8))
    place = f"{there.path}/file"
    there.box.exec("mount", "--bind", place, f"{there.path}/below")
    yield "below"
    there.box.exec("umount", f"{there.path}/below")


def write_tree(here):
    (here.files / "tree").mkdir()
    (here.files / "tree" / "below").write_bytes(b"new\n")
    (here.files / "tree" / "other").write_bytes(b"other\n")


def test_a_mount_point_in_an_instance_is_refused(
        daemon, here, there, mounted_file):
    here.write("a", noise(300_000))
    result = daemon.anklume("copy", here.at("a"), there.at(mounted_file))
    assert result.status == 8, result
    assert f"{there.path}/below' is a mount point" in result.err
    assert "--in-place" in result.err
    assert there.read("file").startswith(b"old")
    assert leftovers(there.files) == []


def test_a_mount_point_in_an_instance_in_place(
        daemon, here, there, mounted_file):
    here.write("a", b"new\n", mtime=1_500_000_000)
    before = (there.files / "file").stat()
    result = daemon.anklume("copy", "--in-place", "--verify", here.at("a"),
                            there.at(mounted_file))
    assert (result.status, result.err) == (0, ""), result
    after = (there.files / "file").stat()
    assert there.read("file") == b"new\n"
    assert (after.st_ino, after.st_mode, after.st_uid, after.st_gid) == (
        before.st_ino, before.st_mode, before.st_uid, before.st_gid)
    assert after.st_mtime == 1_500_000_000
    assert leftovers(there.files) == []


def test_a_tree_over_a_mount_point(daemon, here, there, mounted_file):
    write_tree(here)
    words = ["copy", "-r", here.at("tree/."), there.at()]
    result = daemon.anklume(*words)
    assert result.status == 3, result
    assert "below' is a mount point" in result.err
    assert there.read("other") == b"other\n"
    assert there.read("file").startswith(b"old")
    assert daemon.anklume(*words, "--in-place").status == 0
    assert there.read("file") == b"new\n"
    assert leftovers(there.files) == []


def test_a_directory_that_is_a_mount_point_is_none_to_us(daemon, here, there):
    """Files are renamed inside of it."""
    (there.files / "mnt").mkdir()
    place = f"{there.path}/mnt"
    there.box.exec("mount", "-t", "tmpfs", "none", place)
    write_tree(here)
    result = daemon.anklume("copy", "-r", here.at("tree/."), there.at("mnt"))
    assert (result.status, result.err) == (0, ""), result
    assert there.box.read(f"{place}/below") == b"new\n"
    there.box.exec("umount", place)


@pytest.fixture
def local_mount(tmp_path):
    (tmp_path / "file").write_bytes(b"old, and longer than what comes\n")
    (tmp_path / "file").chmod(0o604)
    (tmp_path / "below").touch()
    subprocess.run(["mount", "--bind", tmp_path / "file", tmp_path / "below"],
                   check=True)
    yield tmp_path / "below"
    subprocess.run(["umount", tmp_path / "below"], check=True)


def test_a_local_mount_point(daemon, here, local_mount):
    here.write("a", noise(3000))
    result = daemon.anklume("copy", here.at("a"), local_mount)
    assert result.status == 8, result
    assert f"'{local_mount}' is a mount point" in result.err
    assert "--in-place" in result.err
    assert local_mount.read_bytes().startswith(b"old")
    assert leftovers(local_mount.parent) == []
    before = local_mount.stat()
    result = daemon.anklume("copy", "--in-place", "--verify", here.at("a"),
                            local_mount)
    assert (result.status, result.err) == (0, ""), result
    after = (local_mount.parent / "file").stat()
    assert local_mount.read_bytes() == noise(3000)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_a_local_tree_over_a_mount_point(daemon, here, local_mount):
    write_tree(here)
    words = ["copy", "-r", here.at("tree/."), local_mount.parent]
    result = daemon.anklume(*words)
    assert result.status == 3, result
    assert f"'{local_mount}' is a mount point" in result.err
    assert local_mount.read_bytes().startswith(b"old")
    assert leftovers(local_mount.parent) == []
    result = daemon.anklume(*words, "--in-place")
    assert (result.status, result.err) == (0, ""), result
    assert local_mount.read_bytes() == b"new\n"


def test_a_missing_source_empties_nothing(daemon, here, there):
    there.write("a", b"old")
    result = daemon.anklume("copy", "--in-place", here.at("none"),
                            there.at("a"))
    assert result.status == 6, result
    assert there.read("a") == b"old"


@pytest.mark.parametrize("kind", ["fifo", "directory-in-the-way", "link"])
def test_a_local_file_that_is_none(daemon, here, tmp_path, kind):
    here.write("a", b"new")
    place = tmp_path / "a"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "link":
        place.symlink_to(tmp_path / "b")
        os.mkfifo(tmp_path / "b")
    else:
        (place / "a").mkdir(parents=True)
    result = daemon.anklume("copy", "--in-place", here.at("a"), place)
    assert result.status == 8, result
    assert "is not a regular file" in result.err


@pytest.mark.parametrize("source, destination", ROUTES)
def test_verify(daemon, make_place, tmp_path, source, destination):
    """What arrives is read back, wherever it goes."""
    here, there = make_place(*KINDS[source]), make_place(*KINDS[destination])
    (here.files / "tree/d").mkdir(parents=True)
    for size in 0, 1, 32769, 600_000, 5_000_003:
        (here.files / f"tree/d/{size}").write_bytes(noise(size))
    (here.files / "tree/link").symlink_to("d")
    for words in (["-r", here.at("tree"), there.at("tree")],
                  ["-r", there.at("tree"), tmp_path],
                  ["-r", tmp_path / "tree", there.at("again")],
                  [here.at("tree/d/5000003"), there.at("one")],
                  [there.at("one"), tmp_path / "one"]):
        result = daemon.anklume("copy", "--verify", *words)
        assert (result.status, result.err) == (0, ""), result
    assert (tmp_path / "one").read_bytes() == noise(5_000_003)
    for top in there.files / "again", tmp_path / "tree":
        for size in 0, 1, 32769, 600_000, 5_000_003:
            assert (top / f"d/{size}").read_bytes() == noise(size)


@pytest.mark.parametrize("size", [1, 3000, 700_000])
@pytest.mark.parametrize("words", [[], ["-r"]], ids=["file", "tree"])
def test_verify_finds_what_a_disk_has_lost(daemon, here, tmp_path, words, size):
    """This one gives back other bytes than it took."""
    (here.files / "d").mkdir()
    here.write("d/a", noise(size))
    name = "d" if words else "d/a"
    with fuse_disk(tmp_path, "bad-read") as disk:
        result = daemon.anklume("copy", *words, "--verify", here.at(name),
                                pathlib.Path(disk.place) / "new")
        assert result.status == (3 if words else 5), result
        assert "is not what was written" in result.err
        names = [path.name for path in disk.backing.rglob("*")
                 if path.is_file()]
        assert names == []
