"""`doctor`: each finding where there is something to find, and not where there
is not; whatever the daemon tells, the run goes on."""

import datetime
import fcntl
import json
import os
import shutil
import signal
import subprocess

import pytest

from scripted import error, failed, http, sync

NAME = "anklume-" + "ab12" * 4
DRILL = "anklume-drill-" + "c0ffee" * 2
LEVELS = {"ok", "fixed", "note", "unknown", "problem"}


def ago(**span):
    """A time as the daemon tells it."""
    when = datetime.datetime.now(datetime.timezone.utc) - \
        datetime.timedelta(**span)
    return when.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")


class Report:
    """What a run has found, by id."""

    def __init__(self, result):
        self.status, self.err = result.status, result.err
        self.found = {}
        told = result.json()
        assert told["command"] == "doctor" and told["status"] == self.status
        for finding in told["findings"]:
            assert set(finding) == {"id", "level", "text", "hint"}
            assert finding["level"] in LEVELS
            self.found.setdefault(finding["id"], []).append(finding)
        problems = [one for all_ in self.found.values() for one in all_
                    if one["level"] == "problem"]
        assert self.status == (3 if problems else 0), (self.status, problems)
        assert f"problems found: {len(problems)}" in self.err or not problems

    def levels(self, name):
        return [one["level"] for one in self.found.get(name, [])]

    def one(self, name):
        (finding,) = self.found[name]
        return finding


@pytest.fixture
def doctor(anklume):
    def look(*words):
        return Report(anklume("doctor", "--json", *words))

    return look


@pytest.fixture
def config(anklume):
    """The runs have a configuration of their own."""
    path = anklume.home / "state" / "conf"
    anklume.environment["ANKLUME_CONFIG"] = str(path)

    def write(text):
        path.write_text(text)
        return path

    write("")
    return write


@pytest.fixture
def output(anklume, config):
    """A configured directory of archives."""
    place = anklume.home / "state" / "archives"
    place.mkdir()
    config(f"[backup]\noutput = {place}\n")
    return place


@pytest.fixture
def spool(daemon):
    """The daemon's, beside its socket."""
    place = os.path.join(os.path.dirname(daemon.path), "backups")
    os.mkdir(place)
    return place


# The run as a whole.

def test_nothing_is_wrong(doctor, spool):
    report = doctor()
    assert report.status == 0, report.found
    for name in ("config", "daemon", "daemon-version", "direct-export",
                 "clock", "gpg", "keyring", "audit", "output",
                 "project-restrictions",
                 "leftover-export", "leftover-drill", "leftover-instance"):
        assert report.levels(name) == ["ok"], (name, report.found)


def test_what_a_person_sees(daemon, anklume, spool):
    daemon.projects["work"] = {"restricted": "true"}
    result = anklume("doctor")
    assert result.status == 0, result
    lines = result.out.splitlines()
    at = [i for i, line in enumerate(lines)
          if line.startswith("note: projects that forbid backups")]
    assert lines[at[0]].endswith(": 'work' (project-restrictions)")
    assert lines[at[0] + 1] == \
        "  incus project set work restricted.backups=allow"
    assert lines[-1].startswith("fine: ") and "(daemon)" not in result.out
    assert "fine: Incus is 6.0.4 (daemon-version)" in anklume(
        "doctor", "-v").out
    assert "note:" not in anklume("doctor", "-q").out


def test_a_daemon_that_is_not_there(doctor, daemon):
    daemon.stop()
    report = doctor()
    assert report.levels("daemon") == ["problem"]
    assert report.one("daemon")["hint"] == "systemctl start incus"
    assert report.levels("gpg") == ["ok"]
    assert report.levels("audit") == ["ok"]
    assert report.levels("spool-room") == []
    assert "'spool-room'" in report.one("not-checked")["text"]
    assert report.levels("not-checked") == ["unknown"]
    daemon.stop = lambda: None


