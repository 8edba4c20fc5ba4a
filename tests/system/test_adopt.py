"""A disk lost: a new host, an empty record, archives only."""

import json
import pty
import os
import shutil
import subprocess
import threading

import pytest

from backups import RECORD, create, restore
from keys import KeyRing
from lab import binary


@pytest.fixture(scope="module")
def signers(tmp_path_factory):
    ring = KeyRing(tmp_path_factory.mktemp("signers"))
    for name in ("ann", "bob"):
        ring.make(name, f"{name} <{name}@example.org>", "ed25519", "sign",
                  "never")
    yield ring
    ring.close()


@pytest.fixture
def store(daemon, tmp_path):
    """A directory of archives, all of which this host has forgotten."""
    class Store:
        path = tmp_path / "store"

        def add(self, instance="home/web", below=".", *options, **run):
            where = self.path / below
            where.mkdir(parents=True, exist_ok=True)
            fresh = create(daemon, instance, tmp_path / "made", "--force",
                           *options, **run)
            fresh.record_path.unlink()
            # Archives of one second would have one name.
            number = len(list(self.path.rglob("*.tar*")))
            name = f"{number:03}-{fresh.path.name}"
            for suffix in ("", ".json", ".json.sig"):
                source = fresh.path.with_name(fresh.path.name + suffix)
                if source.exists():
                    shutil.move(source, where / (name + suffix))
            fresh.path = where / name
            return fresh

        def adopt(self, *options, **run):
            return daemon.anklume("backup", "adopt", self.path, *options,
                                  **run)

    (tmp_path / "store").mkdir()
    return Store()


def test_a_disk_lost(daemon, store, make_box):
    box = make_box(project="work", start=False)
    made = store.add(box, "work")
    box.delete()
    assert restore(daemon, made).status == 2
    done = store.adopt("--yes")
    assert (done.status, done.out) == (0, f"{made.path}\n"), done
    assert f"work/{box.name}, made " in done.err
    assert "origin: unknown" in done.err
    assert made.record_path.stat().st_mode & 0o777 == 0o644
    done = restore(daemon, made, "--json")
    assert done.status == 0, done
    assert done.json()["origin"] == "this host"
    assert (done.json()["project"], done.json()["instance"]) == (
        "work", box.name)
    listed = daemon.anklume("backup", "list", "--from", store.path, "--json")
    assert listed.json()["backups"][0]["origin"] == "this host"


def test_what_it_adopts_it_knows_as_what_it_makes(daemon, store):
    made = store.add()
    assert store.adopt("-y").status == 0
    for name, value in made.record.items():
        assert made.manifest[name] == value
    again = store.adopt()
    assert (again.status, again.out) == (0, ""), again


def test_nothing_without_a_yes(store):
    made = store.add()
    for options in ((), ("--json",), ("--dry-run",), ("-n", "-y")):
        done = store.adopt(*options)
        assert done.status == (0 if "-n" in options or "--dry-run" in options
                               else 2), done
        assert not made.record_path.exists()
    assert "home/web, made " in done.err


@pytest.mark.parametrize("answer, taken", [("y", True), ("n", False),
                                           ("", False)])
def test_a_person_is_asked(daemon, store, answer, taken):
    made = store.add()
    ours, theirs = pty.openpty()
    with subprocess.Popen(
            [str(binary()), "backup", "adopt", store.path], stdin=theirs,
            stdout=subprocess.PIPE, stderr=theirs,
            env=daemon.environment()) as child:
        os.close(theirs)
        seen = b""
        while b"[y/N]" not in seen:
            seen += os.read(ours, 1000)
        assert b"home/web" in seen
        os.write(ours, answer.encode() + b"\n")
        drain = threading.Thread(target=swallow, args=(ours,))
        drain.start()
        child.wait(timeout=60)
        drain.join()
    os.close(ours)
    assert (child.returncode == 0) == taken
    assert made.record_path.exists() == taken


def swallow(descriptor):
    """Until the other side has gone."""
    try:
        while os.read(descriptor, 1000):
            pass
    except OSError:
        pass


