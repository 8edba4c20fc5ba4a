"""Files out of archives that are built here: no daemon is asked. What the real
ones export is met in tests/system/test_extract.py."""

import json
import os
import stat
import subprocess

import pytest

import tar_writer as tw
from backup_builder import ROOTFS, Builder
from hostile import HOSTILE

EARLY = "read no further than needed"


def a_container(**where):
    made = Builder(snapshots=("s0",), **where)
    made.add("rootfs/bin", kind=tw.SYMLINK, link="usr/bin")
    made.add("rootfs/etc", kind=tw.DIR)
    made.add("rootfs/etc/empty", b"")
    made.add("rootfs/etc/hosts", b"127.0.0.1 localhost\n")
    made.add("rootfs/etc/localtime", kind=tw.SYMLINK,
             link="/usr/share/zone")
    made.add("rootfs/etc/ssl", kind=tw.DIR)
    made.add("rootfs/etc/ssl/a.conf", b"a")
    made.add("rootfs/etc/ssl/first", b"one file")
    made.add("rootfs/etc/ssl/second", kind=tw.HARD,
             link=ROOTFS + "/etc/ssl/first")
    made.add("rootfs/loop", kind=tw.SYMLINK, link="loop")
    made.add("rootfs/run", kind=tw.DIR)
    made.add("rootfs/run/pipe", kind=tw.FIFO)
    made.add("rootfs/srv", kind=tw.DIR)
    made.add("rootfs/srv/a\x1b[2Jb", b"strange")
    made.add("rootfs/srv/other", kind=tw.HARD,
             link=ROOTFS + "/etc/ssl/first")
    made.add("rootfs/srv/again", kind=tw.HARD,
             link=ROOTFS + "/etc/ssl/first")
    made.add("rootfs/usr", kind=tw.DIR)
    made.add("rootfs/usr/bin", kind=tw.DIR)
    made.add("rootfs/usr/bin/tool", bytes(range(256)) * 4096)
    made.add("rootfs/usr/share", kind=tw.DIR)
    made.add("rootfs/usr/share/zone", b"TZif")
    return made


@pytest.fixture
def archive(anklume):
    path = anklume.home / "a.tar"
    path.write_bytes(a_container().build())
    return path


@pytest.fixture
def files(anklume, archive):
    """The paths that `backup files` shows, in order."""
    def show(*words, status=0):
        done = anklume("backup", "files", archive, *words, "--json")
        assert done.status == status, done
        return [one["path"] for one in done.json().get("files", [])]
    return show


@pytest.fixture
def out(anklume):
    path = anklume.home / "out"
    path.mkdir()
    return path


@pytest.fixture
def extract(anklume, archive):
    def run(*words, status=0):
        done = anklume("backup", "extract", archive, *words)
        assert done.status == status, done
        return done
    return run


# files ----------------------------------------------------------------------

def test_all_files(files):
    shown = files()
    assert shown[:3] == ["/", "/bin", "/etc"]
    assert len(shown) == 22


@pytest.mark.parametrize("words, found", [
    (["/etc/ssl"], ["/etc/ssl", "/etc/ssl/a.conf", "/etc/ssl/first",
                    "/etc/ssl/second"]),
    (["//etc/./hosts/"], ["/etc/hosts"]),
    (["/bin"], ["/bin"]),
    (["/bin/tool"], ["/usr/bin/tool"]),
    (["*.conf"], ["/etc/ssl/a.conf"]),
    (["/etc/*s"], ["/etc/hosts"]),
    (["/*/s*l"], ["/etc/ssl", "/etc/ssl/a.conf", "/etc/ssl/first",
                  "/etc/ssl/second"]),
    (["hosts"], ["/etc/hosts"]),
    (["--snapshot", "s0"], ["/", "/old"])])
def test_some_of_them(files, words, found):
    assert files(*words) == found