def test_a_daemon_that_goes_silent(doctor, daemon, spool):
    daemon.stall("GET /1.0/storage-pools")
    report = doctor("--timeout", "1")
    assert report.levels("pool-drivers") == ["unknown"]
    # No further check waits for it.
    assert report.levels("not-checked") == ["unknown"]
    assert "GET /1.0/projects" not in daemon.asked
    assert report.levels("gpg") == ["ok"]


def test_one_that_answers_nonsense(doctor, daemon, spool):
    for words in ("GET /1.0/storage-pools", "GET /1.0/projects",
                  "GET /1.0/instances", "GET /1.0/instances/web/backups"):
        daemon.on(words, http(b'{"type": "sync", "metadata": {"a": [7]}}'))
    report = doctor()
    assert report.status == 0, report.found
    daemon.on("GET /1.0/projects", http(b"\x1b[31m{"))
    report = doctor()
    assert report.levels("project-restrictions") == ["unknown"]
    daemon.on("GET /1.0", http(b"[]"))
    assert doctor().levels("daemon") == ["problem"]


def test_what_it_tells_is_escaped(anklume, daemon, spool):
    daemon.projects = {"a\x1b[2Jb\n;c": {"restricted": "true"}}
    daemon.about["environment"]["server_version"] = "6.\x1b[0m"
    out = anklume("doctor", "-v").out
    assert "\x1b" not in out and r"a\x1b[2Jb\n;c" in out


def test_an_interruption_ends_it(anklume, daemon, spool):
    def bent(x):
        anklume.kill(signal.SIGINT)
        x.hold()

    daemon.on("GET /1.0/projects", bent)
    result = anklume("doctor")
    assert result.status == 130, result


def test_a_list_without_an_end_is_cut(doctor, daemon, spool):
    daemon.pools = {f"pool-{i:04}": "dir" for i in range(500)}
    text = doctor().one("pool-drivers")["text"]
    assert len(text) < 1000 and text.endswith(", ...")


# The daemon.

@pytest.mark.parametrize("version, level", [
    ("6.0.4", "ok"), ("7.1", "ok"), ("10.0", "ok"), ("5.21", "problem"),
    ("0.7", "problem"), ("", "unknown"), ("x.y", "unknown")])
def test_its_version(doctor, daemon, version, level):
    daemon.about["environment"]["server_version"] = version
    assert doctor().levels("daemon-version") == [level]


@pytest.mark.parametrize("direct, level", [(True, "ok"), (False, "note")])
def test_exports_that_are_spooled(doctor, daemon, direct, level):
    daemon.direct = direct
    assert doctor().levels("direct-export") == [level]


GIB = 1 << 30


@pytest.mark.parametrize("free, total, level", [
    (GIB, 10 * GIB, "ok"), (GIB - 1, 10 * GIB, "problem"),
    (50 * GIB, 1000 * GIB, "ok"), (49 * GIB, 1000 * GIB, "problem"),
    (0, 0, "unknown"), (5, 1, "unknown")])
def test_room_of_its_volume(doctor, daemon, free, total, level):
    daemon.about["config"] = {"storage.backups_volume": "fast/spool"}
    daemon.pools["fast"] = "zfs"
    daemon.space = {"total": total, "used": total - free}
    report = doctor()
    assert report.levels("spool-room") == [level]
    if level == "problem":
        assert "'fast/spool'" in report.one("spool-room")["text"]
        assert report.one("spool-room")["hint"] == \
            "incus config set storage.backups_volume POOL/VOLUME"


def test_a_volume_in_no_pool(doctor, daemon):
    daemon.about["config"] = {"storage.backups_volume": "../x"}
    assert doctor().levels("spool-room") == ["unknown"]


