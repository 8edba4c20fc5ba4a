"""The daemon dies in the middle: the run ends soon, says so in one line, and
what it was about to make is not there, neither at once nor after a restart.
"""

import contextlib

import pytest

import midway
from backups import create
from disks import fuse_disk, names_in
from lab import LAB, run
from places import leftovers
from remains import forget_exports

EXISTED = "/1.0/instances?all-projects=true"


@contextlib.contextmanager
def mortal(daemon):
    """Gives a way to kill it; it lives again afterwards, as it was."""
    before = daemon.get(EXISTED)
    files = daemon.spool

    def kill():
        done = run([LAB, "kill", daemon.version])
        assert done.status == 0, done

    try:
        yield kill
    finally:
        done = run([LAB, "restart", daemon.version])
        daemon.refresh()
        assert done.status == 0, done
    assert daemon.get(EXISTED) == before
    for path in set(daemon.spool) - set(files):
        if "/incus_backup_" in path:
            (daemon.files / "backups" / path.rpartition("/")[2]).unlink()


def check_end(child):
    """With status 1 or 9, and one line that says what happened. Gives the
    others, which say what to do about it."""
    status, err = midway.end_of(child)
    assert status in (1, 9), err
    said, *hints = err.splitlines()
    assert said.startswith("anklume: "), err
    assert all(hint.startswith("  ") for hint in hints), err
    return hints


@pytest.fixture
def bulky(make_box):
    box = make_box(project="work", start=False)
    midway.make_bulk(box)
    return box


def test_in_the_middle_of_a_backup(daemon, bulky, tmp_path):
    with fuse_disk(tmp_path) as disk:
        with mortal(daemon) as kill:
            disk.hold()
            child = daemon.spawn("-q", "backup", "create", str(bulky),
                                 "-o", disk.place)
            disk.wait_until_held()
            kill()
            disk.let_go()
            assert check_end(child) == []
            assert names_in(disk.backing) == []
    forget_exports(daemon, bulky.name, bulky.project)


def test_in_the_middle_of_a_restore(daemon, bulky, tmp_path, new_name):
    made = create(daemon, bulky, tmp_path)
    data = made.path.read_bytes()
    with mortal(daemon) as kill:
        with midway.restore(daemon, data, "--project", "work", "--name",
                            new_name()) as child:
            kill()
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(data[len(data) // 2:])
            assert check_end(child) == []


def test_in_the_middle_of_a_copy(daemon, there):
    there.write("a", b"old")
    with mortal(daemon) as kill:
        with midway.copy(daemon, there, "a") as child:
            kill()
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(b"1" * midway.BULK)
            hints = check_end(child)
        assert there.read("a") == b"old"
    left = leftovers(there.files)
    assert [f"'{there.at(part.name)}'" in hint
            for part, hint in zip(left, hints, strict=True)] == [True]
    for part in left:
        part.unlink()
