"""portal copy -r: trees arrive as they are, and go where cp would put them."""

import os
import pathlib
import shlex
import signal
import stat
import subprocess

import pytest

from backups import wait_for
from places import leftovers
from test_copy import KINDS, NAMES, ROUTES, noise

OLD = 1_500_000_000


def fill(top, owner=True):
    """A tree with something of everything that is copied."""
    top.mkdir(parents=True, exist_ok=True)
    for name in ("empty", "deep/er/est", "closed"):
        (top / name).mkdir(parents=True)
    for i in range(150):
        (top / "deep" / f"small-{i}").write_bytes(noise(i * 37))
    for size in (0, 32768, 32769, 131073, 524288, 524289, 3_000_001):
        (top / f"size-{size}").write_bytes(noise(size))
    (top / "link").symlink_to("deep/small-1")
    (top / "dangling").symlink_to("/no/such/place")
    (top / "deep" / "upwards").symlink_to("..")
    (top / "deep" / "er" / "script").write_bytes(b"#!/bin/sh\n")
    (top / "deep" / "er" / "script").chmod(0o751)
    (top / "closed" / "secret").write_bytes(b"secret")
    (top / "closed" / "secret").chmod(0o600)
    if owner:
        os.chown(top / "closed", 1000, 1001)
        os.chown(top / "closed" / "secret", 1000, 1001)
    (top / "closed").chmod(0o2750 & 0o777)
    for path in sorted(top.rglob("*"), reverse=True):
        os.utime(path, (OLD, OLD), follow_symlinks=False)
    os.utime(top, (OLD, OLD))


def facts(top, owner=True):
    """All that must be the same on both sides, by path."""
    found = {}
    for path in [top, *sorted(top.rglob("*"))]:
        about = path.lstat()
        name = os.fsencode(path.relative_to(top))
        if stat.S_ISLNK(about.st_mode):
            found[name] = ("link", os.readlink(path))
            continue
        found[name] = (
            about.st_mode, int(about.st_mtime),
            (about.st_uid, about.st_gid) if owner else None,
            path.read_bytes() if stat.S_ISREG(about.st_mode) else None)
    return found


def copy(daemon, *words, status=0):
    result = daemon.anklume("portal", "copy", "-r", *words)
    assert result.status == status, result
    return result


@pytest.mark.parametrize("source, destination", ROUTES)
def test_between_instances(daemon, make_place, source, destination):
    here, there = make_place(*KINDS[source]), make_place(*KINDS[destination])
    fill(here.files / "tree")
    result = copy(daemon, here.at("tree"), there.at("copy"))
    assert result.err == ""
    assert facts(there.files / "copy") == facts(here.files / "tree")
    assert leftovers(there.files) == []


def test_from_this_side(daemon, here, tmp_path):
    fill(tmp_path / "tree")
    os.chown(here.files, 1234, 1235)
    copy(daemon, tmp_path / "tree", here.at())
    assert facts(here.files / "tree", False) == facts(tmp_path / "tree", False)
    owners = {(path.lstat().st_uid, path.lstat().st_gid)
              for path in (here.files / "tree").rglob("*")
              if not path.is_symlink()}
    assert owners == {(1234, 1235)}


def test_to_this_side(daemon, here, tmp_path):
    fill(here.files / "tree")
    copy(daemon, here.at("tree"), tmp_path / "copy")
    assert facts(tmp_path / "copy", False) == facts(here.files / "tree", False)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name(daemon, here, there, name):
    (here.files / "tree" / name).mkdir(parents=True)
    (here.files / "tree" / name / name).write_bytes(b"content")
    copy(daemon, here.at("tree"), there.at("copy"))
    assert (there.files / "copy" / name / name).read_bytes() == b"content"


# Where the top goes: each row as cp -r does it.

