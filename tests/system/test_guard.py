"""The guard of a restore, in front of what it guards: no archive of a stranger
harms a real daemon, and whatever Incus writes comes back."""

import gzip
import itertools
import pathlib
import shutil

import pytest

import tar_writer as tw
from backup_builder import ROOTFS, Builder
from backups import Backup, leaves_nothing, restore, settled_holdings
from benign import BENIGN
from hostile import HOSTILE

# Hundreds of runs that end the same way; the unit tests look for leaks.
QUICKLY = {"ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0"}

FILES = {"root/letter": b"dear reader\n", "root/page": bytes(range(256)) * 999,
         "srv/\u00e9t\u00e9": b"", "srv/zeros": bytes(300000)}


def come_in(daemon, path, name, *words, **run):
    return restore(daemon, path, "--project", "home", "--name", name, *words,
                   **run)


def share(archives, daemon):
    """Half of them for each daemon: our own side is what refuses and lets
    through, and meets all of them in tests/scripted."""
    return list(archives.items())[daemon.version == "7"::2]


def test_hostile_archives(daemon, tmp_path, new_name):
    """In one test: each is refused, and none has left a trace."""
    path, name, wrong = tmp_path / "a.tar", new_name(), {}
    with leaves_nothing(daemon):
        for what, make in share(HOSTILE, daemon):
            path.write_bytes(make())
            done = come_in(daemon, path, name, env=QUICKLY)
            if done.status not in (5, 14):
                wrong[what] = done
    assert wrong == {}


def test_benign_archives(daemon, tmp_path, new_name):
    """In one test: each becomes an instance."""
    path, name, wrong = tmp_path / "a.tar", new_name(), {}
    with leaves_nothing(daemon):
        for what, make in share(BENIGN, daemon):
            path.write_bytes(make())
            done = come_in(daemon, path, name, env=QUICKLY)
            if done.status != 0:
                wrong[what] = done
                continue
            gone = daemon.get(f"/1.0/instances/{name}?project=home", "DELETE")
            assert gone["status"] == "Success", (what, gone)
    assert wrong == {}


@pytest.fixture(params=["default", "bt"])
def told(make_box, request):
    """A running box with files to tell it by, and snapshots."""
    box = make_box(project="home", pool=request.param)
    box.inner("srv").mkdir()
    for path, data in FILES.items():
        box.inner(path).write_bytes(data)
    for snapshot in ("before", "after"):
        box.daemon.incus("snapshot", "create", box.name, snapshot,
                         "--project", "home")
    return box


def export(box, path, *options):
    """The client sees no files of this machine but the shared ones."""
    shared = pathlib.Path(box.daemon.facts["LAB_SHARED"]) / box.name
    box.daemon.incus("export", box.name, shared, "--project", "home",
                     *options)
    shutil.move(shared, path)
    return Backup(path)


def comes_back(box, backup, name, snapshots, *words):
    """An export is intact, and becomes what it was made of."""
    daemon = box.daemon
    done = daemon.anklume("backup", "verify", "--level", "content", backup)
    assert done.status == 0 and "intact" in done.out, done
    done = come_in(daemon, backup, name, *words)
    assert done.status == 0, done
    twin = type(box)(daemon, name, "home", box.pool)
    assert {path: twin.inner(path).read_bytes() for path in FILES} == FILES
    names = [url.rpartition("/")[2].partition("?")[0] for url in daemon.get(
        f"/1.0/instances/{name}/snapshots?project=home")]
    assert names == snapshots
    daemon.get(f"/1.0/instances/{name}?project=home", "DELETE")


def test_exports_of_incus(told, tmp_path, new_name):
    """By the daemon's own client: running and stopped, whole and without its
    snapshots, compressed in every way."""
    ways = [("none", ()), ("gzip", ("--instance-only",)), ("zstd", ())]
    if told.pool == "bt":
        ways.append(("none", ("--optimized-storage",)))
    name = new_name()
    before = settled_holdings(told.daemon)
    for running in (True, False):
        if not running:
            told.stop()
        for (compression, options), number in zip(ways, itertools.count()):
            made = export(told, tmp_path / f"{running}-{number}",
                          "--compression", compression, *options)
            words = []
            if "--optimized-storage" in options:
                words = ["--allow-unsafe"]
                done = come_in(told.daemon, made, name)
                assert done.status == 14 and words[0] in done.err, done
            comes_back(told, made, name,
                       [] if "--instance-only" in options
                       else ["before", "after"], *words)
    assert settled_holdings(told.daemon) == before


@pytest.fixture
def small_pool(daemon):
    """300 MiB, in which less than that is free."""
    daemon.incus("storage", "create", "small", "btrfs", "size=300MiB")
    yield "small"
    daemon.incus("storage", "delete", "small")


def write_bomb(path, pool, size_bytes):
    builder = Builder(pool=pool, driver="btrfs")
    with gzip.open(path, "wb", 1) as out:
        out.write(b"".join(builder.beginning()))
        out.write(tw.header(ROOTFS + "/zeros", size=size_bytes))
        for _ in range(size_bytes >> 20):
            out.write(bytes(1 << 20))
        out.write(tw.END)


def test_more_than_the_pool_holds(daemon, tmp_path, small_pool, new_name):
    """2 MB of gzip, and 400 MiB of zeros in it."""
    path = tmp_path / "bomb.tar.gz"
    write_bomb(path, small_pool, 400 << 20)
    with leaves_nothing(daemon):
        done = come_in(daemon, path, new_name())
    assert done.status == 13, done
    assert "No space left on device" in done.err
