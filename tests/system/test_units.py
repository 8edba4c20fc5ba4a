"""The systemd units: what is installed is right, held in, and not enabled; and
what the program tells the service manager."""

import configparser
import os
import pathlib
import re
import shlex
import shutil
import socket

import pytest

import lab

SERVICES = ("backup", "prune", "verify", "drill")
TIMERS = ("backup", "verify", "drill")

# Measured with systemd 252: 1.0 of 10; 9.6 without what holds them in.
EXPOSURE_MAX = 1.5

BUILD = pathlib.Path(lab.binary()).parents[1]


class Unit(configparser.RawConfigParser):
    """A unit file; of a key that stands several times, all of its lines."""

    def __init__(self, path):
        super().__init__(strict=False, interpolation=None, delimiters="=",
                         comment_prefixes="#")
        self.optionxform = str
        self.path = path
        self.lines = path.read_text().splitlines()
        self.read(path)

    def all(self, key):
        return [line.partition("=")[2] for line in self.lines
                if line.startswith(key + "=")]

    @property
    def command(self):
        line, = self.all("ExecStart")
        return shlex.split(line)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The build under test, installed where nothing else is."""
    root = tmp_path_factory.mktemp("installed")
    done = lab.run(["meson", "install", "-C", BUILD, "--no-rebuild"],
                   env=dict(os.environ, DESTDIR=str(root)))
    assert done.status == 0, done
    folders = {path.parent for path in root.rglob("anklume-*.service")}
    assert len(folders) == 1, folders
    yield root, folders.pop()
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def units(installed):
    _, folder = installed
    return {path.name: Unit(path) for path in folder.iterdir()}


def service_names():
    return [f"anklume-{name}.service" for name in SERVICES]


def test_these_are_installed(units):
    assert sorted(units) == sorted(
        service_names() + [f"anklume-{name}.timer" for name in TIMERS])
    for unit in units.values():
        assert not re.search("@[a-z]+@", unit.path.read_text()), unit.path
        assert unit.path.stat().st_mode & 0o777 == 0o644


def test_nothing_is_enabled(installed, units):
    root, _ = installed
    assert [p for p in root.rglob("*") if p.is_symlink()] == []
    assert [p for p in root.rglob("*") if p.name.endswith(".wants")] == []
    # Only the timers can be, and a service starts prune and nothing else.
    can_be = {name for name, unit in units.items() if "Install" in unit}
    assert can_be == {f"anklume-{name}.timer" for name in TIMERS}
    wants = {name: unit.all("Wants") for name, unit in units.items()}
    assert wants.pop("anklume-backup.service") == ["anklume-prune.service"]
    assert not any(wants.values())


@pytest.mark.parametrize("name", service_names())
def test_the_program_understands_the_command(installed, units, lab_seven,
                                             name):
    root, _ = installed
    program, *words = units[name].command
    assert (root / program.lstrip("/")).exists()
    understood = lab_seven.anklume(*words, "--help")
    assert understood.status == 0, understood
    assert understood.out.startswith(f"anklume {words[0]} {words[1]} ")


def test_systemd_understands_them(installed, units, tmp_path):
    # It looks for the program where the unit says, and for what else there is.
    root, folder = installed
    for unit in units.values():
        text = unit.path.read_text().replace(
            unit.command[0], str(root / unit.command[0].lstrip("/"))) \
            if unit.all("ExecStart") else unit.path.read_text()
        (tmp_path / unit.path.name).write_text(text)
    done = lab.run(["systemd-analyze", "verify", "--man=no",
                    *sorted(tmp_path.iterdir())])
    # Of other units on the machine it may have to say something, too.
    ours = [line for line in (done.out + done.err).splitlines()
            if "anklume" in line]
    assert ours == [], done
    assert folder.exists()


def test_systemd_finds_a_mistake(installed, units, tmp_path):
    text = units["anklume-backup.service"].path.read_text()
    wrong = tmp_path / "anklume-backup.service"
    wrong.write_text(text.replace("PrivateTmp=yes", "PrivateTemp=yes"))
    done = lab.run(["systemd-analyze", "verify", "--man=no", wrong])
    assert "PrivateTemp" in done.out + done.err, done


@pytest.mark.parametrize("name", service_names())
def test_they_are_held_in(units, name):
    done = lab.run(["systemd-analyze", "security", "--offline=true",
                    "--no-pager", units[name].path])
    found = re.search(rf"exposure level for {name}: ([0-9.]+)",
                      done.out + done.err)
    assert found, done
    assert float(found[1]) <= EXPOSURE_MAX, done


def test_what_is_held_in_can_still_lock_itself_in(units):
    # landlock(7) is in no group of systemd 252: the child that looks at
    # archives would silently do without.
    for name in service_names():
        allowed = " ".join(units[name].all("SystemCallFilter")).split()
        assert {"landlock_create_ruleset", "landlock_restrict_self"} <= set(
            allowed), name


def test_the_end_is_for_all_processes_to_hear(units):
    # The guard that thaws an instance outlives its parent only so: with
    # KillMode=mixed it was killed, and the instance stayed frozen.
    for name in service_names():
        assert units[name].all("KillMode") == [], name


@pytest.mark.parametrize("page", ["nightly.md", "nightly.fr.md", "keys.md",
                                  "keys.fr.md"])
def test_the_configurations_of_the_pages_can_be_read(lab_seven, tmp_path,
                                                     page):
    text = (lab.ROOT / "docs" / page).read_text()
    blocks = re.findall(r"```ini\n(\[backup\]\n.*?)```", text, re.DOTALL)
    assert blocks, page
    for block in blocks:
        file = tmp_path / "anklume.conf"
        file.write_text(block)
        done = lab_seven.anklume("config", "show", "--origin",
                                 env={"ANKLUME_CONFIG": str(file)})
        assert done.status == 0, done


def test_both_languages_show_the_same_commands():
    for page in ("nightly", "keys"):
        texts = [(lab.ROOT / "docs" / f"{page}{language}.md").read_text()
                 for language in ("", ".fr")]
        kinds = [re.findall(r"^ *```(\w*)$", text, re.MULTILINE)
                 for text in texts]
        assert kinds[0] == kinds[1], page
        assert texts[0].count("\n## ") == texts[1].count(
            "\n## "), page


@pytest.mark.parametrize("name", TIMERS)
def test_a_timer_spreads_and_catches_up(units, name):
    timer = units[f"anklume-{name}.timer"]["Timer"]
    assert timer["Persistent"] == "yes"
    assert timer["RandomizedDelaySec"] in ("1h", "2h")
    when = lab.run(["systemd-analyze", "calendar", timer["OnCalendar"]])
    assert "Next elapse" in when.out, when


class Manager:
    """Listens as the service manager does."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(str(path))

    def heard(self):
        told = []
        while True:
            try:
                told.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return told


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.socket.close()


