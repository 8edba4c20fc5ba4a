"""Files out of real backups, and into real instances. What only needs archives is
in tests/scripted/test_files.py."""

import os
import stat

import pytest

from backups import create, identity_of_files, wait_for
from places import leftovers
from test_audit import entries


@pytest.fixture
def full(make_place):
    """A directory with all that a container's may have."""
    place = make_place()
    place.write("a", b"hello", 0o640, (1000, 100), 1_600_000_000)
    place.write("set", b"x", 0o4755, (0, 0))
    place.write("odd \n\x1b name", b"y")
    (place.files / "sub").mkdir(mode=0o750)
    os.chown(place.files / "sub", 33, 33)
    place.write("sub/large", os.urandom(3 << 20))
    os.link(place.files / "a", place.files / "sub/same")
    (place.files / "way").symlink_to("sub")
    # Whole seconds: Go rounds what it writes into a tar.
    for name in ("set", "odd \n\x1b name", "sub/large", "sub", "."):
        os.utime(place.files / name, (1_500_000_000, 1_500_000_000))
    return place


@pytest.fixture
def made(daemon, full, tmp_path, gpg_home):
    """An encrypted backup of it."""
    return create(daemon, full.box, tmp_path / "store", "--gpg",
                  "tests@example.org", "--compression", "zstd",
                  env={"GNUPGHOME": str(gpg_home)})


@pytest.fixture
def extract(daemon, made, gpg_home):
    def run(*words, status=0, **env):
        done = daemon.anklume("backup", "extract", made, *words,
                              env={"GNUPGHOME": str(gpg_home), **env})
        assert done.status == status, done
        return done
    return run


def test_into_another_instance(extract, full, there):
    extract(full.path, there.at())
    arrived = identity_of_files(there.files / os.path.basename(full.path))
    expected = identity_of_files(full.files)
    expected[b"set"]["mode"] = oct(stat.S_IFREG | 0o755)
    for found in (arrived, expected):
        for facts in found.values():
            facts.pop("xattrs")
        found[b"way"].pop("mtime_ns")  # which SFTP cannot set
    assert arrived == expected


def test_a_name_that_cannot_be_given_leaves_nothing(extract, full, there):
    taken = there.files / os.path.basename(full.path) / "sub/same"
    taken.mkdir(parents=True)
    assert "same" in extract(full.path, there.at(), status=3).err
    assert taken.is_dir() and (taken.parent / "large").is_file()


def test_one_file_into_its_own_instance(extract, full):
    (full.files / "a").write_bytes(b"gone")
    extract(f"{full.path}/way/large", f"{full.path}/a", full.at("sub"))
    assert (full.files / "sub/a").read_bytes() == b"hello"
    about = (full.files / "sub/a").stat()
    assert (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode),
            about.st_mtime) == (1000, 100, 0o640, 1_600_000_000)
    assert (full.files / "a").read_bytes() == b"gone"


def test_setuid_only_when_asked_for(extract, full, there):
    extract(f"{full.path}/set", there.at("a"))
    assert stat.S_IMODE((there.files / "a").stat().st_mode) == 0o755
    # 6.0 takes these bits for others (tests/system/test_copy_attributes.py).
    asked = ["--keep-setuid", f"{full.path}/set", there.at("b")]
    if there.box.daemon.version == "6":
        assert "4755" in extract(*asked, status=3).err
    else:
        extract(*asked)
        assert stat.S_IMODE((there.files / "b").stat().st_mode) == 0o4755


def test_to_this_side_it_is_the_callers(extract, full, tmp_path):
    extract(f"{full.path}/a", tmp_path / "a")
    about = (tmp_path / "a").stat()
    assert (about.st_uid, stat.S_IMODE(about.st_mode),
            about.st_mtime) == (os.getuid(), 0o640, 1_600_000_000)
    assert extract(f"{full.path}/sub/same", "-").raw == b"hello"


def test_a_full_disk(extract, full, small_disk):
    """A file is whole, or not there."""
    (small_disk / "old").write_bytes(b"old")
    done = extract(f"{full.path}/sub/large", small_disk / "old", status=13)
    assert "No space left" in done.err
    assert (small_disk / "old").read_bytes() == b"old"
    assert leftovers(small_disk) == []
    done = extract(full.path, small_disk, status=3)
    assert "No space left" in done.err
    found = small_disk / os.path.basename(full.path)
    assert (found / "a").read_bytes() == b"hello"
    assert not (found / "sub/large").exists()
    assert leftovers(small_disk) == []


def test_a_full_instance(daemon, extract, full, make_box):
    small = make_box(pool="bt", start=False)
    daemon.incus("config", "device", "set", small.name, "root", "size=4MiB")
    extract(f"{full.path}/sub/large", small.place("/root/a"), status=13)
    assert list(small.inner("/root").iterdir()) == []


