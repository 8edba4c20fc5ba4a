"""The disk of one host has died: docs/disaster-recovery.md is done, word for
word, on another; and what a run over a whole host writes beside its archives."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import crowds
import lab as lab_module
from backups import RECORD, identity_of_files, wait_for
from keys import KeyRing

DOCS = lab_module.ROOT / "docs"
SECRET = "correct-horse-battery"
NAMES = ("db", "web")
DIRECTORY = pathlib.Path("/mnt/nas/anklume")

# Of a lab that others use as well, only our own projects: garden and shop.
NO_OTHERS = [word for glob in ("[!gs]*", "g[!a]*", "s[!h]*")
             for word in ("--exclude", f"{glob}/*")]


def blocks(path, mark=None):
    """The fenced blocks of a page; only those that are marked so."""
    found = re.findall(r"(?:<!-- (run(?:: \w+)?) -->\n)?^```(\w*)\n(.*?)^```$",
                       path.read_text(), re.MULTILINE | re.DOTALL)
    return [text for run, _, text in found if mark is None or run == mark]


class Host:
    """What a page's shell finds on a host of the lab."""

    def __init__(self, daemon, place, key_home):
        self.daemon, self.key_home = daemon, key_home
        self.tools = place / "bin"
        self.tools.mkdir()
        self.tool("incus", f"{lab_module.LAB} incus {daemon.version}")
        self.tool("anklume", lab_module.binary())

    def tool(self, name, command):
        path = self.tools / name
        path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        path.chmod(0o755)

    def run(self, text, status=0):
        env = self.daemon.environment(
            GNUPGHOME=str(self.key_home),
            PATH=f"{self.tools}:{os.environ['PATH']}",
            **{name: value for name, value in os.environ.items()
               if name.startswith("ANKLUME_LAB")})
        done = lab_module.run(["bash", "-c", text], env=env, cwd="/")
        assert done.status == status, (text, done)
        assert "Sanitizer" not in done.err, done.err
        return done


def profile(daemon, project, name, definition):
    path = f"/1.0/profiles{'' if name is None else '/' + name}"
    daemon.get(f"{path}?project={project}", "PUT", definition)


class Shop:
    """Two projects: one with profiles of its own, one with those of default;
    and a custom volume."""

    def __init__(self, daemon):
        self.daemon = daemon
        daemon.get("/1.0/projects", "POST", {
            "name": "shop", "description": "What we live on",
            "config": {"features.images": "false", "user.owner": "ann"}})
        profile(daemon, "shop", "default", {
            "description": "of the shop",
            "config": {"user.secret": SECRET, "limits.processes": "500"},
            "devices": {"root": {"type": "disk", "path": "/", "pool": "bt"}}})
        daemon.get("/1.0/profiles?project=default", "POST", {
            "name": "garden-sunny", "config": {"limits.processes": "400"}})
        daemon.get("/1.0/projects", "POST", {"name": "garden", "config": {
            "features.images": "false", "features.profiles": "false"}})
        for project, name in self.places:
            self.add(project, name)
        self.add_photos()

    places = [("garden", "shed"), ("shop", "db"), ("shop", "web")]

    def add(self, project, name):
        profiles = ["default"] + ["garden-sunny"] * (project == "garden")
        done = self.daemon.get(f"/1.0/instances?project={project}", "POST", {
            "name": name, "profiles": profiles, "config": {
                "user.note": f"of {project}"},
            "source": {"type": "image", "alias": "busybox"}})
        assert done["status"] == "Success", done
        root = self.root(self.daemon, project, name) / "root"
        root.joinpath("mark").write_text(f"{project}/{name}\n")
        # Incus packs whole seconds.
        for path in (root / "mark", root):
            os.utime(path, (1_700_000_000, 1_700_000_000))

    def add_photos(self):
        """A volume that web has attached."""
        self.daemon.incus("storage", "volume", "create", "default", "photos",
                          "--project", "shop")
        self.daemon.incus("config", "device", "add", "web", "photos", "disk",
                          "pool=default", "source=photos", "path=/srv/photos",
                          "--project", "shop")
        self.sea(self.daemon).parent.mkdir()
        self.sea(self.daemon).write_text("blue\n")

    @staticmethod
    def sea(daemon, volume="photos"):
        return (daemon.files / "storage-pools" / "default" / "custom"
                / f"shop_{volume}" / "2026" / "sea.jpg")

    @staticmethod
    def lose_photos(daemon):
        for name in ("photos", "photos-then"):
            daemon.incus("storage", "volume", "delete", "default", name,
                         "--project", "shop", check=False)

    @staticmethod
    def root(daemon, project, name):
        pool = "default" if project == "garden" else "bt"
        return (daemon.files / "storage-pools" / pool / "containers"
                / f"{project}_{name}" / "rootfs")

    def state(self, daemon):
        """All that must come back."""
        found = {}
        for project, name in self.places:
            one = daemon.get(f"/1.0/instances/{name}?project={project}")
            found[project, name] = (
                one["profiles"], one["devices"], one["description"],
                {key: value for key, value in one["config"].items()
                 if not key.startswith(("volatile.", "image."))},
                identity_of_files(self.root(daemon, project, name)))
        for project in ("shop", "garden"):
            one = daemon.get(f"/1.0/projects/{project}")
            found[project] = one["description"], one["config"]
        for project, name in (("shop", "default"), ("default", "garden-sunny")):
            one = daemon.get(f"/1.0/profiles/{name}?project={project}")
            found["profile", project] = (one["description"], one["config"],
                                         one["devices"])
        return found

    @staticmethod
    def wipe(daemon):
        for url in daemon.get("/1.0/instances?all-projects=true"):
            name, _, project = url.rpartition("/")[2].partition("?project=")
            if project in ("shop", "garden"):
                crowds.remove(daemon, project, name)
        Shop.lose_photos(daemon)
        for project in ("shop", "garden"):
            daemon.incus("project", "delete", project, check=False)
        daemon.incus("profile", "delete", "garden-sunny", check=False)