def test_room_of_its_directory(doctor, spool):
    free = shutil.disk_usage(spool)
    report = doctor()
    little = free.free < max(GIB, free.total // 20)
    if report.levels("spool-room") != ["problem" if little else "ok"]:
        assert abs(free.free - free.total // 20) < GIB
    assert f"'{spool}'" in report.one("spool-room")["text"]


def test_a_small_disk(doctor, spool):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8M", "none",
                       spool], check=False, capture_output=True).returncode:
        pytest.skip("no right to mount")
    try:
        report = doctor()
    finally:
        subprocess.run(["umount", spool], check=True)
    assert report.levels("spool-room") == ["problem"]
    assert "8.0 MiB" in report.one("spool-room")["text"]
    # In memory: no disk of its own.
    assert report.levels("spool-encryption") == []


def test_a_spool_that_cannot_be_seen(doctor, daemon):
    if os.path.exists("/var/lib/incus/backups"):
        pytest.skip("this machine has one")
    daemon.direct = False
    report = doctor()
    assert report.levels("spool-room") == ["unknown"]
    assert report.levels("spool-encryption") == ["unknown"]
    daemon.direct = True
    assert doctor().levels("spool-encryption") == []


@pytest.mark.parametrize("driver, level", [
    ("dir", "note"), ("lvm", "note"), ("lvmcluster", "note"),
    ("btrfs", "ok"), ("zfs", "ok"), ("ceph", "ok")])
def test_drivers_of_its_pools(doctor, daemon, driver, level):
    daemon.pools = {"one": "zfs", "two": driver}
    report = doctor()
    assert report.levels("pool-drivers") == [level]
    assert ("'two'" in report.one("pool-drivers")["text"]) == \
        (level == "note")
    assert "'one'" not in report.one("pool-drivers")["text"]


@pytest.mark.parametrize("restrictions, level", [
    ({}, "ok"), ({"restricted": "false"}, "ok"),
    ({"restricted": "true"}, "note"),
    ({"restricted": "1", "restricted.backups": "block"}, "note"),
    ({"restricted": "true", "restricted.backups": "allow"}, "ok")])
def test_projects_that_forbid_backups(doctor, daemon, restrictions, level):
    daemon.projects["it's"] = restrictions
    report = doctor()
    assert report.levels("project-restrictions") == [level]
    if level == "note":
        assert report.one("project-restrictions")["hint"] == \
            "incus project set 'it'\\''s' restricted.backups=allow"


# This host.

def test_a_configuration_with_a_mistake(doctor, config):
    config("[backup]\nouput = /x\n")
    report = doctor()
    assert report.levels("config") == ["problem"]
    assert ":2:" in report.one("config")["text"]
    assert report.levels("gpg") == ["ok"]


def test_a_policy(doctor, anklume):
    assert doctor().levels("policy") == ["note"]
    path = anklume.home / "state" / "policy"
    anklume.environment["ANKLUME_POLICY"] = str(path)
    assert doctor().levels("policy") == ["problem"]
    path.write_text("allow @any @any\n")
    assert doctor().levels("policy") == ["ok"]
    path.write_text("allow @any\n")
    report = doctor()
    assert report.levels("policy") == ["problem"]


def test_a_dry_run_makes_nothing(doctor, anklume):
    assert doctor("-n").levels("audit") == ["unknown"]
    assert not (anklume.home / "state" / "anklume").exists()
    if os.geteuid() != 0:
        doctor()
        assert doctor("-n").levels("audit") == ["ok"]


def test_an_output_that_is_missing(doctor, output):
    assert doctor().levels("output") == ["ok"]
    output.rmdir()
    assert doctor().levels("output") == ["problem"]


def test_a_disk_that_is_not_mounted(doctor, config, output):
    config(f"[backup]\noutput = {output}\nrequire-mount = {output}\n")
    report = doctor()
    assert report.levels("output-mount") == ["problem"]
    assert report.one("output-mount")["hint"] == f"mount {output}"
    config(f"[backup]\noutput = {output}\nrequire-mount = /proc\n")
    assert doctor().levels("output-mount") == ["ok"]


