"""Custom volumes that instances have attached: each in an archive of its own,
and back again, alone or before its instance."""

import json
import os
import pathlib
import signal
import time
import uuid

import pytest

import midway
import volumes
from backups import (Backup, asks_for_no_work, create, identity_of_files,
                     leaves_nothing, members_of, restore, sha256_of, wait_for)
from crowds import remove
from midway import END_S

on_six = pytest.mark.parametrize("daemon", ["6"], indirect=True)

# Slower than any test: such a run is under way until it is ended.
NEVER = ("--bwlimit", "1K")
PLAIN = ("--compression", "none")


@pytest.fixture
def make_volume(daemon, request):
    """Make volumes that are gone after the test; unless it is to be filled, they
    have one file."""
    # Asked for first, so that what has them attached goes before them.
    made = []
    request.addfinalizer(lambda: [one.wipe() for one in made])

    def make(project="default", pool="bt", there=True, filled=False, **how):
        one = volumes.Volume(daemon, volumes.new_name(), pool, project)
        made.append(one)
        if there:
            one.make(**how)
        if there and filled:
            volumes.fill(one.path)
        elif there and how.get("content_type") != "block":
            (one.path / "mark").write_text(one.name)
        return one
    return make


@pytest.fixture
def pair(make_volume, make_box):
    """A container that does not run, and a volume that it has attached."""
    def make(project="work", start=False, box_pool="default", **how):
        volume = make_volume(project, **how)
        box = make_box(project=project, start=False, pool=box_pool)
        volume.attach(box, "/srv/data")
        if start:
            box.start()
        return box, volume
    return make


@pytest.fixture
def make_project(daemon):
    """Projects of a test's own, and what is in them."""
    made = []

    def make(**features):
        name = "vp" + uuid.uuid4().hex[:8]
        made.append(name)
        if features:
            daemon.get("/1.0/projects", "POST", {"name": name, "config": {
                "features.images": "false", "features.profiles": "false",
                **features}})
        return name

    yield make
    have = {url.rpartition("/")[2] for url in daemon.get("/1.0/projects")}
    for name in have.intersection(made):
        for url in daemon.get(f"/1.0/instances?project={name}"):
            remove(daemon, name,
                   url.rpartition("/")[2].partition("?")[0])
        for pool in ("default", "bt"):
            for one in daemon.get(f"/1.0/storage-pools/{pool}/volumes/custom"
                                  f"?project={name}"):
                if f"project={name}" in one:
                    daemon.get(one, "DELETE")
        daemon.get(f"/1.0/projects/{name}", "DELETE")


def archives_in(path):
    return sorted(str(one.relative_to(path)) for one in path.rglob("*.tar*")
                  if not one.name.endswith((".json", ".sig")))


def status_of(daemon, *words, status, **run):
    done = daemon.anklume("backup", *words, **run)
    assert done.status == status, done
    return done


# There and back --------------------------------------------------------------

@pytest.mark.parametrize("pool, key", [
    ("bt", ()), ("default", ("--gpg", "tests@example.org"))],
    ids=["bt", "dir-encrypted"])