@contextlib.contextmanager
def mount(*words):
    subprocess.run(["mount", *words], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", words[-1]], check=True)


@pytest.fixture(scope="module")
def nas():
    """/mnt and /dev/shm are our own meanwhile."""
    with mount("-t", "tmpfs", "none", "/mnt"), mount(
            "-t", "tmpfs", "none", "/dev/shm"):
        for path in (DIRECTORY, pathlib.Path("/mnt/usb")):
            path.mkdir(parents=True)
        yield


@pytest.fixture(scope="module")
def ring(tmp_path_factory, nas):
    del nas
    made = KeyRing(tmp_path_factory.mktemp("old-keys"))
    made.make("me", "Me <me@example.org>", "future-default", "default",
              "never")
    pathlib.Path("/mnt/usb/secret.asc").write_bytes(
        made.gpg("--armor", "--export-secret-keys"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def shop(lab, ring):
    """Backed up on the older daemon, as a night does it."""
    old = lab["6"]
    try:
        made = Shop(old)
        made.was = made.state(old)
        made.create = old.anklume(
            "--json", "backup", "create", "--all", *NO_OTHERS, "--gpg",
            "me@example.org", "-o", DIRECTORY, env=ring.env)
        assert made.create.status == 0, made.create
        yield made
    finally:
        for daemon in lab.values():
            Shop.wipe(daemon)


@pytest.fixture
def new(lab, shop, tmp_path):
    """Another host, which knows nothing, and has an empty key ring."""
    for path in RECORD.parent.iterdir():
        shutil.rmtree(path)
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    host = Host(lab["7"], tmp_path, home)
    yield host
    shop.wipe(lab["7"])
    subprocess.run(["gpgconf", "--kill", "all"], check=False,
                   env={**os.environ, "GNUPGHOME": str(home)})


def description():
    return sorted(DIRECTORY.glob("host-*.json*"))


@pytest.fixture
def only_ours(shop, ring):
    """The description without what others have on a shared lab, whose default
    profile is not ours to write either."""
    del shop
    [path] = description()
    before = path.read_bytes()
    said = json.loads(ring.gpg("-d", stdin=before))
    said["projects"] = [one for one in said["projects"]
                        if one["name"] in ("default", "garden", "shop")]
    said["profiles"] = [one for one in said["profiles"] if
                        (one["project"], one["name"]) in (
                            ("shop", "default"), ("default", "garden-sunny"))]
    path.write_bytes(ring.gpg("-e", "-r", "me@example.org",
                              stdin=json.dumps(said).encode()))
    yield
    path.write_bytes(before)


# The page -------------------------------------------------------------------

def test_the_page(new, shop, only_ours):
    """Every command of it, in its order, ends well; all is as it was."""
    del only_ours
    before = {path: path.read_bytes() for path in DIRECTORY.rglob("*")
              if path.is_file()}
    page = DOCS / "disaster-recovery.md"
    steps = blocks(page, "run")
    start = [i for i, text in enumerate(steps) if "incus start" in text]
    assert len(steps) > 8 and start == [len(steps) - 1]
    said = [new.run("set -e -o pipefail\n" + text) for text in steps[:-1]]
    assert shop.state(new.daemon) == shop.was
    assert shop.sea(new.daemon).read_text() == "blue\n"
    assert said[-2].out.count("exists already") == len(shop.places) + 1
    assert "will be restored" not in said[-2].out
    new.run("set -e\n" + steps[-1])
    for name in NAMES:
        state = new.daemon.get(f"/1.0/instances/{name}/state?project=shop")
        assert state["status"] == "Running"
        mark = new.daemon.read(name, "/root/mark", "shop")
        assert mark == f"shop/{name}\n".encode()
    assert before == {path: path.read_bytes() for path in
                      DIRECTORY.rglob("*") if path.is_file()}
    check_the_rest(new, shop, page)


def check_the_rest(new, shop, page):
    """The parts that stand for themselves, each on its own loss."""
    [one], [files], [stock], [drill] = (
        blocks(page, f"run: {name}")
        for name in ("one", "files", "stock", "drill"))
    root = shop.root(new.daemon, "shop", "web")
    for text in (one, stock):
        crowds.remove(new.daemon, "shop", "web")
        if text == one:
            shop.lose_photos(new.daemon)
        new.run("set -e\n" + text)
        assert root.joinpath("root/mark").read_text() == "shop/web\n"
    root.joinpath("root/mark").unlink()
    new.run("set -e\n" + files)
    assert root.joinpath("root/mark").read_text() == "shop/web\n"
    assert pathlib.Path("/dev/shm/mark").read_text() == "shop/web\n"
    assert "runs: " in new.run("set -e\n" + drill).out
    check_the_volume(new, shop, page)


def check_the_volume(new, shop, page):
    [volume], [inside], [stock] = (
        blocks(page, f"run: {name}")
        for name in ("volume", "inside", "import"))
    assert shop.sea(new.daemon).read_text() == "blue\n"
    new.run("set -e\n" + volume)
    assert shop.sea(new.daemon, "photos-then").read_text() == "blue\n"
    new.run("set -e\n" + inside)
    assert pathlib.Path("/dev/shm/sea.jpg").read_text() == "blue\n"
    crowds.remove(new.daemon, "shop", "web")
    shop.lose_photos(new.daemon)
    new.run("set -e\n" + stock)
    assert shop.sea(new.daemon).read_text() == "blue\n"
    # What is there, it leaves alone.
    shop.sea(new.daemon).write_text("grey\n")
    new.run("set -e\n" + stock)
    assert shop.sea(new.daemon).read_text() == "grey\n"


def test_both_pages_have_the_same_commands():
    english, french = (blocks(DOCS / f"disaster-recovery{suffix}.md")
                       for suffix in ("", ".fr"))
    assert [text for text in english if "WHAT HAPPENS" not in text] == [
        text for text in french if "CE QUI SE PASSE" not in text]
    for name in ("run", "run: one", "run: files", "run: stock", "run: drill",
                 "run: volume", "run: inside", "run: import"):
        assert blocks(DOCS / "disaster-recovery.md", name) == blocks(
            DOCS / "disaster-recovery.fr.md", name) != []


# Without the description ----------------------------------------------------

def test_archives_alone(new, shop, ring):
    """The projects come with the profiles of default, and nothing else is
    lost."""
    done = new.daemon.anklume("backup", "adopt", DIRECTORY, "--yes",
                              env=ring.env)
    assert done.status == 0, done
    done = new.daemon.anklume("backup", "restore", "--all", "--from",
                              DIRECTORY, "--create-missing", env=ring.env)
    assert done.status == 0, done
    assert "created the profile 'garden-sunny' in 'default'" in done.err
    for project, name in shop.places:
        pool = "default" if project == "garden" else "bt"
        one = new.daemon.get(f"/1.0/instances/{name}?project={project}")
        was = shop.was[project, name]
        assert one["profiles"] == was[0]
        assert one["expanded_devices"]["root"]["pool"] == pool
        assert identity_of_files(shop.root(new.daemon, project, name)) == (
            was[-1])
    assert shop.sea(new.daemon).read_text() == "blue\n"
    garden = new.daemon.get("/1.0/profiles/garden-sunny?project=default")
    assert garden["config"] == {"limits.processes": "400"}


# What a run over a whole host writes -----------------------------------------

def test_the_description(lab, shop, ring):
    """Encrypted as the archives are, and in plain nowhere."""
    [path] = description()
    assert re.fullmatch(r"host-[\w.-]+-\d{8}-\d{6}\.json\.gpg", path.name)
    assert path.stat().st_mode & 0o777 == 0o600
    said = json.loads(ring.gpg("-d", stdin=path.read_bytes()))
    assert set(said) == {"format", "server", "created_at", "projects",
                         "profiles", "networks", "network_acls",
                         "storage_pools"}
    assert said["format"] == 1
    server = lab["6"].get("/1.0")["environment"]
    assert said["server"] == {
        "name": server["server_name"], "incus": server["server_version"],
        "fingerprint": server["certificate_fingerprint"]}
    profiles = {(one["project"], one["name"]): one
                for one in said["profiles"]}
    assert profiles["shop", "default"]["config"]["user.secret"] == SECRET
    assert ("default", "garden-sunny") in profiles
    assert not any(project == "garden" for project, _ in profiles)
    projects = {one["name"]: one for one in said["projects"]}
    assert projects["shop"]["config"]["user.owner"] == "ann"
    assert {"default", "bt"} <= {one["name"] for one in said["storage_pools"]}
    assert not any("used_by" in one for kind in said.values()
                   if isinstance(kind, list) for one in kind)
    for one in DIRECTORY.rglob("*"):
        assert not one.is_file() or SECRET.encode() not in one.read_bytes()


def test_how_to_restore_lies_beside(shop, ring, lab):
    path = DIRECTORY / "RESTORE.txt"
    text = path.read_text()
    for said in ("anklume backup adopt .", "restore --all --from . ",
                 "| incus import - NAME --project PROJECT",
                 "incus storage volume import POOL /dev/stdin NAME",
                 "gpg --decrypt HOST.json.gpg | jq .projects"):
        assert said in text
    assert path.stat().st_mode & 0o777 == 0o600
    # Neither is a backup.
    listed = lab["6"].anklume("backup", "list", "--from", DIRECTORY, "--json",
                              env=ring.env)
    assert len(listed.json()["backups"]) == len(shop.places) + 1, listed


def test_another_night(lab, shop, ring, tmp_path):
    """A second description, and one RESTORE.txt; in plain without a key."""
    del shop, ring
    words = ["backup", "create", "--all", *NO_OTHERS, "--exclude", "shop/*",
             "-o", tmp_path]
    for count in range(2):
        (tmp_path / "RESTORE.txt").write_text("mine")

        def another():
            done = lab["6"].anklume(*words)
            # Both have the name of their second.
            return done.status == 0 and len(list(
                tmp_path.glob("host-*.json"))) > count

        wait_for(another, "another description")
        assert "RESTORE" not in (tmp_path / "RESTORE.txt").read_text()[:4]
        assert "anklume" in (tmp_path / "RESTORE.txt").read_text()
    found = json.loads(sorted(tmp_path.glob("host-*.json"))[0].read_text())
    assert found["format"] == 1


@pytest.mark.parametrize("words", [
    ["--all", "--project", "shop"], ["shop/*"], ["shop/web", "shop/db"],
    ["--all", *NO_OTHERS, "-n"]])
def test_only_a_run_over_a_whole_host_writes_it(lab, shop, tmp_path, words):
    del shop
    done = lab["6"].anklume("backup", "create", *words, "-o", tmp_path)
    assert done.status == 0, done
    assert not list(tmp_path.glob("host-*"))
    assert not (tmp_path / "RESTORE.txt").exists()