@pytest.mark.parametrize("base, level", [("/srv", "note"), ("/opt", "ok")])
def test_an_output_on_the_root_disk(doctor, config, base, level):
    place = f"{base}/anklume-test-{os.getpid()}"
    if os.stat(base).st_dev != os.stat("/").st_dev:
        pytest.skip(f"{base} is a disk of its own")
    try:
        os.mkdir(place)
    except PermissionError:
        pytest.skip(f"no right to write in {base}")
    try:
        config(f"[backup]\noutput = {place}\n")
        report = doctor()
        assert report.levels("output-on-root") == [level]
        if level == "note":
            assert report.one("output-on-root")["hint"] == \
                f"require-mount = {place}"
        config(f"[backup]\noutput = {place}\nrequire-mount = /\n")
        assert doctor().levels("output-on-root") == []
    finally:
        os.rmdir(place)


@pytest.mark.parametrize("hours, level", [(-1, "problem"), (1, "ok")])
def test_archives_from_the_future(doctor, output, hours, level):
    for name, when in (("a", {"days": 400}), ("b", {"hours": hours})):
        (output / f"{name}.tar").write_bytes(b"")
        (output / f"{name}.tar.json").write_text(json.dumps({
            "format": 1, "instance": "a", "project": "default",
            "created_at": ago(**when)[:19] + "Z", "size_bytes": 0,
            "sha256": "0" * 64}))
    report = doctor()
    assert report.levels("archive-times") == [level]
    if level == "problem":
        assert "b.tar" in report.one("archive-times")["text"]


# gpg and keys.

def keyring(anklume, home):
    """A keyring for the runs; its own gpg."""
    home.mkdir(mode=0o700)
    anklume.environment["GNUPGHOME"] = str(home)

    def gpg(*words, stdin=b""):
        return subprocess.run(
            ["gpg", "--batch", "--yes", "--pinentry-mode", "loopback",
             "--passphrase", "", *words], input=stdin, check=True,
            capture_output=True,
            env={**os.environ, "GNUPGHOME": str(home)}).stdout

    return gpg


@pytest.fixture
def gpg(anklume, tmp_path):
    if shutil.which("gpg") is None:
        pytest.skip("no gpg")
    home = tmp_path / "keys"
    yield keyring(anklume, home)
    subprocess.run(["gpgconf", "--kill", "all"], check=False,
                   env={**os.environ, "GNUPGHOME": str(home)})


def make_key(gpg, name, expires="never", usage="default"):
    algorithm = "ed25519" if usage == "sign" else "future-default"
    gpg("--quick-gen-key", f"{name} <{name}@example.org>", algorithm, usage,
        expires)
    lines = gpg("--with-colons", "--list-keys", f"{name}@example.org")
    return [line.split(":")[9] for line in lines.decode().splitlines()
            if line.startswith("fpr:")][0]


def fake_gpg(anklume, version):
    """A gpg that says its version."""
    place = anklume.home / "state" / "bin"
    place.mkdir()
    for name, says in (("gpg", f"gpg (GnuPG) {version}"),
                       ("gpgconf", f"gpg:OpenPGP:{place}/gpg")):
        (place / name).write_text(f"#!/bin/sh\necho '{says}'\n")
        (place / name).chmod(0o755)
    return place


def test_an_old_gpg(doctor, anklume):
    place = fake_gpg(anklume, "2.1.18")
    anklume.environment["PATH"] = f"{place}:{os.environ['PATH']}"
    report = doctor()
    assert report.levels("gpg") == ["problem"]
    assert report.one("gpg")["hint"] == "apt install gnupg"


def test_no_key(doctor, config):
    report = doctor()
    assert report.levels("key") == ["note"]
    assert report.levels("one-recipient") == []


def test_a_key_that_is_not_there(doctor, config, gpg):
    config("[backup]\ngpg = nobody@example.org\n"
           "sign = nobody@example.org\n"
           f"[trust]\nsigners = {'A' * 40}\n")
    report = doctor()
    assert report.levels("key") == ["problem"]
    assert report.levels("signing-key") == ["problem"]
    assert report.levels("trusted-signer") == ["problem"]
    assert report.one("trusted-signer")["hint"] == "gpg --import FILE"


