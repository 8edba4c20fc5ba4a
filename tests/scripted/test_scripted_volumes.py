"""The volumes of an instance, with a daemon that refuses, cuts and lies: nothing
appears that is not whole, and what is missing is said."""

import hashlib
import json
import signal
import threading

import pytest

import scripted_tars
from backup_builder import VolumeBuilder
from scripted import (LAST_CHUNK, RUNNING, chunk, error, failed, http)

VOLUME = "/1.0/storage-pools/bt/volumes/custom/data"
EXPORT = f"POST {VOLUME}/backups"
OBJECT = f"{VOLUME}/backups/EXPORT"
FETCH, DELETE = f"GET {OBJECT}/export", f"DELETE {OBJECT}"
OF_INSTANCE = "POST /1.0/instances/web/backups"
IMPORT = "POST /1.0/storage-pools/bt/volumes/custom"
IMPORT_INSTANCE = "POST /1.0/instances"
WAIT = "GET /1.0/operations/ID/wait"
LOOK = "GET /1.0/operations/ID"

BACKUP = ("--json", "backup", "create", "web", "-o", "out", "--compression",
          "none")
MANY = ("--json", "backup", "create", "w*", "-o", "out", "--compression",
        "none")
PLACE = ("default", "bt", "data")


def volume_tar(name="data", pool="bt", bulk=0, **config):
    made = VolumeBuilder(name, pool=pool, driver="btrfs")
    made.volume["config"].update(
        {key.replace("_", "."): value for key, value in config.items()})
    made.add("letter", b"dear reader\n")
    made.add("bulk", bytes(bulk))
    return made.build()


def attached(source="data", **more):
    return {"type": "disk", "path": "/data", "pool": "bt", "source": source,
            **more}


@pytest.fixture(autouse=True)
def shelf(daemon):
    """`web` has the volume `data` attached."""
    daemon.pools["bt"] = "btrfs"
    daemon.volumes[PLACE] = {"used_by": ["/1.0/instances/web"]}
    daemon.volume_tar = volume_tar()
    daemon.devices["web"] = {"d": attached()}


@pytest.fixture(params=[True, False], ids=["direct", "spooled"])
def either(daemon, request):
    """A daemon that exports one way or the other."""
    daemon.direct = request.param
    return daemon


@pytest.fixture
def spooling(daemon):
    daemon.direct = False
    return daemon


def manifests(anklume):
    """By what they are of."""
    found = [json.loads(path.read_text())
             for path in (anklume.home / "out").rglob("*.json")]
    return {one.get("volume") or one["instance"]: one for one in found}


def volumes_left_out(manifest):
    return [one["source"] for one in manifest["not_included"]
            if one["kind"] == "volume"]


# Made -----------------------------------------------------------------------

def test_both_are_what_the_daemon_sent(either, anklume):
    made = anklume(*BACKUP)
    assert made.status == 0, made
    told = manifests(anklume)
    out = anklume.home / "out"
    assert (out / told["bt/data"]["archive"]).read_bytes() == either.volume_tar
    assert (out / told["web"]["archive"]).read_bytes() == either.tar
    assert told["web"]["volumes"] == [{
        "project": "default", "pool": "bt", "name": "data",
        "archive": told["bt/data"]["archive"],
        "sha256": told["bt/data"]["sha256"]}]
    assert volumes_left_out(told["web"]) == []
    assert either.asked.index(EXPORT) < either.asked.index(OF_INSTANCE)
    assert either.volume_backups == either.backups == set()
    body = either.bodies[EXPORT]
    assert body["volume_only"] is False and "instance_only" not in body


@pytest.mark.parametrize("words", [BACKUP, MANY], ids=["one", "many"])
@pytest.mark.parametrize("source, about, made", [
    ("data", {"content_type": "block"}, False),  # its tar is of files
    ("disc", {"content_type": "iso"}, None),
    ("disc", {"content_type": "future"}, None),
    ("gone", None, None),
    ("data/sub/dir", {}, True),
], ids=["disk", "iso", "future", "gone", "sub"])
def test_what_is_attached(daemon, anklume, words, source, about, made):
    name = source.partition("/")[0]
    daemon.volumes.clear()
    if about is not None:
        daemon.volumes["default", "bt", name] = about
    daemon.devices["web"] = {"d": attached(source)}
    if made is False:
        tar = VolumeBuilder("data", pool="bt", content_type="block").build()
        daemon.volume_tar = tar
    done = anklume(*words)
    assert done.status == 0, done
    told = manifests(anklume)
    asked = f"POST /1.0/storage-pools/bt/volumes/custom/{name}/backups"
    if made is None:
        assert asked not in daemon.asked and len(told) == 1
        assert volumes_left_out(told["web"]) == [name]
        assert f"not included: volume '{name}'" in done.err
    else:
        assert daemon.asked.count(asked) == 1 and len(told) == 2
        assert volumes_left_out(told["web"]) == []
        assert told["bt/data"]["content_type"] == (
            "filesystem" if made else "block")