def test_there_and_back(daemon, pair, gpg_home, tmp_path, pool, key):
    env = {"GNUPGHOME": str(gpg_home)}
    box, volume = pair(pool=pool, filled=True, **{"user.foo": "b\u00e4r"})
    volume.snapshot("early")
    early = identity_of_files(volume.snapshot_path("early"))
    (volume.path / "late").write_bytes(os.urandom(3 << 20))
    box.start()
    # An owner as the container sees it, whatever the machine has.
    box.exec("chown", "33:44", "/srv/data/late")
    box.stop()
    volumes.whole_seconds(volume.path)
    before = identity_of_files(volume.path)

    made = create(daemon, box, tmp_path, *key, env=env)
    held = volume.archive_of(made)
    told = made.manifest
    assert told["volumes"] == [{
        "project": "work", "pool": pool, "name": volume.name,
        "archive": held.path.name, "sha256": sha256_of(
            held.path.read_bytes())}]
    assert told["not_included"] == []
    about = held.manifest
    assert about["type"] == "volume" and "instance" not in about
    assert about["volume"] == volume.text and about["project"] == "work"
    assert about["content_type"] == "filesystem"
    assert about["snapshots"] == ["early"]
    assert about["consistency"] == "stopped"
    assert about["volumes"] == about["not_included"] == []
    assert about["sha256"] == told["volumes"][0]["sha256"]
    assert held.record["volume"] == volume.text
    assert held.path.name.startswith(f"{pool}+{volume.name}-")
    assert held.path.name.endswith(".gpg") == bool(key)

    box.delete()
    volume.delete()
    done = daemon.anklume("backup", "restore", box.name, "--from", tmp_path,
                          env=env)
    assert done.status == 0, done
    assert done.out == f"work/{box.name}\n"
    assert f"restored the volume '{volume}'" in done.err
    assert identity_of_files(volume.path) == before
    assert identity_of_files(volume.snapshot_path("early")) == early
    assert volume.snapshots == ["early"]
    assert volume.about["config"]["user.foo"] == "b\u00e4r"
    box.start()
    assert box.exec("stat", "-c", "%u:%g", "/srv/data/late").out == "33:44\n"


def test_the_log_and_the_list_know_it(daemon, pair, tmp_path):
    box, volume = pair()
    create(daemon, box, tmp_path)
    entries = daemon.anklume("portal", "log", "--json").json()["entries"]
    mine = [one for one in entries
            if {"project": "work", "volume": volume.text} in one["from"]]
    [one] = mine
    assert one["command"] == "backup create" and one["result"] == "done"
    assert one["sha256"] and one["to"][0]["path"].startswith(
        f"{tmp_path}/bt+{volume.name}-")
    assert volume.text in daemon.anklume("portal", "log").out

    remove(daemon, "work", box.name)
    volume.delete()
    done = daemon.anklume("backup", "restore", box.name, "--from", tmp_path)
    assert done.status == 0, done
    entries = daemon.anklume("portal", "log", "--json").json()["entries"]
    assert [one["result"] for one in entries
            if {"project": "work", "volume": volume.text} in one["to"]] == [
        "done"]


# Shared ones, and the morning after ------------------------------------------

@pytest.fixture
def house(daemon, make_project, make_volume, make_box, tmp_path):
    """Two projects: one that has volumes of its own, one that shares those of
    `default`; two instances in each, all four with a volume."""
    class House:
        """What it holds."""
        path = tmp_path / "store"
        own = make_project(**{"features.storage.volumes": "true"})
        sharing = make_project(**{"features.storage.volumes": "false"})
        words = (f"{own}/*", f"{sharing}/*")

        def __init__(self):
            self.mine = make_volume(self.own)
            self.common = make_volume("default", pool="default")
            self.boxes = [make_box(name, project, start=False)
                          for project in (self.own, self.sharing)
                          for name in ("db", "web")]
            for box in self.boxes:
                (self.mine if box.project == self.own else self.common).attach(
                    box, "/srv/data")
            volumes.attach(self.boxes[0], "etc", {
                "type": "disk", "source": "/etc", "path": "/host"})

        def lose(self):
            for box in self.boxes:
                remove(daemon, box.project, box.name)
            self.mine.delete()
            self.common.delete()

        def instance(self, box):
            [path] = [one for one in (self.path / box.project).glob(
                f"{box.name}-*.tar*") if not one.name.endswith(".json")]
            return Backup(path)
    return House()


def rows_of(result):
    return [(one["project"], one.get("volume") or one["instance"])
            for one in result]