@pytest.mark.parametrize("spelled, there_is, arrives", [
    ("tree", None, "to/x"),
    ("tree/", None, "to/x"),
    ("tree", "to", "to/tree/x"),
    ("tree/", "to", "to/tree/x"),
    ("tree/.", "to", "to/x"),
    ("tree/.", None, "to/x"),
    ("tree", "to/tree", "to/tree/x"),
])
@pytest.mark.parametrize("slash", ["", "/"])
def test_where_the_top_goes(daemon, here, there, tmp_path, spelled, there_is,
                            arrives, slash):
    (here.files / "tree").mkdir()
    (here.files / "tree" / "x").write_bytes(b"x")
    for top in (there.files, tmp_path):
        if there_is:
            (top / there_is).mkdir(parents=True)
    copy(daemon, here.at(spelled), there.at("to" + slash))
    assert (there.files / arrives).read_bytes() == b"x"
    copy(daemon, here.at(spelled), f"{tmp_path}/to{slash}")
    assert (tmp_path / arrives).read_bytes() == b"x"


def test_several_sources(daemon, here, there):
    for name in ("one", "two"):
        (here.files / name).mkdir()
        (here.files / name / "file").write_bytes(name.encode())
    here.write("single", b"single")
    copy(daemon, here.at("one/"), here.at("two/"), here.at("single"),
         there.at())
    assert there.read("one/file") == b"one"
    assert there.read("two/file") == b"two"
    assert there.read("single") == b"single"


def test_two_sources_of_one_name(daemon, here, there):
    for name in ("a/tree", "b/tree"):
        (here.files / name).mkdir(parents=True)
        (here.files / name / name[0]).write_bytes(b"x")
    result = copy(daemon, here.at("a/tree/"), here.at("b/tree"), there.at(),
                  status=2)
    assert "the same name" in result.err
    assert os.listdir(there.files) == []
    copy(daemon, here.at("a/tree/."), here.at("b/tree/."), there.at())
    assert sorted(os.listdir(there.files)) == ["a", "b"]


def test_a_missing_parent(daemon, here, there, tmp_path):
    (here.files / "tree").mkdir()
    (here.files / "tree" / "x").write_bytes(b"x")
    assert "-p" in copy(daemon, here.at("tree"), there.at("no/such"),
                        status=6).err
    assert "-p" in copy(daemon, here.at("tree"), tmp_path / "no/such",
                        status=6).err
    assert not (there.files / "no").exists()
    copy(daemon, "-p", here.at("tree"), there.at("no/such"))
    assert there.read("no/such/x") == b"x"
    copy(daemon, "-p", here.at("tree"), tmp_path / "no/such")
    assert (tmp_path / "no/such/x").read_bytes() == b"x"


def test_a_directory_over_a_file(daemon, here, there, tmp_path):
    (here.files / "tree").mkdir()
    there.write("file", b"kept")
    (tmp_path / "file").write_bytes(b"kept")
    copy(daemon, here.at("tree"), there.at("file"), status=8)
    copy(daemon, here.at("tree"), tmp_path / "file", status=8)
    assert there.read("file") == b"kept"
    assert (tmp_path / "file").read_bytes() == b"kept"


def test_what_exists_is_merged(daemon, here, there, tmp_path):
    fill(here.files / "tree")
    for top in (there.files / "tree", tmp_path / "tree"):
        (top / "deep").mkdir(parents=True)
        (top / "deep" / "mine").write_bytes(b"mine")
        (top / "deep" / "small-3").write_bytes(b"old")
        os.chown(top / "deep" / "small-3", 77, 78)
        (top / "deep" / "small-3").chmod(0o604)
        (top / "deep").chmod(0o711)
    copy(daemon, here.at("tree"), there.at())
    copy(daemon, here.at("tree"), tmp_path)
    for top in (there.files / "tree", tmp_path / "tree"):
        about = (top / "deep" / "small-3").stat()
        assert (top / "deep" / "mine").read_bytes() == b"mine"
        assert (top / "deep" / "small-3").read_bytes() == noise(3 * 37)
        assert (about.st_uid, about.st_gid) == (77, 78)
        assert stat.S_IMODE(about.st_mode) == 0o604
        assert stat.S_IMODE((top / "deep").stat().st_mode) == 0o711