def test_one_that_belongs_to_its_instance(daemon, anklume):
    """7.0: it is in the instance's own export."""
    daemon.devices["web"] = {"d": attached(dependent="true")}
    assert anklume(*BACKUP).status == 0
    told = manifests(anklume)
    assert list(told) == ["web"] and told["web"]["volumes"] == []
    assert volumes_left_out(told["web"]) == []


def test_attached_twice(daemon, anklume):
    """By two devices, and by two instances."""
    daemon.instances = {"web": "default", "w2": "default"}
    daemon.devices["web"] = {"d": attached(), "e": attached("data/sub")}
    daemon.devices["w2"] = {"d": attached("data/other")}
    daemon.on("POST /1.0/instances/w2/backups", lambda x: (x.body(), x.send(
        http(chunk(scripted_tars.backup("w2")) + LAST_CHUNK,
             kind="application/octet-stream", Content_Length=None,
             Transfer_Encoding="chunked"))))
    done = anklume(*MANY)
    assert done.status == 0, done
    assert daemon.asked.count(EXPORT) == 1
    told = manifests(anklume)
    assert told["web"]["volumes"] == told["w2"]["volumes"]
    assert told["web"]["volumes"][0]["sha256"] == told["bt/data"]["sha256"]
    assert volumes_left_out(told["web"]) == []


# Not made -------------------------------------------------------------------

def stream(body):
    return http((chunk(body) if body else b"") + LAST_CHUNK,
                kind="application/octet-stream", Content_Length=None,
                Transfer_Encoding="chunked")


