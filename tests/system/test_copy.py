"""portal copy: every byte arrives, from everywhere to everywhere."""

import os
import random
import resource

import pytest

from lab import DEADLINE_S

# Around one READ of both daemons (32 KiB, 128 KiB) and one WRITE (128 KiB), and
# beyond the windows of both.
SIZES = (0, 1, 32767, 32768, 32769, 131071, 131072, 131073, 5_000_003)

# Project, pool, and whether it runs.
KINDS = {
    "running-dir": ("work", "default", True),
    "running-btrfs": ("home", "bt", True),
    "stopped-dir": ("work", "default", False),
    "stopped-btrfs": ("home", "bt", False),
}

ROUTES = [
    ("running-dir", "running-btrfs"),
    ("running-dir", "stopped-btrfs"),
    ("stopped-btrfs", "running-dir"),
    ("stopped-dir", "stopped-btrfs"),
    ("running-btrfs", "running-btrfs"),
]

NAMES = {
    "spaces": " two  spaces ",
    "newline": "a\nb",
    "tab-and-bell": "\ta\a",
    "escape": "\x1b[31mred",
    "leading-dash": "-rf",
    "two-dashes": "--help",
    "hidden": ".hidden",
    "colon": "a:b",
    "shell": "$(id);`id`'\"*?\\",
    "percent": "100%20%s%n",
    "accents": "été",
    "not-utf8": os.fsdecode(b"\xff\xfe\x80"),
    "255-bytes": "n" * 255,
}


def noise(size):
    return random.Random(size).randbytes(size)


def copy(daemon, *words, **more):
    """A copy that works, and says nothing."""
    result = daemon.anklume("portal", "copy", *words, **more)
    assert (result.status, result.err) == (0, ""), result
    return result


@pytest.mark.parametrize("source, destination", ROUTES)
def test_between_instances(daemon, make_place, source, destination):
    here, there = make_place(*KINDS[source]), make_place(*KINDS[destination])
    here.write("letter", noise(300_000))
    copy(daemon, here.at("letter"), there.at("arrived"))
    assert there.box.read(f"{there.path}/arrived") == noise(300_000)


@pytest.mark.parametrize("size", SIZES)
def test_size_between_instances(daemon, here, there, size):
    here.write("data", noise(size))
    copy(daemon, here.at("data"), there.at("data"))
    assert there.read("data") == noise(size)