def test_owner_and_mode_that_are_asked_for(daemon, here, there, tmp_path):
    fill(here.files / "tree")
    asked = ("--uid", "11", "--gid", "12", "--mode", "640")
    copy(daemon, *asked, here.at("tree"), there.at("copy"))
    copy(daemon, *asked, here.at("tree"), tmp_path / "copy")
    for top in (there.files / "copy", tmp_path / "copy"):
        for path in [top, *top.rglob("*")]:
            about = path.lstat()
            if path.is_symlink():
                continue
            assert (about.st_uid, about.st_gid) == (11, 12), path
            if path.is_file():
                assert stat.S_IMODE(about.st_mode) == 0o640, path


def test_setuid_is_dropped_unless_it_is_to_be_kept(daemon, make_box):
    here, there = make_box(), make_box()
    here.exec("sh", "-c", "mkdir /t; echo x >/t/f; chown 5:6 /t/f;"
                          "chmod 6755 /t/f")

    def mode(path):
        return there.exec("stat", "-c", "%a %u %g", path).out.strip()

    copy(daemon, here.place("/t"), there.place("/dropped"))
    assert mode("/dropped/f") == "755 5 6"
    # Incus 6.0 cannot set these bits.
    copy(daemon, "--keep-setuid", here.place("/t"), there.place("/kept"),
         status=0 if daemon.version == "7" else 3)
    if daemon.version == "7":
        assert mode("/kept/f") == "6755 5 6"
    else:
        assert there.exec("ls", "/kept").out == ""


def test_special_files_are_skipped_and_named(daemon, here, there, tmp_path):
    top = here.files / "tree"
    top.mkdir()
    os.mkfifo(top / "fifo")
    os.mknod(top / "device", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    (top / "file").write_bytes(b"file")
    for target in (there.at("copy"), tmp_path / "copy"):
        result = copy(daemon, here.at("tree"), target, "--json", status=3)
        assert '"skipped": 2' in result.out
        assert "fifo' is a FIFO" in result.err
        assert "device' is a device" in result.err
    assert sorted(os.listdir(there.files / "copy")) == ["file"]
    assert sorted(os.listdir(tmp_path / "copy")) == ["file"]


def test_update_copies_what_has_changed(daemon, here, there):
    fill(here.files / "tree")
    copy(daemon, here.at("tree"), there.at("copy"))
    (here.files / "tree" / "deep" / "small-7").write_bytes(b"new content")
    result = copy(daemon, "--update", "--json", here.at("tree/."),
                  there.at("copy"))
    assert '"copied": 4,' in result.out     # and the three links
    assert there.read("copy/deep/small-7") == b"new content"


def test_no_clobber(daemon, here, there, tmp_path):
    fill(here.files / "tree")
    for top, target in ((there.files, there.at()), (tmp_path, tmp_path)):
        (top / "tree").mkdir()
        (top / "tree" / "size-0").write_bytes(b"kept")
        copy(daemon, "--no-clobber", here.at("tree"), target)
        assert (top / "tree" / "size-0").read_bytes() == b"kept"
        assert (top / "tree" / "size-32769").read_bytes() == noise(32769)
        assert leftovers(top) == []


def test_into_a_directory_with_setgid(daemon, here, there):
    """Its group is not that of the files which come from elsewhere."""
    fill(here.files / "tree")
    copy(daemon, here.at("tree"), there.at("plain"))
    top = there.files / "copy"
    top.mkdir()
    os.chown(top, 0, 50)
    top.chmod(0o2775)
    copy(daemon, here.at("tree/."), there.at("copy"))
    expected = facts(there.files / "plain")
    found = facts(top)
    del expected[b"."], found[b"."]
    regular = {name: about for name, about in expected.items()
               if about[0] != "link" and stat.S_ISREG(about[0])}
    assert {name: found[name] for name in regular} == regular


def test_links_are_not_followed_on_this_side(daemon, here, tmp_path):
    """Neither a link in place of a directory, nor one in place of a file."""
    (here.files / "tree" / "d").mkdir(parents=True)
    (here.files / "tree" / "d" / "f").write_bytes(b"evil")
    (here.files / "tree" / "g").write_bytes(b"evil")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "g").write_bytes(b"kept")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "d").symlink_to(outside)
    (tmp_path / "tree" / "g").symlink_to(outside / "g")
    copy(daemon, here.at("tree"), tmp_path, status=3)
    assert sorted(os.listdir(outside)) == ["g"]
    assert (outside / "g").read_bytes() == b"kept"