@pytest.mark.parametrize("words, status", [
    (["/nosuch"], 6), (["nosuch*"], 6), (["/etc/hosts/below"], 6),
    (["/etc/../etc"], 2), (["--snapshot", "none"], 6), (["/loop/x"], 6)])
def test_none_of_them(files, words, status):
    assert files(*words, status=status) == []


@pytest.mark.parametrize("glob", ["etc/hosts", "etc/*", "./etc"])
def test_a_path_that_does_not_begin_at_the_root(anklume, archive, glob):
    """Nothing would ever match it."""
    done = anklume("backup", "files", archive, glob)
    assert done.status == 2 and f"  /{glob}" in done.err, done


def test_the_files_of_a_machine_are_in_its_disk(anklume, archive, out):
    made = Builder()
    made.index["type"] = made.container["type"] = "virtual-machine"
    archive.write_bytes(made.build())
    for words in (["files", archive], ["extract", archive, "/etc", out]):
        done = anklume("backup", *words)
        assert done.status == 6 and "disk image" in done.err, done


def test_what_is_shown_of_a_file(anklume, archive):
    by_path = {one["path"]: one for one in anklume(
        "backup", "files", archive, "--json").json()["files"]}
    assert by_path["/etc/hosts"] == {
        "path": "/etc/hosts", "type": "file", "mode": 0o644, "uid": 0,
        "gid": 0, "size_bytes": 20, "modified_at": "2024-12-27T09:27:38Z"}
    assert by_path["/bin"]["target"] == "usr/bin"
    assert by_path["/etc/ssl/second"]["target"] == "/etc/ssl/first"
    assert by_path["/run/pipe"]["type"] == "fifo"
    text = anklume("backup", "files", archive).out
    assert "-rw-r--r--" in text and " /bin -> usr/bin\n" in text
    assert "\x1b" not in text and r"/srv/a\x1b[2Jb" in text


def test_it_is_said_when_nothing_is_proven(anklume, archive):
    assert EARLY in anklume("backup", "files", archive, "/etc").err
    for whole in (["hosts"], ["/"], []):
        assert EARLY not in anklume("backup", "files", archive, *whole).err


@pytest.mark.parametrize("ids, shown", [
    ([], 1001000), ([{"Isuid": True, "Isgid": True, "Hostid": 1000000,
                      "Nsid": 0, "Maprange": 65536}], 1000),
    ([{"Isuid": True, "Isgid": False, "Hostid": 1001000,
       "Nsid": 33, "Maprange": 1}], 33),
    ([{"Isuid": True, "Isgid": True, "Hostid": 0, "Nsid": 0,
       "Maprange": 10}], 65534)])
def test_owners_are_those_seen_inside(anklume, ids, shown):
    made = Builder()
    made.container["config"]["volatile.last_state.idmap"] = json.dumps(ids)
    made.add("rootfs/f", b"x", change={108: b"3643050\0"})
    path = anklume.home / "b.tar"
    path.write_bytes(made.build())
    done = anklume("backup", "files", path, "/f", "--json")
    assert [one["uid"] for one in done.json()["files"]] == [shown], done


def test_files_that_are_none_of_the_tar(anklume, archive):
    archive.write_bytes(HOSTILE["streams of a storage driver that are none"]())
    assert anklume("backup", "files", archive).status in (6, 14)


# extract --------------------------------------------------------------------

def test_a_file_to_standard_output(extract):
    assert extract("/usr/bin/tool", "-").raw == bytes(range(256)) * 4096


@pytest.mark.parametrize("path, content", [
    ("/etc/empty", b""), ("/etc/localtime", b"TZif"), ("/bin/tool", None),
    ("/etc/ssl/second", b"one file"), ("/srv/other", b"one file")])
def test_what_a_path_leads_to(extract, out, path, content):
    content = bytes(range(256)) * 4096 if content is None else content
    assert extract(path, "-").raw == content
    extract(path, out / "x")
    assert (out / "x").read_bytes() == content
    extract(path, out)
    assert (out / os.path.basename(path)).read_bytes() == content