def test_a_night_and_a_morning(daemon, house):
    if daemon.version == "7":
        (house.common.path / "sub").mkdir()
        house.common.attach(house.boxes[3], "/srv/sub", "sub", "/sub")
    made = daemon.anklume("--json", "backup", "create", *house.words, "-o",
                          house.path)
    assert made.status == 0, made
    rows = made.json()["backups"]
    expected = [(box.project, box.name) for box in house.boxes]
    # Exported once, and before those that have it.
    assert sorted(rows_of(rows)[:2]) == sorted(
        [(house.own, house.mine.text), ("default", house.common.text)])
    assert sorted(rows_of(rows)[2:]) == sorted(expected)
    assert len(archives_in(house.path)) == 6
    for box in house.boxes:
        volume = house.mine if box.project == house.own else house.common
        told = house.instance(box).manifest
        held = volume.archive_of(house.instance(box))
        assert told["volumes"] == [{
            "project": volume.project, "pool": volume.pool,
            "name": volume.name, "archive": held.path.name,
            "sha256": held.manifest["sha256"]}]
        assert told["not_included"] == ([{
            "device": "etc", "kind": "host path", "source": "/etc"}]
            if box is house.boxes[0] else [])
    assert "host path '/etc' (device 'etc')" in made.err
    assert "not included: volume" not in made.err

    words = ("--json", "backup", "restore", "--all", "--from", house.path)
    again = daemon.anklume(*words)
    assert {one["plan"] for one in again.json()["instances"]} == {"exists"}
    assert again.status == 0, again

    house.lose()
    daemon.get(f"/1.0/projects/{house.own}", "DELETE")
    daemon.get(f"/1.0/projects/{house.sharing}", "DELETE")
    dry = daemon.anklume(*words, "-n", "--create-missing")
    assert dry.status == 0, dry
    plan = dry.json()["instances"]
    assert all("volume" in one for one in plan[:2])
    assert all("instance" in one for one in plan[2:])
    assert {one["plan"] for one in plan} == {"restore"}
    assert not house.common.there

    done = daemon.anklume(*words, "--create-missing")
    assert done.status == 0, done
    assert rows_of(done.json()["instances"]) == rows_of(plan)
    assert [one["status"] for one in done.json()["instances"]] == [0] * 6
    for volume in (house.mine, house.common):
        assert (volume.path / "mark").read_text() == volume.name
    features = {name: daemon.get(f"/1.0/projects/{name}")["config"][
        "features.storage.volumes"] for name in (house.own, house.sharing)}
    assert features == {house.own: "true", house.sharing: "false"}
    house.boxes[3].start()
    assert house.boxes[3].read("/srv/data/mark").decode() == \
        house.common.name


def test_a_morning_that_goes_on(daemon, house):
    """What is there is skipped; one instance brings its volume from the place
    that a run over many has given it."""
    status_of(daemon, "create", *house.words, "-o", house.path, status=0)
    house.lose()
    box = house.boxes[3]
    done = restore(daemon, house.instance(box))
    assert done.status == 0, done
    assert f"restored the volume '{house.common}'" in done.err
    (house.common.path / "mark").write_text("newer")

    done = daemon.anklume("--json", "backup", "restore", "--all", "--from",
                          house.path)
    assert done.status == 0, done
    plans = {(one["project"], one.get("volume") or one["instance"]):
             one["plan"] for one in done.json()["instances"]}
    assert [place for place, plan in plans.items() if plan == "exists"] == [
        ("default", house.common.text), (box.project, box.name)]
    assert list(plans.values()).count("restore") == 4
    assert (house.common.path / "mark").read_text() == "newer"
    assert (house.mine.path / "mark").read_text() == house.mine.name


