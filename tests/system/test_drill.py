"""`backup drill`: a backup becomes an instance that nobody uses, which must run;
whatever happens, nothing of it stays."""

import contextlib
import json
import signal
import uuid

import pytest

import lab
import midway
from backups import create, leaves_nothing, settled_holdings, wait_for
from catalogues import Catalogue

PREFIX = "anklume-drill-"
KEY = "user.anklume.drill"


def drill(daemon, *words, **run):
    return daemon.anklume("backup", "drill", *words, **run)


def projects(daemon):
    """Those of drills."""
    names = [url.rpartition("/")[2] for url in daemon.get("/1.0/projects")]
    return {name for name in names if name.startswith(PREFIX)}


def state_of_all(daemon):
    return {**settled_holdings(daemon), "projects": projects(daemon),
            "profiles": daemon.get("/1.0/profiles?all-projects=true"),
            "custom": daemon.get("/1.0/storage-pools/default/volumes/custom"
                                 "?all-projects=true")}


@contextlib.contextmanager
def leaves_no_trace(daemon):
    before = state_of_all(daemon)
    yield
    wait_for(lambda: state_of_all(daemon) == before, f"only {before}")


@pytest.fixture
def with_command(daemon, make_box, tmp_path):
    """Back up a box that has a command to prove its health."""
    def make(command, **options):
        box = make_box(start=False, **options)
        daemon.incus("config", "set", box.name, f"{KEY}={command}",
                     "--project", box.project)
        return create(daemon, box, tmp_path / box.name)

    return make


def test_it_runs(daemon, tmp_path):
    made = create(daemon, "home/web", tmp_path)
    with leaves_no_trace(daemon):
        done = drill(daemon, "home/web", "--from", tmp_path, "--json")
    assert done.status == 0, done
    (told,) = json.loads(done.out)["backups"]
    assert (told["path"], told["status"]) == (str(made), 0)
    assert (told["checked"], told["without"]) == ("running", [])
    assert told["seconds"] >= 5

    done = daemon.anklume("backup", "list", "--from", tmp_path, "--json")
    (one,) = json.loads(done.out)["backups"]
    assert one["proofs"]["drill"] == {
        key: told[key] for key in ("at", "seconds", "checked", "without",
                                   "pool")}
    shown = daemon.anklume("backup", "list", "--from", tmp_path).out
    assert told["at"][:10] in shown.splitlines()[1]


def test_the_command_may_take_its_time(with_command, daemon):
    made = with_command("echo x >> /n; test $(wc -l < /n) -ge 3")
    with leaves_no_trace(daemon):
        done = drill(daemon, made)
    assert done.status == 0, done
    assert "checked: echo x" in done.out


def test_one_that_never_gets_healthy(with_command, daemon):
    made = with_command("exit 7")
    with leaves_no_trace(daemon):
        done = drill(daemon, made, "--timeout", "3")
    assert done.status == 15, done
    assert "'exit 7' did not succeed within 3 s: exit status 7" in done.err
    assert done.out.startswith("failed: ")


def test_a_command_that_hangs(with_command, daemon):
    made = with_command("sleep 1000")
    with leaves_no_trace(daemon):
        done = drill(daemon, made, "--timeout", "3")
    assert done.status == 15, done
    assert "'sleep 1000' did not end within 3 s" in done.err


def test_one_that_does_not_stay(with_command, daemon):
    made = with_command("kill -9 1; halt -f; poweroff -f; sleep 1000")
    with leaves_no_trace(daemon):
        done = drill(daemon, made, "--timeout", "20")
    assert done.status == 15, done


def test_one_that_does_not_start(daemon, make_box, tmp_path):
    box = make_box(start=False)
    inside = box.inner("/sbin/init")
    if inside.is_symlink() or inside.exists():
        inside.unlink()
    made = create(daemon, box, tmp_path)
    with leaves_no_trace(daemon):
        done = drill(daemon, made)
    assert done.status == 15, done


def test_it_has_no_power_over_the_host(daemon, make_box, tmp_path):
    """Whoever has made the archive: its instance is started here."""
    box = make_box(start=False)
    for key in ("security.privileged", "security.syscalls.intercept.mknod"):
        daemon.incus("config", "set", box.name, f"{key}=true")
    # The identity map of what is not privileged is no map of everything.
    daemon.incus("config", "set", box.name, f"{KEY}="
                 "! grep -q '0 *0 *4294967295' /proc/self/uid_map")
    made = create(daemon, box, tmp_path)
    with leaves_no_trace(daemon):
        done = drill(daemon, made, "--timeout", "10", "--json")
    assert done.status == 0, done
    (told,) = json.loads(done.out)["backups"]
    assert sorted(told["without"]) == [
        "key security.privileged", "key security.syscalls.intercept.mknod"]


