"""The archives of custom volumes, made here: no daemon is asked. Hostile ones are
refused whoever reads them, and what Incus writes is read."""

import hashlib
import json

import pytest

import tar_writer as tw
from backup_builder import VOLUME, Builder, VolumeBuilder
from benign_volumes import BENIGN_VOLUMES
from hostile_volumes import HOSTILE_VOLUMES

MAP = json.dumps([
    {"Isuid": True, "Isgid": False, "Hostid": 1000000, "Nsid": 0,
     "Maprange": 65536},
    {"Isuid": False, "Isgid": True, "Hostid": 1000000, "Nsid": 0,
     "Maprange": 65536}])


@pytest.fixture
def archive(anklume):
    return anklume.home / "a.tar"


@pytest.fixture
def verify(anklume, archive):
    def run():
        return anklume("backup", "verify", "--level", "content", archive)
    return run


@pytest.fixture
def files(anklume, archive):
    """What `backup files` shows, by path."""
    def show(*words):
        done = anklume("backup", "files", archive, *words, "--json")
        assert done.status == 0, done
        return {one["path"]: one for one in done.json()["files"]}
    return show


@pytest.fixture
def extract(anklume, archive):
    out = anklume.home / "out"
    out.mkdir()

    def run(*words):
        done = anklume("backup", "extract", archive, *words, out)
        assert done.status == 0, done
        return out
    return run


def families(archives):
    """What is before the colon in a name; one run of tests for each."""
    found = {}
    for name in archives:
        head, colon, _ = name.partition(":")
        found.setdefault(head if colon else "single ones", []).append(name)
    return found


HOSTILE_FAMILIES = families(HOSTILE_VOLUMES)


def test_the_corpus_is_as_large_as_it_should_be():
    assert len(HOSTILE_VOLUMES) >= 180 and len(BENIGN_VOLUMES) >= 20


@pytest.mark.parametrize("family", HOSTILE_FAMILIES)
def test_hostile_volumes_are_refused(verify, archive, family):
    wrong = {}
    for name in HOSTILE_FAMILIES[family]:
        make, says = HOSTILE_VOLUMES[name]
        archive.write_bytes(make())
        result = verify()
        if result.status not in (5, 14) or says not in result.err:
            wrong[name] = says, result
    assert wrong == {}


def test_nothing_is_listed_of_them_without_a_refusal(anklume, archive):
    """Whoever reads all of an archive hears of what is wrong with it."""
    wrong = {}
    for name, (make, _) in list(HOSTILE_VOLUMES.items())[::3]:
        archive.write_bytes(make())
        result = anklume("backup", "files", archive)
        # A disk, or streams: there are no files to be had.
        if result.status not in (5, 6, 14):
            wrong[name] = result
    assert wrong == {}


def test_benign_volumes_are_intact(verify, archive):
    wrong = {}
    for name, make in BENIGN_VOLUMES.items():
        archive.write_bytes(make())
        result = verify()
        if result.status != 0 or "intact" not in result.out:
            wrong[name] = result
    assert wrong == {}


def a_volume():
    made = VolumeBuilder(snapshots=("s0",))
    made.add("d", kind=tw.DIR)
    made.add("d/letter", b"dear reader\n")
    made.add("d/twin", kind=tw.HARD, link=VOLUME + "/d/letter")
    made.add("inner", kind=tw.SYMLINK, link="d")
    made.add("rootfs", b"just a name")
    return made


def test_files_are_reached_by_their_paths_in_the_volume(files, archive):
    archive.write_bytes(a_volume().build())
    all_of_it = files()
    assert list(all_of_it) == ["/", "/d", "/d/letter", "/d/twin", "/inner",
                               "/rootfs"]
    assert all_of_it["/d/twin"]["target"] == "/d/letter"
    assert list(files("/d")) == ["/d", "/d/letter", "/d/twin"]
    assert list(files("/inner/letter")) == ["/d/letter"]
    assert list(files("t*")) == ["/d/twin"]
    assert list(files("--snapshot", "s0")) == ["/", "/old"]


def test_a_tree_comes_out_of_a_volume(extract, archive):
    archive.write_bytes(a_volume().build())
    out = extract("/", "--snapshot", "s0")
    assert (out / "old").read_bytes() == b"in s0\n"
    out = extract("/d")
    assert (out / "d/letter").read_bytes() == b"dear reader\n"
    assert (out / "d/letter").samefile(out / "d/twin")


def test_a_snapshot_by_its_full_name(files, archive):
    """As old exports have it in its definition."""
    made = a_volume()
    one = made.config["volume_snapshots"][0]
    one.update(name="data/s0", config={"volatile.idmap.last": MAP})
    archive.write_bytes(made.build())
    assert files("--snapshot", "s0")["/old"]["uid"] == 65534