def test_one_volume_that_cannot_be_read(daemon, house):
    """The others are made; its row and the instances' manifests say so."""
    (house.mine.path / "bulk").write_bytes(os.urandom(1 << 20))
    lock = daemon.spawn("-q", "backup", "create", str(house.boxes[0]), "-o",
                        house.path.with_name("other"), *NEVER)
    try:
        wait_for(lambda: list(pathlib.Path("/var/lib/anklume/lock").glob(
            f"backup-*{house.mine.name}")), "a lock")
        done = daemon.anklume("--json", "backup", "create", *house.words,
                              "-o", house.path)
        assert done.status == 3, done
        # And a run over one instance meets it, too.
        alone = status_of(daemon, "create", str(house.boxes[1]), "-o",
                          house.path.with_name("third"), status=11)
    finally:
        lock.kill()
        lock.communicate(timeout=END_S)
    assert "--lock-wait" in alone.err and "--volumes none" in alone.err
    assert archives_in(house.path.with_name("third")) == []
    status = {tuple(row): one["status"] for row, one in zip(
        rows_of(done.json()["backups"]), done.json()["backups"])}
    assert status[house.own, house.mine.text] == 11
    assert status["default", house.common.text] == 0
    assert status[house.own, "db"] == 11, "locked itself"
    assert status[house.own, "web"] == 0
    told = house.instance(house.boxes[1]).manifest
    assert told["volumes"] == [{"project": house.own, "pool": "bt",
                                "name": house.mine.name}]
    assert told["not_included"] == [{
        "device": "data", "kind": "volume", "source": house.mine.name,
        "pool": "bt"}]
    assert f"not included: volume '{house.mine.name}'" in done.err


# What is left out ------------------------------------------------------------

def test_without_volumes(daemon, pair, tmp_path):
    box, volume = pair()
    conf = tmp_path / "conf"
    conf.write_text("[backup]\nvolumes = none\n")
    env = {"ANKLUME_CONFIG": str(conf)}
    for number, (words, run, count) in enumerate([
            (["--volumes", "none"], {}, 1), ([], {"env": env}, 1),
            (["--volumes", "attached"], {"env": env}, 2)]):
        out = tmp_path / str(number)
        done = status_of(daemon, "create", str(box), "-o", out, *words,
                         status=0, **run)
        assert len(archives_in(out)) == count
        told = Backup(pathlib.Path(done.out.rstrip("\n"))).manifest
        assert ("sha256" in told["volumes"][0]) == (count == 2)
        assert [one["source"] for one in told["not_included"]] == (
            [] if count == 2 else [volume.name])
        assert (f"not included: volume '{volume.name}'" in done.err) == (
            count == 1)
    many = tmp_path / "many"
    status_of(daemon, "create", f"work/{box.name[:-1]}*", "-o", many,
              "--volumes", "none", status=0)
    assert len(archives_in(many)) == 1
    status_of(daemon, "create", str(box), "-o", many, "--volumes", "all",
              status=2)


def test_to_standard_output(daemon, pair, tmp_path):
    box, volume = pair()
    done = daemon.anklume("backup", "create", str(box), "-o", "-", *PLAIN)
    assert done.status == 0, done
    (tmp_path / "it.tar").write_bytes(done.raw)
    assert "backup/container/rootfs" in members_of(tmp_path / "it.tar")
    assert f"not included: volume '{volume.name}'" in done.err
    with asks_for_no_work(daemon):
        done = status_of(daemon, "create", str(box), "-o", "-", "--volumes",
                         "attached", status=2)
    assert done.out == ""


def test_no_snapshots_a_dry_run_and_once_more(daemon, pair, tmp_path):
    box, volume = pair()
    volume.snapshot("s0")
    done = status_of(daemon, "create", str(box), "-o", tmp_path / "dry", "-n",
                     status=0)
    assert f"would back up '{volume}' to '{tmp_path}/dry/bt+" in done.err
    assert not (tmp_path / "dry").exists()
    done = status_of(daemon, "create", f"work/{box.name[:-1]}*", "-n", "-o",
                     tmp_path / "dry", status=0)
    assert f"would back up '{volume}' to" in done.err
    assert not (tmp_path / "dry").exists()

    made = daemon.anklume("--json", "backup", "create", str(box), "-o",
                          tmp_path, "--instance-only", *PLAIN)
    assert made.status == 0, made
    first = Backup(pathlib.Path(made.json()["path"]))
    assert made.json()["manifest"] == first.manifest
    held = volume.archive_of(first)
    assert held.manifest["snapshots"] == []
    assert held.manifest["instance_only"] is True
    assert not [one for one in members_of(held.path) if "s0" in one]

    # Over what has its name: refused before anything is done.
    for _ in range(20):
        name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        target = tmp_path / "again" / f"bt+{volume.name}-{name}.tar"
        target.parent.mkdir(exist_ok=True)
        for one in target.parent.iterdir():
            one.unlink()
        for ahead in range(4):
            stamp = time.strftime("%Y%m%d-%H%M%S",
                                  time.gmtime(time.time() + ahead))
            target.with_name(f"bt+{volume.name}-{stamp}.tar").write_text("x")
        done = daemon.anklume("backup", "create", str(box), "-o",
                              target.parent, *PLAIN)
        if done.status == 8:
            break
    assert done.status == 8 and "--force" in done.err, done
    assert not list(target.parent.glob(f"{box.name}-*"))
    done = daemon.anklume("backup", "create", str(box), "-o", target.parent,
                          "--force", *PLAIN)
    assert done.status == 0, done