@pytest.fixture
def attached(daemon, make_box, tmp_path):
    """A box that reaches for much: the host, a volume, profiles."""
    box = make_box(start=False)
    tag = uuid.uuid4().hex[:8]
    (tmp_path / "host").mkdir()

    def device(name, *words):
        daemon.incus("config", "device", "add", box.name, name, *words)

    daemon.incus("storage", "volume", "create", "default", f"v-{tag}")
    daemon.incus("profile", "create", f"p-{tag}")
    try:
        device("own", "disk", "source=/tmp", "path=/host-tmp")
        device("vol", "disk", "pool=default", f"source=v-{tag}", "path=/vol")
        device("null", "unix-char", "source=/dev/null", "path=/dev/gift")
        device("p2p", "nic", "nictype=p2p", "name=eth7")
        daemon.incus("profile", "device", "add", f"p-{tag}", "etc", "disk",
                     "source=/etc", "path=/host-etc")
        daemon.incus("profile", "set", f"p-{tag}", "user.kept=yes")
        daemon.incus("profile", "add", box.name, f"p-{tag}")
        daemon.incus("config", "set", box.name,
                     "raw.lxc=lxc.environment=TOUCHED=1")
        daemon.incus("config", "set", box.name, "boot.autostart=true")
        daemon.incus("config", "set", box.name,
                     "security.protection.delete=true")
        yield box, f"p-{tag}"
    finally:
        daemon.incus("config", "set", box.name,
                     "security.protection.delete=false")
        box.delete()
        daemon.incus("profile", "delete", f"p-{tag}")
        daemon.incus("storage", "volume", "delete", "default", f"v-{tag}")


def test_it_touches_nothing(daemon, attached, tmp_path):
    box, profile = attached
    daemon.incus("config", "set", box.name, f"{KEY}="
                 "test ! -e /host-tmp -a ! -e /host-etc -a ! -e /vol "
                 "-a ! -e /dev/gift -a ! -e /sys/class/net/eth7 "
                 '&& test -z "$TOUCHED"')
    made = create(daemon, box, tmp_path / "own")
    with leaves_no_trace(daemon):
        done = drill(daemon, made, "--timeout", "10", "--json")
    assert done.status == 0, done
    (told,) = json.loads(done.out)["backups"]
    assert sorted(told["without"]) == [
        "device etc", "device null", "device own", "device p2p",
        "device vol", "key raw.lxc"]
    shown = drill(daemon, made).out
    assert "  tested without device own\n" in shown
    assert daemon.get(f"/1.0/profiles/{profile}")["config"] == {
        "user.kept": "yes"}


def test_keys_of_profiles_count(daemon, make_box, tmp_path):
    """What a profile sets is there; its devices are not."""
    name = f"p-{uuid.uuid4().hex[:8]}"
    box = make_box(start=False)
    daemon.incus("profile", "create", name)
    try:
        daemon.incus("profile", "set", name,
                     "environment.FROM_PROFILE=there")
        daemon.incus("profile", "add", box.name, name)
        daemon.incus("config", "set", box.name,
                     f"{KEY}=tr '\\0' '\\n' < /proc/1/environ "
                     "| grep -q FROM_PROFILE=there")
        made = create(daemon, box, tmp_path)
    finally:
        daemon.incus("profile", "remove", box.name, name)
        daemon.incus("profile", "delete", name)
    with leaves_no_trace(daemon):
        done = drill(daemon, made, "--timeout", "5")
    assert done.status == 0, done


def test_damage_is_found_before_there_is_a_clone(lab_seven, tmp_path):
    made = create(lab_seven, "home/web", tmp_path)
    body = bytearray(made.path.read_bytes())
    body[-20] ^= 1
    made.path.write_bytes(body)
    with leaves_no_trace(lab_seven):
        done = drill(lab_seven, made)
    assert done.status == 5, done
    assert not [one for one in json.loads(lab_seven.anklume(
        "backup", "list", "--from", tmp_path, "--json").out)["backups"]
                if "drill" in one["proofs"]]


def test_what_only_the_manifest_tells(lab_seven, tmp_path):
    made = create(lab_seven, "home/web", tmp_path)
    made.edit_manifest(entries=made.manifest["entries"] + 1)
    with leaves_no_trace(lab_seven):
        done = drill(lab_seven, made)
    assert done.status == 5, done