def test_a_directory(extract, out):
    extract("/etc", out)
    assert sorted(str(one.relative_to(out)) for one in out.rglob("*")) == [
        "etc", "etc/empty", "etc/hosts", "etc/localtime", "etc/ssl",
        "etc/ssl/a.conf", "etc/ssl/first", "etc/ssl/second"]
    assert os.readlink(out / "etc/localtime") == "/usr/share/zone"
    assert os.path.samefile(out / "etc/ssl/first", out / "etc/ssl/second")
    about = (out / "etc/ssl").stat()
    assert stat.S_IMODE(about.st_mode) == 0o755
    assert about.st_mtime == 1735291658 == (out / "etc/hosts").stat().st_mtime
    extract("/etc/ssl", out / "named")
    assert (out / "named/a.conf").read_bytes() == b"a"


def test_all_of_it(extract, out):
    done = extract("/", out, status=3)
    assert "skipped" in done.err and "/run/pipe" in done.err
    assert (out / "srv/a\x1b[2Jb").read_bytes() == b"strange"
    assert os.path.samefile(out / "srv/other", out / "etc/ssl/first")


def test_several_paths(extract, out):
    extract("/etc/ssl", "/bin/tool", "/etc/hosts", out)
    assert {one.name for one in out.iterdir()} == {"ssl", "tool", "hosts"}


def test_a_path_below_another(extract, out):
    extract("/etc", "/etc/hosts", out)
    assert (out / "hosts").read_bytes() == (out / "etc/hosts").read_bytes()


def test_one_file_whose_other_names_were_not_asked_for(extract, out):
    extract("/srv", out)
    assert (out / "srv/other").read_bytes() == b"one file"
    assert (out / "srv/again").read_bytes() == b"one file"


def test_again_over_what_is_there(extract, out):
    extract("/etc", out)
    (out / "etc/hosts").write_bytes(b"mine")
    (out / "etc/hosts").chmod(0o600)
    extract("/etc", out, "--no-clobber")
    assert (out / "etc/hosts").read_bytes() == b"mine"
    extract("/etc", out)
    assert (out / "etc/hosts").read_bytes() == b"127.0.0.1 localhost\n"
    assert stat.S_IMODE((out / "etc/hosts").stat().st_mode) == 0o600
    assert not [one for one in out.rglob("*") if "anklume" in one.name]


def test_what_is_kept_gets_no_other_name(extract, out):
    """A name of the archive's for a file that is not."""
    (out / "ssl").mkdir()
    (out / "ssl/first").write_bytes(b"mine")
    extract("/etc/ssl", out, "--no-clobber")
    assert (out / "ssl/second").read_bytes() == b"one file"
    assert (out / "ssl/first").read_bytes() == b"mine"
    assert (out / "ssl/first").stat().st_nlink == 1


def test_of_a_snapshot(extract, out):
    extract("--snapshot", "s0", "/old", out)
    assert (out / "old").read_bytes() == b"in s0\n"
    extract("--snapshot", "s0", "/etc/hosts", out, status=6)


@pytest.mark.parametrize("words, status, said", [
    (["/nosuch", "OUT"], 6, "/nosuch"), (["/loop", "OUT"], 1, "links"),
    (["etc/hosts", "OUT"], 2, "/etc/hosts"),
    (["/etc/../x", "OUT"], 2, "'..'"), (["/etc", "-"], 2, "directory"),
    (["/etc/hosts", "/bin", "-"], 2, "only one"),
    (["/run/pipe", "-"], 1, "regular"),
    (["/etc/hosts", "OUT/none/x"], 6, "-p"),
    (["/etc/ssl/first", "/srv/first", "OUT"], 2, "same name"),
    (["/nosuch", "/etc/hosts", "OUT"], 3, "/nosuch")])