@pytest.mark.parametrize("key, seen", [
    ("volatile.idmap.last", (7, 8)), ("volatile.idmap.next", (1000007,
                                                              1000008)),
    ("volatile.last_state.idmap", (1000007, 1000008))])
def test_owners_are_as_they_are_seen_inside(files, archive, key, seen):
    """Of the volume by its own map, of a snapshot by the snapshot's."""
    ids = {"uid": "1000007", "gid": "1000008"}
    made = VolumeBuilder(snapshots=("s0",))
    made.volume["config"][key] = MAP
    made.add("x", b"x", records=ids)
    made.before.append(tw.member("backup/volume-snapshots/s0/x", b"x",
                                 records=ids))
    archive.write_bytes(made.build())
    now, then = files()["/x"], files("--snapshot", "s0")["/x"]
    assert (now["uid"], now["gid"]) == seen
    assert (then["uid"], then["gid"]) == (1000007, 1000008)


@pytest.mark.parametrize("kind, says", [
    ({"content_type": "block"}, "'data' is a block volume"),
    ({"optimized": True, "driver": "btrfs"}, "optimized for 'btrfs'"),
    ({"content_type": "block", "optimized": True}, "'data' is a block")])
def test_what_has_no_files(anklume, archive, kind, says):
    archive.write_bytes(VolumeBuilder(**kind).build())
    for words in (("files", archive), ("extract", archive, "/", ".")):
        done = anklume("backup", *words)
        assert done.status == 6 and says in done.err, done


def test_a_snapshot_that_is_not_there(anklume, archive):
    archive.write_bytes(a_volume().build())
    done = anklume("backup", "files", archive, "--snapshot", "s1")
    assert done.status == 6 and "--snapshot s0" in done.err, done


def test_a_volume_is_not_drilled(daemon, anklume, archive):
    """Whatever it is called."""
    archive.write_bytes(a_volume().build())
    done = anklume("backup", "drill", archive)
    assert done.status in (5, 15), done
    assert "type 'custom', not of an instance" in done.err, done
    assert daemon.uploads == []



def facts(path, **said):
    return {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "size_bytes": path.stat().st_size, "archive": path.name,
            "server": {"name": "s", "fingerprint": "0" * 64},
            "project": "default", "created_at": "2026-11-22T10:00:00Z",
            **said}


def manifest(path, **said):
    known = facts(path, **said)
    path.with_name(path.name + ".json").write_text(json.dumps({
        **known, "format": 1, "entries": 9, "tar_sha256": known["sha256"],
        "tar_size_bytes": known["size_bytes"]}))


@pytest.mark.parametrize("said, inside", [
    ({"volume": "default/data"}, None),
    ({"volume": "other/data"}, "volume 'default/data'"),
    ({"volume": "data"}, "volume 'default/data'"),
    ({"instance": "data"}, "volume 'default/data'"),
    ({}, "volume 'default/data'")])
def test_the_manifest_is_of_the_volume(verify, archive, said, inside):
    archive.write_bytes(a_volume().build())
    manifest(archive, **said)
    result = verify()
    if inside is None:
        assert result.status == 0 and "intact" in result.out, result
    else:
        assert result.status == 5 and f"it holds the {inside}" in result.err


def test_the_manifest_of_a_volume_is_none_of_an_instance(verify, archive):
    archive.write_bytes(Builder("data").build())
    manifest(archive, volume="default/data")
    result = verify()
    assert result.status == 5 and "it holds the instance 'data'" in result.err


@pytest.mark.parametrize("rule, status", [
    ("allow default/* @local", 0), ("allow default/data @local", 4),
    ("allow @local @local", 4)])
def test_no_rule_takes_a_volume_for_an_instance(anklume, archive, rule,
                                                status):
    """The archive is this host's own: its files are of the project, and not of
    the instance that has the same name."""
    archive.write_bytes(a_volume().build())
    record = anklume.home / "state/anklume/record"
    record.mkdir(parents=True)
    entry = facts(archive, volume="default/data")
    (record / (entry["sha256"] + ".json")).write_text(json.dumps(entry))
    policy = anklume.home / "policy"
    policy.write_text(rule + "\n")
    policy.chmod(0o644)
    anklume.environment["ANKLUME_POLICY"] = str(policy)
    done = anklume("backup", "extract", archive, "/d/letter", "-")
    assert done.status == status, done
    assert ("dear reader" in done.out) == (status == 0)
    if status == 4:
        assert "default/default/data:/d/letter" in done.err