def test_killed(daemon, full, made, gpg_home, there):
    """What is there is whole, whenever it ends."""
    whole = identity_of_files(full.files)
    target = there.files / os.path.basename(full.path)
    for wanted in (b"a", b"set", b"sub/large"):
        child = daemon.spawn("backup", "extract", made, full.path, there.at(),
                             env={"GNUPGHOME": str(gpg_home)})
        wait_for(lambda: (target / os.fsdecode(wanted)).exists()
                 or child.poll() is not None, "a file")
        child.kill()
        child.communicate()
        for path, facts in identity_of_files(target).items():
            if b".anklume-" not in path:
                assert facts.get("content") == whole[path].get("content")
        for path in leftovers(target):
            os.remove(path)


def test_of_a_snapshot(daemon, extract, make_box, tmp_path, gpg_home):
    box = make_box(start=False)
    box.inner("/root/f").write_bytes(b"old")
    daemon.incus("snapshot", "create", box.name, "s0")
    box.inner("/root/f").write_bytes(b"new")
    made = create(daemon, box, tmp_path / "other")
    for words, content in ((["--snapshot", "s0"], b"old"), ([], b"new")):
        done = daemon.anklume("backup", "extract", *words, made, "/root/f",
                              "-")
        assert done.raw == content, done
        shown = daemon.anklume("backup", "files", *words, made, "/root/f")
        assert shown.status == 0 and "/root/f\n" in shown.out, shown


def test_by_the_name_of_the_instance(daemon, full, made, gpg_home):
    done = daemon.anklume(
        "backup", "extract", str(full.box), f"{full.path}/a", "-", "--from",
        made.path.parent, env={"GNUPGHOME": str(gpg_home)})
    assert (done.status, done.raw) == (0, b"hello"), done


def test_without_the_key(daemon, full, made, tmp_path):
    empty = tmp_path / "gnupg"
    empty.mkdir(mode=0o700)
    done = daemon.anklume("backup", "extract", made, f"{full.path}/a", "-",
                          env={"GNUPGHOME": str(empty)})
    assert (done.status, done.raw) == (12, b""), done


def test_a_line_in_the_trail(extract, full, made, there):
    extract("--snapshot", "none", f"{full.path}/a", there.at("b"), status=6)
    extract(f"{full.path}/a", there.at("b"))
    failed, done = entries()[-2:]
    assert (failed["command"], failed["result"]) == ("backup extract",
                                                     "failed")
    assert (done["command"], done["result"], done["done"],
            done["size_bytes"]) == ("backup extract", "done", 1, 5)
    assert done["from"] == [{"path": f"{made}:{full.path}/a"}]
    assert done["to"] == [{"project": there.box.project,
                           "instance": there.box.name,
                           "path": f"{there.path}/b"}]


# Policy ---------------------------------------------------------------------

def test_the_policy_knows_whose_files_they_are(extract, full, policy, here,
                                               there):
    policy("allow @same-project @same-project")
    done = extract(f"{full.path}/a", there.at("b"), status=4)
    assert "denied by policy" in done.err and str(full.box) in done.err
    assert not (there.files / "b").exists()
    extract(f"{full.path}/a", here.at("b"))
    assert (here.files / "b").read_bytes() == b"hello"


def test_a_denied_one_makes_nothing(extract, full, policy, there, tmp_path):
    """Not even the directories that it may make."""
    policy("deny @any @any")
    extract("-p", f"{full.path}/a", there.at("new/deep/a"), status=4)
    extract("-p", f"{full.path}/a", tmp_path / "new/deep/a", status=4)
    assert not (there.files / "new").exists()
    assert not (tmp_path / "new").exists()


def test_a_dry_run_asks_the_policy(extract, full, policy, there):
    policy("deny @any @any")
    extract("-n", f"{full.path}/a", there.at("b"), status=4)
    policy("allow @any @any")
    assert "would extract" in extract(
        "-n", f"{full.path}/a", there.at("b")).err
    assert not (there.files / "b").exists()


def test_what_is_of_unknown_origin_is_a_file_of_ours(
        daemon, extract, full, made, policy, here):
    made.forget()
    policy("allow @same-project @same-project")
    extract(f"{full.path}/a", here.at("b"), status=4)
    assert not (here.files / "b").exists()
    policy("allow @local work/*")
    extract(f"{full.path}/a", here.at("b"))


def test_the_policy_is_asked_for_each_file(extract, full, policy, here):
    policy(f"deny @any @any from-path={full.path}/sub", "allow @any @any")
    done = extract(full.path, here.at(), status=3)
    assert "/sub" in done.err, done
    found = here.files / os.path.basename(full.path)
    assert (found / "a").exists() and not (found / "sub/large").exists()


def test_a_forged_archive_is_found_before_the_policy_is_asked(
        extract, full, made, policy, here):
    data = bytearray(made.path.read_bytes())
    data[len(data) // 2] ^= 1
    made.path.write_bytes(data)
    policy("allow @any @any")
    extract(f"{full.path}/a", here.at("b"), status=5)
    assert not (here.files / "b").exists()