# A volume alone --------------------------------------------------------------

@pytest.fixture
def alone(pair, daemon, tmp_path):
    """A volume's archive; what had it attached is gone."""
    def make(*options, **how):
        box, volume = pair(**how)
        made = create(daemon, box, tmp_path, *(options or PLAIN))
        remove(daemon, box.project, box.name)
        return volume, volume.archive_of(made)
    return make


def test_under_another_name_elsewhere(daemon, alone, make_volume):
    volume, held = alone()
    mark = volume.name
    other = make_volume("home", pool="default", there=False)
    done = daemon.anklume("--json", "backup", "restore", held, "--name",
                          other.name, "-s", "default", "--project", "home")
    assert done.status == 0, done
    told = done.json()
    assert (told["project"], told["volume"], told["origin"]) == (
        "home", other.text, "this host")
    assert "instance" not in told
    assert (other.path / "mark").read_text() == mark
    assert (volume.path / "mark").read_text() == mark

    # And by its word, where it was.
    volume.delete()
    done = status_of(daemon, "restore", str(volume), "--from",
                     held.path.parent, status=0)
    assert done.out == f"{volume}\n"
    assert (volume.path / "mark").read_text() == mark


def test_one_that_exists_is_never_replaced(daemon, alone):
    volume, held = alone()
    (volume.path / "mark").write_text("newer")
    with leaves_nothing(daemon), asks_for_no_work(daemon):
        for words in ([], ["--force"], ["--force", "--yes"]):
            done = status_of(daemon, "restore", held, *words, status=8)
            assert f"'{volume}' exists already" in done.err
            assert "--name" in done.err
        assert "does not replace a volume" in done.err
        status_of(daemon, "restore", held, "--start", status=2)
    assert (volume.path / "mark").read_text() == "newer"


def test_where_it_should_go_is_missing(daemon, alone, make_project):
    volume, held = alone()
    volume.delete()
    project = make_project()
    with leaves_nothing(daemon), asks_for_no_work(daemon):
        done = status_of(daemon, "restore", held, "-s", "nosuch", status=6)
        assert "pool 'nosuch'" in done.err
        done = status_of(daemon, "restore", held, "--project", project,
                         status=6)
        assert f"project '{project}'" in done.err
        assert "--create-missing" in done.err
    status_of(daemon, "restore", held, "--project", project,
              "--create-missing", status=0)
    moved = volumes.Volume(daemon, volume.name, "bt", project)
    assert moved.there and moved.about["project"] == project
    config = daemon.get(f"/1.0/projects/{project}")["config"]
    assert config["features.storage.volumes"] == "true"
    assert not volume.there


def test_a_project_that_shares_those_of_default(daemon, alone, make_project,
                                                make_volume):
    _, held = alone()
    project = make_project(**{"features.storage.volumes": "false"})
    other = make_volume("default", there=False)
    done = status_of(daemon, "restore", held, "--project", project, "--name",
                     other.name, status=0)
    assert done.out == f"{other}\n"
    assert other.there
    status_of(daemon, "restore", held, "--project", project, "--name",
              other.name, status=8)