def cut(x):
    x.body()
    wire = stream(x.daemon.volume_tar)
    x.send(wire[:len(wire) // 2])
    x.hang_up()


DIRECT = {
    "refused": (error("no such luck", 500), 1),
    "forbidden": (error("not for you", 403), 4),
    "full": (error("no space left on device", 500), 13),
    "cut": (cut, 1),
    "ends between members": (stream(volume_tar()[:1024]), 5),
    "nothing": (stream(b""), 5),
    "an instance": (stream(scripted_tars.backup("data")), 5),
    "another volume": (stream(volume_tar("date")), 5),
    "of another pool": (stream(volume_tar(pool="default")), 5),
    "garbage": (stream(b"x" * 10240), 5),
}


def check_none(anklume, result, status):
    """Neither of the two."""
    assert result.status == status, result
    assert anklume.leftovers == []
    assert "--volumes none leaves attached volumes out" in result.err


def check_only_instance(anklume, result, status):
    """It says that its volume is not included."""
    assert result.status == 3, result
    volume, instance = result.json()["backups"]
    assert volume["volume"] == "bt/data" and volume["status"] == status
    assert instance["instance"] == "web" and instance["status"] == 0
    told = manifests(anklume)
    assert list(told) == ["web"]
    assert volumes_left_out(told["web"]) == ["data"]
    assert told["web"]["volumes"] == [{
        "project": "default", "pool": "bt", "name": "data"}]
    assert "not included: volume 'data'" in result.err


@pytest.mark.parametrize("answer, status", DIRECT.values(), ids=DIRECT)
def test_a_direct_export_that_fails(daemon, anklume, answer, status):
    daemon.on(EXPORT, answer)
    check_none(anklume, anklume(*BACKUP), status)
    assert OF_INSTANCE not in daemon.asked
    check_only_instance(anklume, anklume(*MANY), status)


TARS = {
    "cut": volume_tar()[:1536],
    "an instance": scripted_tars.backup("data"),
    "another volume": volume_tar("date"),
    "garbage": b"x" * 10240,
}


@pytest.mark.parametrize("tar", TARS.values(), ids=TARS)
def test_a_spooled_export_of_something_else(spooling, anklume, tar):
    spooling.volume_tar = tar
    check_none(anklume, anklume(*BACKUP), 5)
    check_only_instance(anklume, anklume(*MANY), 5)
    assert spooling.volume_backups == set()
    assert spooling.asked.count(DELETE) == 2


@pytest.mark.parametrize("verdict, status", [
    (failed("disk on fire"), 1), (failed("no space left on device"), 13)])
def test_a_spooled_export_that_fails(spooling, anklume, verdict, status):
    spooling.verdicts["volume backup"] = verdict
    check_none(anklume, anklume(*BACKUP), status)
    check_only_instance(anklume, anklume(*MANY), status)
    assert spooling.volume_backups == set()


def test_a_run_over_one_that_has_been_made_without(daemon, anklume):
    """What was asked for explicitly is not asked of the daemon."""
    done = anklume(*BACKUP, "--volumes", "none")
    assert done.status == 0, done
    assert EXPORT not in daemon.asked
    assert volumes_left_out(manifests(anklume)["web"]) == ["data"]


def test_a_volume_that_cannot_be_asked_for(daemon, anklume):
    """Whether it is one is not known: nothing is made."""
    daemon.on(f"GET {VOLUME}", error("database is locked", 500))
    for words in (BACKUP, MANY):
        done = anklume(*words)
        assert done.status == 1 and "database is locked" in done.err, done
        assert anklume.leftovers == []


# Waiting --------------------------------------------------------------------

def test_an_export_that_tells_no_progress_is_waited_for(spooling, anklume):
    """As no daemon does of a volume's."""
    spooling.verdicts["volume backup"] = RUNNING
    slices = []

    def wait(x):
        slices.append(x)
        if len(slices) == 3:
            spooling.finish("volume backup")
        spooling._ordinary(x)
    spooling.on(LOOK, wait)
    done = anklume(*BACKUP, "--timeout", "1")
    assert done.status == 0, done
    assert "bt/data" in manifests(anklume)


@pytest.mark.parametrize("words", [EXPORT, FETCH, LOOK])
def test_a_daemon_that_falls_silent(spooling, anklume, words):
    """It ends, at the latest when its own deletion has not been answered."""
    spooling.stall(words)
    done = anklume(*BACKUP, "--timeout", "1")
    assert done.status == 9, done
    assert anklume.leftovers == []


def test_a_direct_export_that_falls_silent(daemon, anklume):
    daemon.stall(EXPORT, 2000)
    done = anklume(*BACKUP, "--timeout", "1")
    check_none(anklume, done, 9)


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("words", [BACKUP, MANY], ids=["one", "many"])
def test_interrupted_while_the_daemon_exports(spooling, anklume, words, number,
                                              status):
    spooling.verdicts["volume backup"] = RUNNING
    process = anklume.start(*words)
    spooling.wait_for(LOOK)
    anklume.kill(number)
    threading.Timer(1, spooling.finish, ["volume backup"]).start()
    done = anklume.end(process)
    assert done.status == status, done
    assert "waiting for the daemon" in done.err
    assert spooling.volume_backups == set()
    assert spooling.asked.count(DELETE) == 1
    assert OF_INSTANCE not in spooling.asked
    assert anklume.leftovers == []


# Consistency ----------------------------------------------------------------

SHRUNK = "to tarball: Failed to write tar header: archive/tar: missed " \
    "writing 100 bytes"


def fails_once(spooling, text):
    def bent(x):
        spooling.verdicts["volume backup"] = failed(text)
        spooling._ordinary(x)
        del spooling.verdicts["volume backup"], spooling.bent[EXPORT]
    spooling.on(EXPORT, bent)


@pytest.mark.parametrize("used_by, project", [
    (["/1.0/instances/web"], "default"),
    (["/1.0/profiles/default", "/1.0/instances/web"], "default"),
    (["/1.0/instances/web/snapshots/s0", "/1.0/instances/web"], "default")])
def test_a_file_that_shrinks(spooling, anklume, used_by, project):
    """The only instance that has it is frozen, and it is tried again."""
    del project
    spooling.volumes[PLACE]["used_by"] = used_by
    fails_once(spooling, SHRUNK)
    done = anklume(*BACKUP)
    assert done.status == 0, done
    assert spooling.actions == ["freeze", "unfreeze"]
    assert "once more, with 'default/web' frozen" in done.err
    told = manifests(anklume)["bt/data"]
    assert told["consistency"] == "frozen" and told["warnings"] == [
        "nothing was encrypted"]


@pytest.mark.parametrize("used_by", [
    ["/1.0/instances/web", "/1.0/instances/db"], []])
def test_a_file_that_shrinks_in_a_shared_one(spooling, anklume, used_by):
    """Nobody is frozen for what others may be changing."""
    spooling.volumes[PLACE]["used_by"] = used_by
    fails_once(spooling, SHRUNK)
    done = anklume(*BACKUP)
    assert done.status == 1, done
    assert spooling.actions == []
    assert "missed writing" in done.err
    assert spooling.volume_backups == set()


@pytest.mark.parametrize("options, statuses, actions, word", [
    ((), {}, [], "snapshot"),
    (("--consistency", "freeze"), {}, ["freeze", "unfreeze"] * 2, "frozen"),
    ((), {"web": "Stopped"}, [], "stopped"),
    (("--consistency", "freeze"), {"web": "Stopped"}, [], "stopped")])
def test_what_has_it_attached(daemon, anklume, options, statuses, actions,
                              word):
    daemon.statuses.update(statuses)
    done = anklume(*BACKUP, *options)
    assert done.status == 0, done
    assert daemon.actions == actions
    assert manifests(anklume)["bt/data"]["consistency"] == word


def test_a_user_that_has_gone_meanwhile(daemon, anklume):
    daemon.volumes[PLACE]["used_by"] = ["/1.0/instances/gone",
                                        "/1.0/instances/web"]
    daemon.statuses["web"] = "Stopped"
    assert anklume(*BACKUP).status == 0
    assert manifests(anklume)["bt/data"]["consistency"] == "stopped"


# Back again -----------------------------------------------------------------

@pytest.fixture
def lost(daemon, anklume):
    """Both are backed up, and gone."""
    done = anklume(*BACKUP)
    assert done.status == 0, done
    daemon.volumes.clear()
    del daemon.instances["web"]
    del daemon.asked[:]
    return ("backup", "restore", "web", "--from", "out")


def test_the_volume_first(daemon, anklume, lost):
    done = anklume(*lost)
    assert done.status == 0, done
    assert "restored the volume 'default/bt/data'" in done.err
    assert daemon.asked.index(IMPORT) < daemon.asked.index(IMPORT_INSTANCE)
    assert PLACE in daemon.volumes and "web" in daemon.instances


@pytest.mark.parametrize("verdict, status", [
    (failed("disk on fire"), 1), (failed("no space left on device"), 13)])
def test_a_volume_that_is_refused(daemon, anklume, lost, verdict, status):
    daemon.verdicts["import volume"] = verdict
    done = anklume(*lost)
    assert done.status == status, done
    assert IMPORT_INSTANCE not in daemon.asked
    assert daemon.volumes == {} and "web" not in daemon.instances


def test_a_daemon_that_makes_something_else_of_it(daemon, anklume, lost):
    """The archive holds no such key: the volume is taken away again."""
    daemon.imported = {"config": {"security.unmapped": "true"}}
    held = held_in(anklume)
    done = anklume("backup", "restore", held)
    assert done.status == 14 and daemon.volumes == {}, done
    held.with_name(held.name + ".json").unlink()
    for one in (anklume.home / "state").rglob("record/*.json"):
        one.unlink()
    words = ("backup", "restore", held, "--name", "data", "--project",
             "default")
    done = anklume(*words)
    assert done.status == 14 and "security.unmapped" in done.err, done
    assert daemon.volumes == {}
    done = anklume(*words, "--allow", "security.unmapped")
    assert done.status == 0 and PLACE in daemon.volumes, done


@pytest.mark.parametrize("key, value, refused", [
    ("block_mount__options", "x", True), ("security_unmapped", "true", True),
    ("security_unmapped", "false", False), ("security_shifted", "true", False),
    ("user_x", "y", False)])
def test_keys_of_a_strangers_volume(daemon, anklume, key, value, refused):
    daemon.volumes.clear()
    key = key.replace("__", "\0").replace("_", ".").replace("\0", "_")
    made = VolumeBuilder("data", pool="bt", driver="btrfs")
    made.volume["config"][key] = value
    path = anklume.home / "it.tar"
    path.write_bytes(made.build())
    words = ("backup", "restore", path, "--name", "data", "--project",
             "default")
    done = anklume(*words)
    assert done.status == (14 if refused else 0), done
    if refused:
        assert f"--allow {key}" in done.err
        assert daemon.uploads == [] and daemon.volumes == {}
        done = anklume(*words, "--allow", key)
        assert done.status == 0, done
    assert PLACE in daemon.volumes


def test_interrupted_while_the_daemon_imports(daemon, anklume, lost):
    """It cannot be stopped: what it makes is taken away."""
    daemon.verdicts["import volume"] = RUNNING
    process = anklume.start(*lost)
    daemon.wait_for(WAIT)
    anklume.kill(signal.SIGINT)
    threading.Timer(1, daemon.finish, ["import volume"]).start()
    done = anklume.end(process)
    assert done.status == 130, done
    assert daemon.volumes == {} and f"DELETE {VOLUME}" in daemon.asked
    assert IMPORT_INSTANCE not in daemon.asked


def test_an_import_that_cannot_be_undone_is_named(daemon, anklume, lost):
    daemon.verdicts["import volume"] = RUNNING
    daemon.on(f"DELETE {VOLUME}", error("database is locked", 500))
    process = anklume.start(*lost)
    daemon.wait_for(WAIT)
    anklume.kill(signal.SIGINT)
    threading.Timer(1, daemon.finish, ["import volume"]).start()
    done = anklume.end(process)
    assert done.status == 130, done
    assert "'default/bt/data' was made and could not be deleted" in done.err


def held_in(anklume):
    return next(path for path in (anklume.home / "out").glob("bt+*.tar"))


def test_a_damaged_one_is_never_a_whole_upload(daemon, anklume, lost):
    held = held_in(anklume)
    held.write_bytes(held.read_bytes().replace(b"dear", b"deer"))
    done = anklume(*lost)
    assert done.status == 5, done
    assert daemon.uploads and not daemon.uploads[0].whole
    assert IMPORT_INSTANCE not in daemon.asked and daemon.volumes == {}


@pytest.mark.parametrize("lose, says", [
    (lambda path: path.write_bytes(path.read_bytes()[:-1024]), "not whole"),
    (lambda path: path.with_name(path.name + ".json").unlink(), "unknown"),
    (lambda path: path.unlink(), "is not there")],
    ids=["cut", "no manifest", "gone"])
def test_one_that_cannot_be_had_is_named(daemon, anklume, lost, lose, says):
    """Where a profile has it attached, the instance may come without."""
    for one in (anklume.home / "state").rglob("record/*.json"):
        if says == "unknown" and "volume" in json.loads(one.read_text()):
            one.unlink()
    lose(held_in(anklume))
    done = anklume(*lost)
    assert done.status == 0 and "web" in daemon.instances, done
    assert "the volume 'default/bt/data' is missing" in done.err
    assert says in done.err
    assert daemon.volumes == {}


def edit(path, change):
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))


