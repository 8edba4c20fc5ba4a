"""portal copy: owner, mode and time on arrival, by the table of the design."""

import os
import stat
import subprocess

import pytest

from backups import wait_for
from places import leftovers, owner_and_mode

MTIME = 1_234_567_890

# The ids of a user of the box, and some that no one there has.
USER, NOBODY_KNOWN = (1000, 1000), (123456, 654321)


def copy(daemon, *words, **more):
    result = daemon.anklume("portal", "copy", *words, **more)
    assert (result.status, result.err) == (0, ""), result


def mode_of(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("owner", [(0, 0), USER, NOBODY_KNOWN])
@pytest.mark.parametrize("mode, arrives", [
    (0o600, 0o600), (0o444, 0o444), (0o777, 0o777), (0o000, 0o000),
    (0o4755, 0o755), (0o2755, 0o755), (0o6711, 0o711)])
def test_instance_to_instance(daemon, here, there, owner, mode, arrives):
    here.write("a", b"1", mode, owner)
    copy(daemon, here.at("a"), there.at("a"))
    assert owner_and_mode(there.files / "a") == (*owner, arrives)


def test_ids_are_those_that_the_instances_see(daemon, here, there):
    here.write("a", owner=USER)
    copy(daemon, here.at("a"), there.at("a"))
    seen = there.box.exec("stat", "-c", "%u %g", f"{there.path}/a").out
    assert seen == "1000 1000\n"


@pytest.mark.parametrize("owner", [(0, 0), USER])
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
def test_local_to_instance(daemon, here, tmp_path, owner, mode):
    """The directory's owner, whatever the caller's umask."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "a").chmod(mode)
    os.chown(tmp_path / "a", 4321, 4321)
    os.chown(here.files, *owner)
    copy(daemon, tmp_path / "a", here.at("a"))
    assert owner_and_mode(here.files / "a") == (*owner, mode)


@pytest.mark.parametrize("source", ["local", "instance"])
def test_new_directories_get_the_owner_of_what_they_are_in(
        daemon, here, there, tmp_path, source):
    """And a local file that of the new directory."""
    (tmp_path / "a").write_bytes(b"1")
    there.write("a", b"1", 0o644, NOBODY_KNOWN)
    (here.files / "home").mkdir()
    os.chown(here.files / "home", *USER)
    word = tmp_path / "a" if source == "local" else there.at("a")
    copy(daemon, "-p", word, here.at("home/x/y/a"))
    for name in ("home/x", "home/x/y"):
        assert owner_and_mode(here.files / name) == (*USER, 0o755)
    assert owner_and_mode(here.files / "home/x/y/a") == (
        *(USER if source == "local" else NOBODY_KNOWN), 0o644)


def test_new_directories_in_one_of_a_group(daemon, here, tmp_path):
    """setgid hands the group on by itself."""
    (tmp_path / "a").write_bytes(b"1")
    (here.files / "team").mkdir()
    os.chown(here.files / "team", 0, 1000)
    (here.files / "team").chmod(0o2775)
    copy(daemon, "-p", tmp_path / "a", here.at("team/x/a"))
    assert owner_and_mode(here.files / "team/x") == (0, 1000, 0o2755)
    assert owner_and_mode(here.files / "team/x/a") == (0, 1000, 0o644)


def test_stdin_to_instance(daemon, here):
    os.chown(here.files, *USER)
    copy(daemon, "-", here.at("a"), stdin=b"1")
    assert owner_and_mode(here.files / "a") == (*USER, 0o644)


@pytest.mark.parametrize("umask, arrives", [
    (0o022, 0o755), (0o077, 0o700), (0o000, 0o777)])
def test_instance_to_local(daemon, here, tmp_path, umask, arrives):
    here.write("a", b"1", 0o6777, USER)
    child = daemon.spawn("copy", here.at("a"), tmp_path, umask=umask)
    assert child.wait(60) == 0
    assert owner_and_mode(tmp_path / "a") == (
        os.geteuid(), os.getegid(), arrives)


@pytest.mark.parametrize("source", ["instance", "local", "stdin"])
def test_destination_keeps_its_own(daemon, here, there, tmp_path, source):
    there.write("a", b"old", 0o640, USER)
    here.write("a", b"new", 0o777, NOBODY_KNOWN)
    (tmp_path / "a").write_bytes(b"new")
    word = {"instance": here.at("a"), "local": tmp_path / "a", "stdin": "-"}
    copy(daemon, word[source], there.at("a"), stdin=b"new")
    assert there.read("a") == b"new"
    assert owner_and_mode(there.files / "a") == (*USER, 0o640)


def test_local_destination_keeps_its_own(daemon, here, tmp_path):
    here.write("a", b"new", 0o777)
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o604)
    os.chown(tmp_path / "a", 4321, 1234)
    copy(daemon, here.at("a"), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert owner_and_mode(tmp_path / "a") == (4321, 1234, 0o604)


def test_mtime_is_kept_everywhere(daemon, here, there, tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    os.utime(tmp_path / "a", (MTIME, MTIME))
    copy(daemon, tmp_path / "a", here.at("a"))
    copy(daemon, here.at("a"), there.at("a"))
    copy(daemon, there.at("a"), tmp_path / "back")
    for path in (here.files / "a", there.files / "a", tmp_path / "back"):
        assert path.stat().st_mtime == MTIME


def test_mtime_also_where_something_was(daemon, here, there):
    here.write("a", b"new", mtime=MTIME)
    there.write("a", b"old")
    copy(daemon, here.at("a"), there.at("a"))
    assert (there.files / "a").stat().st_mtime == MTIME


def test_uid_gid_and_mode_are_obeyed(daemon, here, there):
    here.write("a", b"1", 0o600, USER)
    copy(daemon, "--uid", "7", "--gid=8", "--mode", "751", here.at("a"),
         there.at("a"))
    assert owner_and_mode(there.files / "a") == (7, 8, 0o751)


def test_uid_alone_leaves_the_rest(daemon, here, there):
    here.write("a", b"1", 0o640, USER)
    copy(daemon, "--uid", "0", here.at("a"), there.at("a"))
    assert owner_and_mode(there.files / "a") == (0, USER[1], 0o640)


def test_uid_gid_and_mode_also_where_something_was(daemon, here, there):
    here.write("a", b"new")
    there.write("a", b"old", 0o600, USER)
    copy(daemon, "--uid", "7", "--gid", "8", "--mode", "0644", here.at("a"),
         there.at("a"))
    assert owner_and_mode(there.files / "a") == (7, 8, 0o644)


def test_mode_is_exact_on_this_side(daemon, here, tmp_path):
    """No umask takes from what was asked for; something there or not."""
    here.write("a", b"1", 0o600)
    for _ in range(2):
        child = daemon.spawn("copy", "--mode", "0666", here.at("a"),
                             tmp_path / "a", umask=0o077)
        assert child.wait(60) == 0
        assert mode_of(tmp_path / "a") == 0o666


@pytest.mark.parametrize("option", ["--uid", "--gid"])
def test_owner_is_obeyed_on_this_side(daemon, here, tmp_path, option):
    here.write("a", b"1", 0o600)
    copy(daemon, option, "4321", here.at("a"), tmp_path / "a")
    about = (tmp_path / "a").stat()
    assert (about.st_uid, about.st_gid) == (
        (4321, 0) if option == "--uid" else (0, 4321))


def check_setuid(daemon, there, result, mode):
    """6.0.4 cannot set these bits: then nothing is copied, and it is said."""
    if daemon.version == "6":
        assert result.status == 1, result
        assert f"cannot set the mode {mode:04o}" in result.err
        assert os.listdir(there.files) == []
    else:
        assert (result.status, result.err) == (0, ""), result
        assert owner_and_mode(there.files / "a") == (*USER, mode)


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6755])
def test_keep_setuid(daemon, here, there, mode):
    here.write("a", b"1", mode, USER)
    result = daemon.anklume("copy", "--keep-setuid", here.at("a"),
                            there.at("a"))
    check_setuid(daemon, there, result, mode)


def test_mode_may_ask_for_setuid(daemon, here, there):
    here.write("a", b"1", owner=USER)
    result = daemon.anklume("copy", "--mode", "4755", here.at("a"),
                            there.at("a"))
    check_setuid(daemon, there, result, 0o4755)


def test_secret_is_never_readable_on_its_way(daemon, here, there):
    """What is not whole yet is its owner's alone."""
    child = daemon.spawn("copy", "--mode", "0644", "-", there.at("a"),
                         stdin=subprocess.PIPE)
    child.stdin.write(b"1" * 1_000_000)
    child.stdin.flush()
    [part] = wait_for(lambda: leftovers(there.files), "a temporary file")
    assert mode_of(part) == 0o600
    child.communicate()
    assert child.returncode == 0
    assert mode_of(there.files / "a") == 0o644


@pytest.mark.parametrize("option", ["--uid", "--gid"])
@pytest.mark.parametrize("value", ["", "-1", "root", "4294967295", "1x", "0x1"])
def test_bad_ids_are_refused(daemon, here, option, value):
    here.write("a", b"1")
    result = daemon.anklume("copy", f"{option}={value}", here.at("a"),
                            here.at("b"))
    assert result.status == 2
    assert option in result.err


@pytest.mark.parametrize("value", ["", "8", "u+x", "10000", "-644", "0o644"])
def test_bad_modes_are_refused(daemon, here, value):
    here.write("a", b"1")
    result = daemon.anklume("copy", f"--mode={value}", here.at("a"),
                            here.at("b"))
    assert result.status == 2
    assert "--mode" in result.err