@pytest.mark.parametrize("options", [(), ("--quiet",), ("--json",)])
def test_a_backup_tells_how_far_it_is(lab_seven, manager, tmp_path, options):
    done = lab_seven.anklume(
        *options, "backup", "create", "alpha", "-o", tmp_path / "out",
        "--bwlimit", "400K", env={"NOTIFY_SOCKET": str(manager.path)})
    assert done.status == 0, done
    told = manager.heard()
    assert all(one.startswith("STATUS=") and "\n" not in one for one in told)
    assert told[0] == "STATUS=alpha"
    assert any(re.fullmatch(r"STATUS=alpha  [0-9.]+ [KM]?i?B  [0-9.]+ "
                            r"[KM]?i?B/s.*", one) for one in told[1:-1]), told
    archive, = (tmp_path / "out").glob("alpha-*.tar.gz")
    assert told[-1] == f"STATUS={archive}"


def test_the_last_word_is_what_went_wrong(lab_seven, manager):
    env = {"NOTIFY_SOCKET": str(manager.path)}
    done = lab_seven.anklume("backup", "create", "no\nbody", env=env)
    assert done.status != 0
    last = manager.heard()[-1]
    assert last.startswith("STATUS=") and "no\\nbody" in last


def test_nobody_needs_to_listen(lab_seven, tmp_path):
    for name in ("/nonexistent/notify", "@anklume-nobody", "nonsense", ""):
        done = lab_seven.anklume("backup", "list", "--from", tmp_path,
                                 env={"NOTIFY_SOCKET": name})
        assert "notify" not in done.err


def test_a_directory_bound_to_itself_is_no_disk(lab_seven, mounted, tmp_path):
    # As systemd does it for ReadWritePaths=.
    plain = tmp_path / "nas"
    plain.mkdir()
    file = tmp_path / "anklume.conf"
    env = {"ANKLUME_CONFIG": str(file)}

    def create(where):
        file.write_text(
            f"[backup]\noutput = {where}\nrequire-mount = {where}\n")
        return lab_seven.anklume("backup", "create", "alpha", env=env)

    assert create(plain).status == 10
    lab.run(["mount", "--bind", plain, plain])
    try:
        assert create(plain).status == 10
        assert list(plain.iterdir()) == []
    finally:
        assert lab.run(["umount", plain]).status == 0
    assert create(mounted("tmpfs")).status == 0