def test_a_pool_that_is_not_there(lab_seven, tmp_path):
    made = create(lab_seven, "home/web", tmp_path)
    with leaves_no_trace(lab_seven):
        done = drill(lab_seven, made, "-s", "none")
    assert done.status == 6 and "there is no pool 'none'" in done.err, done
    with leaves_no_trace(lab_seven):
        done = drill(lab_seven, made, "-s", "bt", "--json")
    assert done.status == 0, done
    assert json.loads(done.out)["backups"][0]["pool"] == "bt"


@contextlib.contextmanager
def running(daemon, made):
    """A drill whose clone runs, and whose command does not end."""
    before = projects(daemon)
    child = daemon.spawn("-q", "backup", "drill", str(made), "--timeout",
                         "300")

    def clone():
        for name in projects(daemon) - before:
            for url in daemon.get(f"/1.0/instances?project={name}"):
                if daemon.get(url)["status"] == "Running":
                    return name
        return None

    try:
        yield child, wait_for(clone, "a clone")
    finally:
        if child.poll() is None:
            child.kill()
            child.wait(midway.END_S)
        for pipe in (child.stdout, child.stderr):
            pipe.close()


def test_an_interrupted_one_takes_all_away(with_command, daemon):
    made = with_command("sleep 1000")
    with leaves_no_trace(daemon):
        with running(daemon, made) as (child, _):
            child.send_signal(signal.SIGINT)
            status = child.wait(midway.END_S)
    assert status == 130


def test_what_a_killed_one_has_left_is_swept(with_command, daemon):
    made = with_command("sleep 1000")
    good = with_command("true")
    with leaves_no_trace(daemon):
        with running(daemon, made) as (child, project):
            child.kill()
            child.wait(midway.END_S)
            assert project in projects(daemon)
        done = drill(daemon, good)
        assert done.status == 0, done
        assert f"took away '{project}'" in done.err


def test_one_that_lives_is_left_alone_and_unseen(with_command, daemon):
    made = with_command("sleep 1000")
    good = with_command("true")
    with leaves_no_trace(daemon):
        with running(daemon, made) as (child, project):
            assert drill(daemon, good).status == 0
            assert child.poll() is None and project in projects(daemon)
            name = daemon.get(f"/1.0/instances?project={project}")[0]
            name = name.rpartition("/")[2].partition("?")[0]
            for words in (["snapshot", "list", name],
                          ["backup", "create", name, "-o", "-"],
                          ["copy", f"{name}:/etc/hosts", "-"]):
                done = daemon.anklume(*words)
                assert done.status == 6, (words, done)
            child.send_signal(signal.SIGTERM)
            assert child.wait(midway.END_S) == 143


def test_another_hosts_drill_is_noted_and_left(lab_seven, tmp_path):
    made = create(lab_seven, "home/web", tmp_path)
    foreign = PREFIX + uuid.uuid4().hex[:12]
    lab_seven.incus("project", "create", foreign)
    try:
        done = drill(lab_seven, made)
        assert done.status == 0 and f"'{foreign}' is left" in done.err, done
        assert foreign in projects(lab_seven)
    finally:
        lab_seven.incus("project", "delete", foreign)


def test_the_oldest(lab_seven, tmp_path):
    one = create(lab_seven, "home/web", tmp_path)
    two = create(lab_seven, "work/web", tmp_path / "work")
    drilled = []
    for _ in range(2):
        done = drill(lab_seven, "--oldest", "1", "--from", tmp_path, "--json")
        assert done.status == 0, done
        drilled += [told["path"] for told in json.loads(done.out)["backups"]]
    assert sorted(drilled) == sorted([str(one), str(two)])


@pytest.mark.parametrize("words, status", [
    ([], 2), (["--oldest", "0"], 2), (["none.tar"], 6),
    (["web", "--from", "/nowhere"], 10), (["--oldest", "1", "--from",
                                           "/nowhere"], 10)])
def test_wrong_words(lab_seven, words, status):
    assert drill(lab_seven, *words).status == status


def test_what_it_would_do(lab_seven, tmp_path):
    path = Catalogue(tmp_path).archive("web.tar")
    done = drill(lab_seven, "web", "--from", tmp_path, "-n")
    assert done.status == 0 and f"would drill '{path}'" in done.err, done


def test_its_daemon_dies(with_command, daemon):
    made = with_command("sleep 1000")
    good = with_command("true")
    with leaves_no_trace(daemon):
        with running(daemon, made) as (child, project):
            assert lab.run([lab.LAB, "kill", daemon.version]).status == 0
            try:
                status, err = midway.end_of(child)
            finally:
                back = lab.run([lab.LAB, "restart", daemon.version])
                daemon.refresh()
            assert back.status == 0, back
            assert status in (1, 9), err
            assert f"'{project}' could not be taken away" in err
        done = drill(daemon, good)
        assert done.status == 0 and f"took away '{project}'" in done.err