def spoil_byte(made):
    data = bytearray(made.path.read_bytes())
    data[len(data) // 2] ^= 1
    made.path.write_bytes(data)


def cut(made):
    made.path.write_bytes(made.path.read_bytes()[:-1])


def lose_name(made):
    manifest = made.manifest
    del manifest["instance"]
    made.manifest_path.write_text(json.dumps(manifest))


DAMAGE = [
    (spoil_byte, 5), (cut, 5), (lose_name, 5),
    (lambda made: made.manifest_path.unlink(), 5),
    (lambda made: made.manifest_path.write_text("{"), 5),
    (lambda made: made.path.unlink(), 6),
    (lambda made: made.edit_manifest(instance="../web"), 5),
    (lambda made: made.edit_manifest(instance="a:b"), 5),
    (lambda made: made.edit_manifest(project="a/b"), 5),
    (lambda made: made.edit_manifest(created_at="now"), 5),
    (lambda made: made.edit_manifest(server={"name": "x" * 70000}), 5),
]


@pytest.mark.parametrize("damage, status", DAMAGE)
def test_what_is_not_whole_is_not_taken(store, damage, status):
    made = store.add()
    # Not earlier: an instance that has not changed makes the same archive twice,
    # and what knew of the first was taken away with this one's.
    before = set(RECORD.glob("*"))
    damage(made)
    done = store.adopt("--yes", "--json")
    assert done.status == status, done
    told = done.json()["archives"]
    assert [one["state"] for one in told] == ["refused"]
    assert told[0]["status"] == status and told[0]["problem"]
    assert set(RECORD.glob("*")) == before


def test_the_whole_ones_among_others(store):
    good = store.add()
    bad = store.add("home/web", "work")
    spoil_byte(bad)
    bare = store.add()
    bare.manifest_path.unlink()
    done = store.adopt("--yes")
    assert (done.status, done.out) == (3, f"{good.path}\n"), done
    assert good.record_path.exists() and not bad.record_path.exists()
    assert done.err.count("not taken") >= 2
    assert "2 of 3 archives were not taken" in done.err


def test_only_what_this_key_has_signed(store, signers):
    by_ann, by_bob = (
        # Two exports of one state may be the same bytes: one digest.
        store.add("home/web", ".", "--sign", f"{name}@example.org",
                  "--compression", form, env=signers.env)
        for name, form in (("ann", "gzip:1"), ("bob", "none")))
    plain = store.add("home/web", ".", "--compression", "zstd")
    ann = signers.fingerprints["ann"]
    done = store.adopt("--yes", "--signed-by", ann, "--json", env=signers.env)
    assert done.status == 3, done
    told = {one["path"]: one for one in done.json()["archives"]}
    assert told[str(by_ann.path)]["origin"] == f"signed by {ann}"
    assert [told[str(one.path)]["state"] for one in (by_ann, by_bob, plain)
            ] == ["adopted", "refused", "refused"]
    assert by_ann.record_path.exists()
    assert not by_bob.record_path.exists() and not plain.record_path.exists()


def test_a_signed_manifest_that_was_changed(store, signers):
    made = store.add("home/web", ".", "--sign", "ann@example.org",
                     env=signers.env)
    made.edit_manifest(project="work")
    done = store.adopt("--yes", env=signers.env)
    assert done.status == 5, done
    assert not made.record_path.exists()


@pytest.mark.parametrize("make, status", [(True, 6), (False, 10)])
def test_a_directory_without_archives(daemon, tmp_path, make, status):
    where = tmp_path / "empty"
    if make:
        where.mkdir()
    done = daemon.anklume("backup", "adopt", where, "--yes")
    assert done.status == status, done


def test_no_daemon_is_needed(store):
    made = store.add()
    done = store.adopt("--yes", env={"INCUS_SOCKET": "/nowhere"})
    assert done.status == 0, done
    assert made.record_path.exists()


def test_a_name_is_shown_escaped(store):
    made = store.add()
    made.edit_manifest(project="\x1b[2Jevil")
    done = store.adopt("--dry-run")
    assert "\x1b" not in done.err


def test_adopted_under_another_name_it_is_found_out(daemon, store, tmp_path):
    """A stranger's manifest may lie; what it says is shown, and the archive
    itself is asked before anything is made."""
    made = store.add()
    made.edit_manifest(instance="mail")
    assert store.adopt("--yes").status == 0
    done = restore(daemon, made)
    assert done.status == 5, done
    assert "holds the instance 'web'" in done.err
    assert not daemon.exists("mail", "home")
    del tmp_path