def test_a_thousand_levels(daemon, here, there, tmp_path):
    deep = pathlib.Path("tree", *["d"] * 1000)
    here.box.exec("sh", "-c", f"cd {here.path}; mkdir -p {deep};"
                              f"echo bottom >{deep}/file")
    copy(daemon, here.at("tree"), there.at("tree"))
    assert there.box.read(f"{there.path}/{deep}/file") == b"bottom\n"
    copy(daemon, here.at("tree"), tmp_path)
    assert (tmp_path / deep / "file").read_bytes() == b"bottom\n"
    subprocess.run(["rm", "-rf", tmp_path / "tree"], check=True)


def test_a_full_disk(daemon, here, make_box):
    """What has arrived is whole; the rest is named, and nothing is left."""
    box = make_box()
    box.exec("mkdir", "/mnt/small")
    box.exec("mount", "-t", "tmpfs", "-o", "size=1m", "none", "/mnt/small")
    fill(here.files / "tree")
    result = copy(daemon, here.at("tree"), box.place("/mnt/small"), status=3)
    assert "no space left" in result.err
    names = box.exec("find", "/mnt/small", "-name", ".anklume-*").out
    assert names.strip() == ""


def grow(top, count):
    """So many files that copying them takes a while."""
    top.mkdir()
    for i in range(count):
        directory = top / f"d{i % 20}"
        directory.mkdir(exist_ok=True)
        (directory / f"f{i}").write_bytes(noise(i % 3000))


def whole_files(top, source):
    """Every file under its own name is whole."""
    found = [path for path in top.rglob("*")
             if path.is_file() and not path.name.startswith(".anklume-")]
    for path in found:
        assert path.read_bytes() == (
            source / path.relative_to(top)).read_bytes(), path
    return found


def test_a_killed_copy_leaves_whole_files_and_goes_on(
        daemon, make_box, tmp_path):
    box = make_box()
    source = box.inner("/tree")
    grow(source, 3000)
    for target, top in ((box.place("/copy"), box.inner("/copy")),
                        (tmp_path / "copy", tmp_path / "copy")):
        for files in (1, 200, 1500):
            child = daemon.spawn("portal", "copy", "-r", "--update",
                                 box.place("/tree/."), target)
            wait_for(lambda f=files: top.exists() and sum(
                1 for _ in top.rglob("f*")) >= f, "some files")
            child.kill()
            child.wait()
            child.stdout.close()
            child.stderr.close()
            whole_files(top, source)
        copy(daemon, "--update", box.place("/tree/."), target)
        assert len(whole_files(top, source)) == 3000
        assert {stat.S_IMODE(path.stat().st_mode)
                for path in top.iterdir() if path.is_dir()} == {0o755}


def test_an_interrupted_copy_says_how_to_go_on(daemon, here, there):
    grow(here.files / "tree", 3000)
    words = ["--mode", "0640", "--verify"]
    with daemon.spawn("-q", "portal", "copy", "-r", *words, here.at("tree"),
                      there.at("copy")) as child:
        wait_for(lambda: any((there.files / "copy").rglob("f*")), "a file")
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert leftovers(there.files) == []
    whole_files(there.files / "copy", here.files / "tree")
    command = shlex.split(err.decode().splitlines()[-1])
    assert command == ["anklume", "portal", "copy", "-r", "--update",
                       "--verify", "--mode", "640", f"{here.at('tree')}/.",
                       there.at("copy")]
    assert daemon.anklume(*command[1:]).status == 0
    found = whole_files(there.files / "copy", here.files / "tree")
    assert len(found) == 3000
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o640}


def test_several_trees_go_on_together(daemon, here, there):
    grow(here.files / "one", 10)
    grow(here.files / "two", 3000)
    with daemon.spawn("copy", "-r", "--project", here.box.project,
                      here.at("one"), here.at("two"), there.at()) as child:
        wait_for(lambda: any((there.files / "two").rglob("f*")), "a file")
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    command = shlex.split(err.decode().splitlines()[-1])
    assert command[-3:] == [here.at("one"), here.at("two"), there.at()]
    assert daemon.anklume(*command[1:]).status == 0
    assert len(whole_files(there.files / "two", here.files / "two")) == 3000