def test_one_key_whose_secret_is_here(doctor, config, gpg):
    one = make_key(gpg, "one")
    config("[backup]\ngpg = one@example.org\nsign = one@example.org\n"
           f"[trust]\nsigners = {one}\n")
    report = doctor()
    assert report.status == 0, report.found
    assert report.levels("key") == ["ok"]
    assert report.levels("signing-key") == ["ok"]
    assert report.levels("trusted-signer") == ["ok"]
    assert report.levels("one-recipient") == ["note"]
    assert report.levels("secret-here") == ["note"]
    assert report.one("secret-here")["hint"].endswith(
        f"--export-secret-keys {one}")
    assert report.levels("key-expires") == []


def test_two_keys_one_kept_elsewhere(doctor, config, gpg):
    make_key(gpg, "one")
    two = make_key(gpg, "two")
    config("[backup]\ngpg = one@example.org\n"
           f"gpg = {two}\n")
    report = doctor()
    assert report.levels("one-recipient") == []
    assert report.levels("secret-here") == ["note"]
    gpg("--delete-secret-keys", two)
    report = doctor()
    assert report.levels("key") == ["ok", "ok"]
    assert report.levels("secret-here") == []


def test_one_key_named_twice_is_one(doctor, config, gpg):
    one = make_key(gpg, "one")
    config(f"[backup]\ngpg = one@example.org\ngpg = {one}\n")
    assert doctor().levels("one-recipient") == ["note"]


@pytest.mark.parametrize("expires, count", [
    ("29d", 1), ("31d", 0), ("never", 0)])
def test_keys_that_expire(doctor, config, gpg, expires, count):
    one = make_key(gpg, "one", expires)
    config("[backup]\ngpg = one@example.org\nsign = one@example.org\n"
           f"[trust]\nsigners = {one}\n")
    report = doctor()
    assert report.levels("key-expires") == ["problem"] * count
    if count:
        assert report.found["key-expires"][0]["hint"].splitlines()[0] == \
            f"gpg --quick-set-expire {one} 2y"


def test_one_bad_key_does_not_hide_another(doctor, config, gpg):
    make_key(gpg, "one")
    config("[backup]\ngpg = nobody@example.org\ngpg = one@example.org\n")
    report = doctor()
    assert report.levels("key") == ["problem", "ok"]
    # The other one is a second key.
    assert report.levels("one-recipient") == []


def test_the_keyring_under_sudo(doctor, anklume, gpg):
    if os.geteuid() != 0:
        pytest.skip("not root")
    assert doctor().levels("keyring") == ["ok"]
    anklume.environment["SUDO_USER"] = "nobody"
    report = doctor()
    assert report.levels("keyring") == ["note"]
    assert "not that of 'nobody'" in report.one("keyring")["text"]
    assert report.one("keyring")["hint"].startswith("sudo GNUPGHOME=")
    os.chown(anklume.environment["GNUPGHOME"], 65534, 65534)
    assert "belongs to root" in doctor().one("keyring")["text"]
    anklume.environment["SUDO_USER"] = "no-such-user"
    assert doctor().levels("keyring") == ["ok"]


# What runs that were killed have left.

def left_file(place, age_s=2 * 86400, digits="0123456789abcdef" * 2):
    path = place / f".anklume-{digits}.part"
    path.write_bytes(b"half an archive")
    when = datetime.datetime.now().timestamp() - age_s
    os.utime(path, (when, when))
    return path


