"""Output on file systems that can do less: vfat or exFAT, FUSE without links.

On all of them an archive appears whole, under its final name, and alone; or
not at all.
"""

import ctypes
import hashlib
import os
import signal
import struct
import time

import pytest

from backups import create, leaves_nothing, restore
from disks import fuse_disk, mount_image, names_in
from remains import forget_exports
from test_backup_create import names_to_come

BACKUP = ("backup", "create", "home/web", "--compression", "none", "-o")


@pytest.fixture
def place_of(mounted, tmp_path):
    """The directory of a file system, by the name of its kind."""
    opened = []

    def get(kind, size_bytes=40 << 20):
        if kind.startswith("fuse"):
            opened.append(fuse_disk(tmp_path, *kind.split()[1:]))
            return opened[-1].__enter__().place
        return mount_image(mounted, tmp_path / kind, kind, size_bytes)

    yield get
    for disk in opened:
        disk.__exit__(None, None, None)


@pytest.fixture(params=["", "plain"], ids=["fuse", "fuse without noreplace"])
def fuse(request, tmp_path):
    with fuse_disk(tmp_path, *request.param.split()) as disk:
        yield disk


KINDS = pytest.mark.parametrize("kind", ["stick", "fuse", "fuse plain"])


@KINDS
def test_a_whole_archive_and_nothing_else(daemon, place_of, new_name, kind):
    place = place_of(kind)
    made = create(daemon, "home/web", place)
    assert names_in(place) == [made.path.name, made.manifest_path.name]
    assert made.manifest["size_bytes"] == made.path.stat().st_size
    done = restore(daemon, made, "--name", new_name())
    assert done.status == 0, done


@KINDS
def test_nothing_is_overwritten_without_force(daemon, place_of, kind):
    place = place_of(kind)
    names = names_to_come(".tar", seconds=30)
    for name in names:
        (place / name).write_text("mine")
    done = daemon.anklume(*BACKUP, place)
    assert done.status == 8, done
    assert names_in(place) == sorted(names)
    assert {(place / name).read_text() for name in names} == {"mine"}


@KINDS
def test_force_replaces_it(daemon, place_of, kind):
    place = place_of(kind)
    for name in names_to_come(".tar.gz", seconds=30):
        (place / name).write_text("mine")
    made = create(daemon, "home/web", place, "--force")
    assert made.path.stat().st_size == made.manifest["size_bytes"]
    assert not list(place.glob(".*"))


def test_a_name_that_is_taken_meanwhile_stays(daemon, fuse):
    """The last moment counts, not the first."""
    names = names_to_come(".tar", seconds=30)
    fuse.hold()
    child = daemon.spawn(*BACKUP, fuse.place)
    fuse.wait_until_held()
    for name in names:
        (fuse.backing / name).write_text("theirs")
    fuse.let_go()
    _, err = child.communicate(timeout=60)
    assert child.returncode == 8, err
    assert b"exists already" in err
    assert names_in(fuse.backing) == sorted(names)
    assert {(fuse.backing / name).read_text() for name in names} == {"theirs"}


def test_it_has_no_final_name_before_it_is_whole(daemon, fuse):
    fuse.hold()
    child = daemon.spawn(*BACKUP, fuse.place)
    part = fuse.wait_until_held()
    assert names_in(fuse.backing) == [part.name]
    assert part.name.startswith(".anklume-")
    fuse.let_go()
    child.communicate(timeout=60)
    assert child.returncode == 0
    assert part.name not in names_in(fuse.backing)


IN_CREATE = 0x100


def created_in(directory, work):
    """The names that come to be in a directory meanwhile, but by a rename."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(watch, os.fsencode(directory),
                                  IN_CREATE) >= 0
    work()
    events, names = os.read(watch, 1 << 16), []
    os.close(watch)
    while events:
        *_, size = struct.unpack("iIII", events[:16])
        names.append(os.fsdecode(events[16:16 + size].rstrip(b"\0")))
        events = events[16 + size:]
    return names


def test_a_name_comes_with_its_content(daemon, fuse):
    """A kill at any moment would leave no empty file."""
    names = created_in(fuse.backing,
                       lambda: create(daemon, "home/web", fuse.place))
    assert names
    assert all(name.startswith(".anklume-") for name in names), names


@pytest.mark.parametrize("age_s, status", [(0, 8), (3600, 0)])
def test_a_name_that_a_killed_run_has_reserved(daemon, tmp_path, age_s, status):
    """It is in the way only for a moment."""
    with fuse_disk(tmp_path, "plain") as disk:
        when = time.time() - age_s
        for name in names_to_come(".tar", seconds=30):
            digest = hashlib.sha256(name.encode()).hexdigest()[:32]
            reserved = disk.backing / f".anklume-{digest}.part"
            reserved.touch()
            os.utime(reserved, (when, when))
        done = daemon.anklume(*BACKUP, disk.place)
        assert done.status == status, done


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_takes_the_part_away(daemon, fuse, number, status):
    with leaves_nothing(daemon):
        fuse.hold()
        child = daemon.spawn(*BACKUP, fuse.place)
        fuse.wait_until_held()
        child.send_signal(number)
        fuse.let_go()
        _, err = child.communicate(timeout=60)
        assert child.returncode == status, err
    assert names_in(fuse.backing) == []


def test_a_kill_leaves_no_final_name_and_a_rerun_works(daemon, fuse):
    fuse.hold()
    child = daemon.spawn(*BACKUP, fuse.place)
    part = fuse.wait_until_held()
    child.kill()
    child.communicate(timeout=60)
    fuse.let_go()
    assert names_in(fuse.backing) == [part.name]
    made = create(daemon, "home/web", fuse.place)
    assert set(names_in(fuse.backing)) - {part.name} == {
        made.path.name, made.manifest_path.name}
    if daemon.version == "6":
        forget_exports(daemon, "web", "home")


@pytest.mark.parametrize("kind", ["ext4", "stick"])
def test_a_full_disk(daemon, place_of, kind):
    """Less than the archive, more than its first writes."""
    place = place_of(kind, 15 << 17)
    free = os.statvfs(place).f_bavail
    with leaves_nothing(daemon):
        done = daemon.anklume(*BACKUP, place)
    assert done.status == 13, done
    assert "there was room for" in done.err
    assert names_in(place) == []
    assert os.statvfs(place).f_bavail == free


def test_a_sync_that_fails(daemon, place_of):
    """Only then does such a disk tell that it has kept nothing."""
    place = place_of("fuse bad-sync")
    with leaves_nothing(daemon):
        done = daemon.anklume(*BACKUP, place)
    assert done.status == 1, done
    assert names_in(place) == []


def test_a_copy_to_it(daemon, here, place_of):
    """Modes and owners that it cannot keep are no reason to fail."""
    place = place_of("stick")
    here.write("letter", b"dear reader\n")
    done = daemon.anklume("copy", here.at("letter"), place)
    assert (done.status, done.err) == (0, ""), done
    assert names_in(place) == ["letter"]
    assert (place / "letter").read_bytes() == b"dear reader\n"


def test_a_copy_with_zeros_to_it(daemon, here, place_of):
    """A stick has no holes: there zeros are written, and come back."""
    place = place_of("stick")
    data = bytes(300_000) + b"middle" + bytes(700_000)
    here.write("data", data)
    done = daemon.anklume("copy", here.at("data"), place)
    assert (done.status, done.err) == (0, ""), done
    assert (place / "data").read_bytes() == data