def test_what_cannot_be(extract, out, words, status, said):
    done = extract(*(word.replace("OUT", str(out)) for word in words),
                   status=status)
    assert said in done.err, done
    assert sorted(one.name for one in out.iterdir()) == (
        ["hosts"] if status == 3 else [])


def test_missing_directories_can_be_made(extract, out):
    extract("-p", "/etc/hosts", out / "a/b/c")
    assert (out / "a/b/c").is_file()


def test_a_dry_run_reads_nothing(extract, out):
    done = extract("-n", "/etc/hosts", out)
    assert "would extract '/etc/hosts'" in done.err and not list(out.iterdir())


def test_nothing_behind_the_last_is_read(anklume, archive, out):
    """What is not there cannot have been read."""
    made = a_container()
    made.add("rootfs/var", kind=tw.DIR)
    made.add("rootfs/var/large", os.urandom(16 << 20))
    whole = made.build()
    archive.write_bytes(whole[:len(whole) - (12 << 20)])
    done = anklume("backup", "extract", archive, "/usr/share/zone", out)
    assert done.status == 0 and EARLY in done.err, done
    assert anklume("backup", "extract", archive, "/usr/share/zone", out,
                   "--verify").status == 5
    assert anklume("backup", "extract", archive, "/var", out).status == 5
    assert not (out / "var/large").exists()


def test_a_small_file_that_is_cut_does_not_appear(anklume, archive, out):
    """What came before it does."""
    made = Builder()
    made.add("rootfs/first", b"whole")
    made.add("rootfs/second", bytes(100_000))
    archive.write_bytes(made.build()[:-60_000])
    done = anklume("backup", "extract", archive, "/", out)
    assert done.status == 5, done
    assert [one.name for one in out.iterdir()] == ["first"]


def test_a_damaged_end_is_found_where_it_is_read(extract, archive, out):
    data = bytearray(archive.read_bytes())
    data[-600] = 1
    archive.write_bytes(data)
    extract("/etc/hosts", out / "a")
    extract("/nosuch", out, status=5)
    extract("/", out, status=5)
    assert (out / "etc/hosts").is_file()


def test_what_its_manifest_does_not_say(daemon, anklume, out):
    """All of it is in order, and it is not what was made."""
    daemon.tar = a_container(name="web").build()
    assert anklume("backup", "create", "web", "-o", "backups",
                   "--compression", "none").status == 0
    archive, = (anklume.home / "backups").glob("*.tar")
    data = archive.read_bytes()
    at = data.index(b"127.0.0.1 localhost")
    archive.write_bytes(data[:at] + b"192" + data[at + 3:])
    assert anklume("backup", "files", "web", "*").status == 5
    assert anklume("backup", "extract", "web", "/", out).status == 5
    assert anklume("backup", "extract", "web", "/etc/hosts", out / "hosts",
                   "--verify").status == 5
    assert not (out / "hosts").exists()


@pytest.mark.parametrize("tool", [["gzip", "-1"], ["zstd", "-q"]])
def test_packed(anklume, extract, archive, out, tool):
    packed = subprocess.run([*tool, "-c", archive], check=True,
                            capture_output=True).stdout
    archive.write_bytes(packed)
    extract("/etc", out)
    assert (out / "etc/hosts").is_file()


def test_no_hostile_archive_gets_anything_out(anklume, archive, out):
    """One of each family: nothing beside what was asked for, and no success."""
    families = {" ".join(name.split()[:3]): name for name in HOSTILE
                if "of a stranger" not in name}  # what a restore would mind
    for name in families.values():
        archive.write_bytes(HOSTILE[name]())
        done = anklume("backup", "extract", archive, "/", out / "in")
        assert done.status in (3, 5, 6, 14), (name, done)
        assert {one.name for one in out.iterdir()} <= {"in"}, name
    assert sorted(os.listdir(anklume.home)) == ["a.tar", "out", "state"]