def test_files(doctor, output):
    (output / "work").mkdir()
    paths = [left_file(output), left_file(output / "work")]
    report = doctor()
    assert report.levels("leftover-file") == ["problem"] * 2
    assert {one["hint"] for one in report.found["leftover-file"]} == {
        "anklume doctor --fix"}
    assert doctor("--fix", "-n").levels("leftover-file") == ["problem"] * 2
    assert all(path.exists() for path in paths)
    report = doctor("--fix")
    assert report.status == 0
    assert report.levels("leftover-file") == ["fixed"] * 2
    assert not any(path.exists() for path in paths)
    assert doctor().levels("leftover-file") == ["ok"]


def test_files_that_are_not_left(doctor, output):
    """By another name, of another kind, somewhere else."""
    kept = [left_file(output, digits=digits) for digits in (
        "0123", "0123456789abcdeg" * 2, "0123456789ABCDEF" * 2,
        "0" * 33, "0" * 31)]
    (output / "archive.tar").write_bytes(b"")
    for name in (".hidden", "a"):
        (output / name).mkdir()
    (output / "a" / "b").mkdir()
    kept += [left_file(output / ".hidden"), left_file(output / "a" / "b")]
    (output / f".anklume-{'a' * 32}.part").mkdir()
    (output / f".anklume-{'b' * 32}.part").symlink_to(kept[0])
    (output / "link").symlink_to(output / "a" / "b")
    assert doctor("--fix").levels("leftover-file") == ["ok"]
    assert all(path.exists() for path in kept)
    assert os.path.lexists(output / f".anklume-{'b' * 32}.part")


def test_a_file_of_somebody_else(doctor, output):
    if os.geteuid() != 0:
        pytest.skip("not root")
    path = left_file(output)
    os.chown(path, 65534, 65534)
    assert doctor("--fix").levels("leftover-file") == ["ok"]
    assert path.exists()


@pytest.mark.parametrize("age_s", [60, 2 * 86400])
def test_a_file_that_is_written_still(doctor, output, age_s):
    path = left_file(output, age_s)
    with open(path, "rb"):
        assert doctor("--fix").levels("leftover-file") == ["ok"]
    assert path.exists()


def test_a_young_file_that_nobody_writes(doctor, output):
    if os.stat("/proc/self/ns/pid").st_ino != 0xEFFFFFFC:
        pytest.skip("other processes cannot be seen from here")
    left_file(output, age_s=0)
    assert doctor("--fix").levels("leftover-file") == ["ok"]
    path = left_file(output, age_s=60)
    assert doctor("--fix").levels("leftover-file") == ["fixed"]
    assert not path.exists()


@pytest.fixture
def only_web(daemon):
    daemon.instances = {"web": "work"}


def test_exports(doctor, daemon, only_web):
    daemon.backups = {NAME, "backup0", "anklume-nightly", NAME + "0"}
    daemon.made_at = {one: ago(hours=2) for one in daemon.backups}
    report = doctor()
    assert report.levels("leftover-export") == ["problem"]
    assert f"the export '{NAME}' of 'work/web'" in \
        report.one("leftover-export")["text"]
    doctor("--fix", "-n")
    assert NAME in daemon.backups
    assert doctor("--fix").levels("leftover-export") == ["fixed"]
    assert daemon.backups == {"backup0", "anklume-nightly", NAME + "0"}


def test_an_export_that_may_be_in_use(doctor, daemon, only_web):
    daemon.backups = {NAME}
    daemon.made_at = {NAME: ago(minutes=50)}
    assert doctor("--fix").levels("leftover-export") == ["ok"]
    daemon.made_at = {}
    assert doctor("--fix").levels("leftover-export") == ["unknown"]
    assert daemon.backups == {NAME}


@pytest.mark.parametrize("lock_min, export_min, level", [
    (20, 19, "fixed"),      # of the run that was killed
    (20, 21, "ok"),         # made before that run
    (120, 50, "ok"),        # long after: another's
    (50, 120, "fixed")])    # older than any run