def test_of_unknown_origin(daemon, alone, tmp_path):
    volume, held = alone()
    volume.delete()
    held.forget()
    with leaves_nothing(daemon), asks_for_no_work(daemon):
        done = status_of(daemon, "restore", held, status=2)
        assert f"--name {volume.name}" in done.err
        done = status_of(daemon, "restore", held, "--name", volume.name,
                         status=2)
        assert "--project work" in done.err
        done = status_of(daemon, "restore", held, "--project", "work",
                         "--name", "a/b", status=2)
    done = daemon.anklume("--json", "backup", "restore", held, "--name",
                          volume.name, "--project", "work")
    assert done.status == 0, done
    assert done.json()["origin"] == "unknown"
    volume.delete()
    odd = held.path.rename(tmp_path / "odd")
    status_of(daemon, "restore", odd, "--project", "work", status=2)


def test_keys_that_reach_for_the_host(daemon, alone):
    volume, held = alone(**{"security.unmapped": "true"})
    volume.delete()
    status_of(daemon, "restore", held, status=0)
    assert volume.about["config"]["security.unmapped"] == "true"
    volume.delete()
    held.forget()
    words = (held, "--name", volume.name, "--project", "work")
    with leaves_nothing(daemon), asks_for_no_work(daemon):
        done = status_of(daemon, "restore", *words, status=14)
    assert "--allow security.unmapped" in done.err
    status_of(daemon, "restore", *words, "--allow", "security.unmapped",
              status=0)
    assert volume.about["config"]["security.unmapped"] == "true"


def test_a_damaged_archive_makes_nothing(daemon, alone):
    volume, held = alone("--compression", "gzip", filled=True)
    volume.delete()
    whole = held.path.read_bytes()
    middle = len(whole) // 2
    with leaves_nothing(daemon):
        for data in (whole[:-1], whole[:middle], whole + b"\0",
                     whole[:middle] + bytes([whole[middle] ^ 1])
                     + whole[middle + 1:]):
            held.path.write_bytes(data)
            status_of(daemon, "restore", held, status=5)
            status_of(daemon, "restore", held, "--name", volume.name,
                      "--project", "work", "--allow-unsafe", status=5)


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_ended_while_it_is_uploaded(daemon, alone, number, status):
    volume, held = alone(size="64MiB")
    volume.delete()
    data = held.path.read_bytes()
    # Something that does not fit into buffers, behind what was read so far.
    words = ("--name", volume.name, "--project", "work")
    with leaves_nothing(daemon):
        with midway.restore(daemon, data, *words) as child:
            child.send_signal(number)
            assert child.wait(END_S) == status


def test_a_disk(daemon, make_volume, tmp_path):
    """As Incus itself exports one; no container can have it attached."""
    volume = make_volume(pool="default", content_type="block",
                         size="4MiB")
    disk = volume.path / "root.img"
    data = os.urandom(1 << 20) + bytes(2 << 20) + os.urandom(1 << 20)
    disk.write_bytes(data)
    volume.snapshot("s0")
    path = tmp_path / "disk.tar"
    path.write_bytes(volume.exported())
    volume.delete()
    status_of(daemon, "restore", path, "--name", volume.name, "--project",
              "default", status=0)
    assert volume.about["content_type"] == "block"
    assert volume.snapshots == ["s0"]
    assert disk.read_bytes() == data


def test_an_optimized_archive(daemon, make_volume, tmp_path):
    volume = make_volume()
    path = tmp_path / "it.tar"
    path.write_bytes(volume.exported(optimized=True))
    volume.delete()
    words = (path, "--name", volume.name, "--project", "default")
    with leaves_nothing(daemon), asks_for_no_work(daemon):
        done = status_of(daemon, "restore", *words, status=14)
        assert "--allow-unsafe" in done.err
        status_of(daemon, "restore", *words, "--allow-unsafe", "-s", "default",
                  status=8)
    status_of(daemon, "restore", *words, "--allow-unsafe", status=0)
    assert (volume.path / "mark").read_text() == volume.name