@pytest.mark.parametrize("keep", [True, False], ids=["manifest", "none"])
def test_a_manifest_makes_nothing_trusted(daemon, anklume, lost, keep):
    """Whoever can write there names another archive in the instance's manifest,
    of the size of one that this host has made."""
    held = held_in(anklume)
    data = held.read_bytes().replace(b"dear reader", b"evil reader")
    held.write_bytes(data)
    edit(next((anklume.home / "out").glob("web-*.json")),
         lambda told: told["volumes"][0].update(
             sha256=hashlib.sha256(data).hexdigest()))
    if not keep:
        held.with_name(held.name + ".json").unlink()
    done = anklume(*lost)
    assert done.status == 5, done
    assert daemon.uploads and not daemon.uploads[0].whole
    assert daemon.volumes == {} and IMPORT_INSTANCE not in daemon.asked


@pytest.mark.parametrize("fields", [
    {"name": "other"}, {"pool": "default"}, {"project": "work"}])
def test_no_archive_of_another_volume(daemon, anklume, lost, fields):
    """Nor does it send a volume of this host's where it never was."""
    edit(next((anklume.home / "out").glob("web-*.json")),
         lambda told: told["volumes"][0].update(fields))
    done = anklume(*lost)
    assert done.status == 5 and "is not of the volume" in done.err, done
    assert daemon.uploads == [] and daemon.volumes == {}


@pytest.mark.parametrize("name", [
    "../out/ARCHIVE", "/etc/passwd", ".", "", "sub/ARCHIVE"])
def test_a_manifest_leads_nowhere_else(daemon, anklume, lost, name):
    """Names of files come from data that was proven, and are names still."""
    out = anklume.home / "out"
    held = held_in(anklume)
    (out / "sub").mkdir()
    for suffix in ("", ".json"):
        path = held.with_name(held.name + suffix)
        (out / "sub" / path.name).write_bytes(path.read_bytes())
    manifest = next(out.glob("web-*.json"))
    told = json.loads(manifest.read_text())
    told["volumes"][0]["archive"] = name.replace("ARCHIVE", held.name)
    manifest.write_text(json.dumps(told))
    done = anklume(*lost)
    assert done.status == 0, done
    assert "the volume 'default/bt/data' is missing" in done.err
    assert IMPORT not in daemon.asked