def test_an_export_and_a_lock_that_was_left(
        doctor, daemon, anklume, only_web, lock_min, export_min, level):
    daemon.backups = {NAME}
    daemon.made_at = {NAME: ago(minutes=export_min)}
    path = locks(anklume) / f"backup-{'ab' * 6}-work-web"
    path.write_text("1\n")
    when = datetime.datetime.now().timestamp() - lock_min * 60
    os.utime(path, (when, when))
    with open(path, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert doctor("--fix").levels("leftover-export") == ["ok"]
    assert doctor("--fix").levels("leftover-export") == [level]


def test_one_instance_does_not_hide_another(doctor, daemon):
    daemon.on("GET /1.0/instances/web/backups", error("no right", 403))
    daemon.backups = {NAME}
    daemon.made_at = {NAME: ago(hours=2)}
    assert sorted(doctor().levels("leftover-export")) == [
        "problem", "unknown"]


def test_an_export_that_does_not_go(doctor, daemon, only_web):
    daemon.backups = {NAME}
    daemon.made_at = {NAME: ago(hours=2)}
    daemon.verdicts["delete backup"] = failed("the disk\x1b is on fire")
    report = doctor("--fix")
    assert report.levels("leftover-export") == ["problem"]
    assert r"the disk\x1b is on fire" in report.one("leftover-export")["text"]


def test_an_instance_that_goes_meanwhile(doctor, daemon):
    daemon.on("GET /1.0/instances/web/backups", error("not found", 404))
    assert doctor().levels("leftover-export") == ["ok"]


def locks(anklume):
    state = anklume.home / "state"
    place = state / "anklume" / "lock"
    place.mkdir(parents=True, exist_ok=True)
    return place


def test_drills(doctor, daemon, anklume):
    daemon.projects[DRILL] = {}
    daemon.projects["anklume-drill-mine"] = {}
    report = doctor("--fix")
    assert report.levels("leftover-drill") == ["note"]
    assert report.one("leftover-drill")["hint"] == \
        f"incus project delete --force {DRILL}"
    lock = locks(anklume) / DRILL
    lock.write_text("1\n")
    assert doctor().levels("leftover-drill") == ["problem"]
    assert doctor("-n", "--fix").levels("leftover-drill") == ["problem"]
    assert DRILL in daemon.projects
    daemon.on("GET /1.0/instances", sync([]))
    assert doctor("--fix").levels("leftover-drill") == ["fixed"]
    assert DRILL not in daemon.projects and not lock.exists()
    assert "anklume-drill-mine" in daemon.projects


def test_a_drill_that_goes_on(doctor, daemon, anklume):
    daemon.projects[DRILL] = {}
    with open(locks(anklume) / DRILL, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert doctor("--fix").levels("leftover-drill") == ["ok"]
    assert DRILL in daemon.projects


def test_a_name_that_would_be_a_path(doctor, daemon, anklume):
    target = anklume.home / "state" / "anklume" / "victim"
    (locks(anklume) / "anklume-drill-").mkdir()
    target.write_text("")
    daemon.projects["anklume-drill-/../../victim"] = {}
    assert doctor("--fix").levels("leftover-drill") == ["ok"]
    assert target.exists()


@pytest.mark.parametrize("name, count", [
    ("anklume-replaced-0123abcd", 1), ("anklume-restore-0123abcd", 1),
    ("anklume-replaced-by-me", 0), ("anklume-restore-0123abcde", 0)])
def test_instances_of_a_restore(doctor, daemon, name, count):
    daemon.instances[name] = "work"
    report = doctor("--fix")
    assert report.levels("leftover-instance") == (
        ["problem"] if count else ["ok"])
    if count:
        assert report.one("leftover-instance")["hint"].splitlines()[0] == \
            f"incus info {name} --project work"
    assert name in daemon.instances


def test_words_it_does_not_know(anklume):
    assert anklume("doctor", "web").status == 2
    assert anklume("doctor", "--fixx").status == 2
    help_ = anklume("help", "doctor")
    assert help_.status == 0
    assert help_.out.startswith("anklume doctor [OPTIONS]\n")
    assert anklume("--json", "doctor", "--help").out == help_.out