@pytest.mark.parametrize("size", SIZES)
def test_size_from_and_to_this_side(daemon, here, tmp_path, size):
    (tmp_path / "data").write_bytes(noise(size))
    copy(daemon, tmp_path / "data", here.at("data"))
    assert here.read("data") == noise(size)
    copy(daemon, here.at("data"), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == noise(size)


@pytest.mark.parametrize("size", SIZES)
def test_size_through_pipes(daemon, here, size):
    copy(daemon, "-", here.at("data"), stdin=noise(size))
    assert here.read("data") == noise(size)
    assert copy(daemon, here.at("data"), "-").raw == noise(size)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_name_survives_all_ends(daemon, here, there, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_bytes(b"dear reader\n")
    (tmp_path / "in").mkdir()
    copy(daemon, tmp_path / "out" / name, here.at())
    copy(daemon, here.at(name), there.at(name))
    copy(daemon, "--", there.at(name), tmp_path / "in")
    assert os.listdir(here.files) == [name]
    assert os.listdir(there.files) == [name]
    assert os.listdir(tmp_path / "in") == [name]


def test_relative_names_that_look_like_options(daemon, here, tmp_path):
    (tmp_path / "--json").write_bytes(b"1")
    copy(daemon, "--", "--json", here.at(), cwd=tmp_path)
    copy(daemon, "--", here.at("--json"), "-q", cwd=tmp_path)
    assert (tmp_path / "-q").read_bytes() == b"1"


def test_copy_is_short_for_portal_copy(daemon, here, there):
    here.write("a", b"1")
    assert daemon.anklume("copy", here.at("a"), there.at("b")).status == 0
    assert there.read("b") == b"1"


@pytest.mark.parametrize("slash", ["", "/"])
def test_into_a_directory_it_keeps_its_name(daemon, here, there, slash):
    here.write("a", b"1")
    (there.files / "inbox").mkdir()
    copy(daemon, here.at("a"), there.at("inbox" + slash))
    assert there.read("inbox/a") == b"1"


@pytest.mark.parametrize("slash", ["", "/"])
def test_into_a_local_directory_it_keeps_its_name(
        daemon, here, tmp_path, slash):
    here.write("a", b"1")
    copy(daemon, here.at("a"), f"{tmp_path}{slash}")
    assert (tmp_path / "a").read_bytes() == b"1"


def test_to_the_current_directory(daemon, here, tmp_path):
    here.write("a", b"1")
    copy(daemon, here.at("a"), ".", cwd=tmp_path)
    assert (tmp_path / "a").read_bytes() == b"1"


def test_to_a_bare_name_beside_us(daemon, here, tmp_path):
    here.write("a", b"1")
    copy(daemon, here.at("a"), "b", cwd=tmp_path)
    assert (tmp_path / "b").read_bytes() == b"1"


def test_several_sources_of_several_kinds(daemon, here, there, tmp_path):
    here.write("a", b"1")
    there.write("b", b"2")
    (tmp_path / "c").write_bytes(b"3")
    (here.files / "all").mkdir()
    copy(daemon, here.at("a"), there.at("b"), tmp_path / "c", here.at("all"))
    assert [here.read(f"all/{name}") for name in "abc"] == [b"1", b"2", b"3"]


def test_many_sources_with_few_descriptors(daemon, here, tmp_path):
    """One session at a time is open, however many sources there are."""
    sources = [here.write(f"f{i}") for i in range(60)]
    child = daemon.spawn(
        "copy", *sources, tmp_path,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (40, 40)))
    _, err = child.communicate(timeout=DEADLINE_S)
    assert (child.returncode, err) == (0, b"")
    assert len(os.listdir(tmp_path)) == 60


@pytest.mark.parametrize("slash", ["", "/"])
def test_missing_directories_are_made(daemon, here, there, slash):
    here.write("a", b"1")
    name = "x/y/z" + slash
    copy(daemon, "-p", here.at("a"), there.at(name))
    assert there.read("x/y/z/a" if slash else "x/y/z") == b"1"


@pytest.mark.parametrize("slash", ["", "/"])
def test_missing_local_directories_are_made(daemon, here, tmp_path, slash):
    here.write("a", b"1")
    copy(daemon, "--create-dirs", here.at("a"), f"{tmp_path}/x/y{slash}")
    made = tmp_path / "x" / "y"
    assert (made / "a" if slash else made).read_bytes() == b"1"


def test_dry_run_writes_nothing(daemon, here, there):
    here.write("a", b"1")
    result = daemon.anklume("-n", "copy", "-p", here.at("a"), there.at("x/a"))
    assert result.status == 0
    assert f"would copy '{here.at('a')}'" in result.err
    assert os.listdir(there.files) == []


@pytest.mark.parametrize("target", ["real", "/PLACE/real", "hop", "sub/up"])
def test_symlink_as_destination_is_followed_inside(
        daemon, here, there, target):
    (there.files / "sub").mkdir()
    there.write("real", b"old")
    (there.files / "hop").symlink_to("real")
    (there.files / "sub/up").symlink_to("../hop")
    (there.files / "link").symlink_to(target.replace("/PLACE", there.path))
    here.write("a", b"new")
    copy(daemon, here.at("a"), there.at("link"))
    assert there.read("real") == b"new"
    assert (there.files / "link").is_symlink()


def test_dangling_symlink_as_destination_is_filled(daemon, here, there):
    (there.files / "link").symlink_to("later")
    here.write("a", b"new")
    copy(daemon, here.at("a"), there.at("link"))
    assert there.read("later") == b"new"


def test_symlinked_directory_as_destination(daemon, here, there):
    (there.files / "real").mkdir()
    (there.files / "link").symlink_to(f"{there.path}/real")
    here.write("a", b"new")
    copy(daemon, here.at("a"), there.at("link"))
    assert there.read("real/a") == b"new"


@pytest.mark.parametrize("target", ["real", "/PLACE/real", "hop"])
def test_symlink_as_source_is_followed(daemon, here, there, target):
    here.write("real", b"1")
    (here.files / "hop").symlink_to("real")
    (here.files / "link").symlink_to(target.replace("/PLACE", here.path))
    copy(daemon, here.at("link"), there.at())
    assert there.read("link") == b"1"


def test_local_symlinks_are_followed(daemon, here, tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    here.write("a", b"new")
    copy(daemon, here.at("a"), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    copy(daemon, tmp_path / "link", here.at("b"))
    assert here.read("b") == b"new"


def test_file_of_a_kernel_file_system_is_reached(daemon, here):
    """A path that only exists in the running instance's own mounts."""
    here.box.exec("mount", "-t", "tmpfs", "none", "/mnt")
    copy(daemon, "-", here.box.place("/mnt/a"), stdin=b"1")
    assert here.box.exec("cat", "/mnt/a").raw == b"1"
    here.box.exec("umount", "/mnt")