# Before its instance ---------------------------------------------------------

@pytest.fixture
def lost(daemon, pair, tmp_path):
    """The archives of an instance and its volume, and neither of them."""
    def make(**how):
        box, volume = pair(**how)
        made = create(daemon, box, tmp_path, *PLAIN)
        remove(daemon, "work", box.name)
        volume.delete()
        return box, volume, made
    return make


def test_a_volume_that_is_there_is_left_alone(daemon, pair, tmp_path):
    box, volume = pair()
    made = create(daemon, box, tmp_path)
    remove(daemon, "work", box.name)
    (volume.path / "mark").write_text("newer")
    volume.archive_of(made).path.unlink()
    done = restore(daemon, made)
    assert done.status == 0 and "restored the volume" not in done.err, done
    assert (volume.path / "mark").read_text() == "newer"


def check_refused(daemon, box, volume, made, why):
    with leaves_nothing(daemon), asks_for_no_work(daemon):
        done = restore(daemon, made)
    assert done.status == 6, done
    assert f"missing: volume '{volume.name}'" in done.err
    assert f"the volume '{volume}' is missing" in done.err
    assert why in done.err
    assert not volume.there and not daemon.exists(box.name, "work")


def test_its_archive_is_gone_or_a_strangers(daemon, lost):
    box, volume, made = lost()
    held = volume.archive_of(made)
    kept = held.record
    held.record_path.unlink()
    check_refused(daemon, box, volume, made, "unknown origin")

    held.record_path.write_text(json.dumps(kept))
    done = daemon.anklume("backup", "restore", made, "-n")
    assert done.status == 0, done
    assert f"would restore the volume '{volume}'" in done.err
    assert not volume.there and not daemon.exists(box.name, "work")
    held.path.rename(held.path.with_name("aside"))
    check_refused(daemon, box, volume, made, "is not there")


def test_its_archive_is_another(daemon, lost, pair, tmp_path):
    """Also a valid one of this host's, of whatever else."""
    box, volume, made = lost()
    held = volume.archive_of(made)
    (tmp_path / "other").mkdir()
    other_box, other = pair()
    foreign = other.archive_of(create(daemon, other_box, tmp_path / "other",
                                      *PLAIN))
    for gone in (False, True):
        if gone:
            remove(daemon, "work", other_box.name)
            other.delete()
        for with_manifest in (False, True):
            held.path.write_bytes(foreign.path.read_bytes())
            if with_manifest:
                held.manifest_path.write_bytes(
                    foreign.manifest_path.read_bytes())
            done = restore(daemon, made)
            assert done.status == 5, (gone, with_manifest, done)
            assert not volume.there and other.there is not gone
            assert not daemon.exists(box.name, "work")


def test_its_archive_is_damaged(daemon, lost):
    box, volume, made = lost()
    held = volume.archive_of(made)
    data = bytearray(held.path.read_bytes())
    data[data.rindex(volume.name.encode())] ^= 1
    held.path.write_bytes(data)
    with leaves_nothing(daemon):
        done = restore(daemon, made)
    assert done.status == 5 and held.path.name in done.err, done
    assert not daemon.exists(box.name, "work")


def test_a_failure_behind_the_volume_leaves_it(daemon, lost):
    """It is whole, and the next run finds it."""
    box, volume, made = lost()
    whole = made.path.read_bytes()
    data = bytearray(whole)
    data[-30000] ^= 1
    made.path.write_bytes(data)
    done = restore(daemon, made)
    assert done.status == 5, done
    assert not daemon.exists(box.name, "work")
    assert (volume.path / "mark").read_text() == volume.name
    made.path.write_bytes(whole)
    assert restore(daemon, made).status == 0


# The spool -------------------------------------------------------------------

@on_six
@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_while_it_is_fetched(daemon, pair, tmp_path, number,
                                         status):
    box, volume = pair()
    before = daemon.spool
    child = daemon.spawn("-q", "backup", "create", str(box), "-o",
                         tmp_path / "o", *NEVER)
    wait_for(lambda: volume.exports, "an export")
    child.send_signal(number)
    _, err = child.communicate(timeout=END_S)
    assert child.returncode == status, err
    wait_for(lambda: not volume.exports, "no export")
    assert daemon.spool == before
    assert archives_in(tmp_path) == []


@on_six
def test_spooled_exports_are_gone_after_all(daemon, pair, tmp_path):
    box, volume = pair()
    before = daemon.spool
    create(daemon, box, tmp_path)
    assert volume.exports == [] and daemon.spool == before


@on_six
def test_doctor_finds_the_export_of_a_killed_run(daemon, pair, tmp_path):
    box, volume = pair()
    child = daemon.spawn("-q", "backup", "create", str(box), "-o",
                         tmp_path / "o", *NEVER)
    [name] = wait_for(lambda: volume.exports, "an export")

    def about(*words):
        found = daemon.anklume("doctor", "--json", *words).json()["findings"]
        return [(one["level"], one["text"]) for one in found
                if one["id"] == "leftover-export" and volume.name in
                one["text"]]
    assert about("--fix") == [] and volume.exports == [name]
    child.kill()
    child.communicate(timeout=END_S)
    [(level, text)] = about()
    assert level == "problem" and f"'{name}' of '{volume}'" in text
    assert volume.exports == [name]
    [(level, text)] = about("--fix")
    assert level == "fixed", text
    assert volume.exports == []


# Consistency -----------------------------------------------------------------

CHURN = """
big=$(head -c 3000000 /dev/zero | tr '\\000' x)
while :; do
    for i in 1 2 3 4 5 6 7 8; do echo "$big" > /srv/data/churn-$i; done
    for i in 8 7 6 5 4 3 2 1; do : > /srv/data/churn-$i; done
done
"""
TRIES = 200


def running(daemon, box):
    return daemon.get(f"/1.0/instances/{box.name}?project={box.project}")[
        "status"]


def test_a_file_that_shrinks(daemon, pair, tmp_path):
    box, volume = pair(start=True, pool="default", box_pool="bt")
    with box.at_work(CHURN):
        for i in range(TRIES):
            made = daemon.anklume("backup", "create", str(box), "-o",
                                  tmp_path / str(i), *PLAIN)
            assert made.status == 0, made
            if "once more" in made.err:
                break
    print(f"the daemon stumbled at try {i + 1}")
    assert "was frozen for" in made.err, made
    assert running(daemon, box) == "Running"
    held = volume.archive_of(Backup(pathlib.Path(made.out.rstrip("\n"))))
    assert held.manifest["consistency"] == "frozen"


def test_frozen_for_its_volume(daemon, pair, tmp_path):
    box, volume = pair(start=True, pool="default")
    live = volume.archive_of(create(daemon, box, tmp_path / "live"))
    assert live.manifest["consistency"] == "live"
    made = create(daemon, box, tmp_path / "frozen", "--consistency", "freeze")
    for told in (made.manifest, volume.archive_of(made).manifest):
        assert told["consistency"] == "frozen" and told["frozen_ms"] > 0
        assert not [one for one in told["warnings"] if "could change" in one]
    assert running(daemon, box) == "Running"


@pytest.mark.parametrize("pool, word", [("default", "live"),
                                        ("bt", "snapshot")])
def test_shared_by_two_that_run(daemon, pair, make_box, tmp_path, pool, word):
    """None of them is frozen for it."""
    box, volume = pair(start=True, pool=pool)
    other = make_box(project="work", start=False)
    volume.attach(other, "/srv/data")
    other.start()
    made = create(daemon, box, tmp_path, "--consistency", "freeze")
    told = volume.archive_of(made).manifest
    assert told["consistency"] == word and told["frozen_ms"] == 0
    assert bool([one for one in told["warnings"]
                 if "the volume was in use" in one]) == (word == "live")
    assert made.manifest["consistency"] == "frozen"
    assert running(daemon, other) == running(daemon, box) == "Running"
