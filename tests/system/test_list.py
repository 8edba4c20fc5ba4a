"""What `backup list` tells of a directory: from its manifests alone."""

import json
import os

import pytest

from backups import create
from catalogues import FINGERPRINT, KEY, Catalogue


@pytest.fixture
def catalogue(tmp_path):
    return Catalogue(tmp_path / "archives")


def backup_list(lab_seven, catalogue, *words, **run):
    return lab_seven.anklume("backup", "list", *words, "--from",
                             catalogue.path, **run)


def listed(lab_seven, catalogue, *words):
    """The objects, in their order."""
    done = backup_list(lab_seven, catalogue, *words, "--json")
    assert done.status == 0, done
    return json.loads(done.out)["backups"]


def names(backups):
    return [os.path.basename(one["path"]) for one in backups]


def test_a_backup_of_both_daemons(daemon, tmp_path):
    made = create(daemon, "home/web", tmp_path)
    done = daemon.anklume("backup", "list", "--from", tmp_path, "--json")
    assert done.status == 0, done
    (told,) = json.loads(done.out)["backups"]
    assert told["path"] == str(made.path)
    assert (told["state"], told["origin"]) == ("present", "this host")
    assert told["size_bytes"] == made.path.stat().st_size
    assert told["encrypted"] is False
    assert told["manifest"] == made.manifest


def test_no_daemon_is_asked(lab_seven, catalogue, tmp_path):
    catalogue.archive("web-20261122-030405.tar.gz")
    done = backup_list(lab_seven, catalogue, env=lab_seven.environment(
        INCUS_SOCKET=str(tmp_path / "none")))
    assert done.status == 0, done


def test_the_newest_of_each_instance_first(lab_seven, catalogue):
    for name, project, instance, day in [
            ("1.tar", "work", "web", 20), ("2.tar", "work", "web", 22),
            ("3.tar", "work", "db", 21), ("home/4.tar", "home", "web", 19),
            ("home/5.tar", "home", "web", 23)]:
        catalogue.archive(name, project=project, instance=instance,
                          created_at=f"2026-11-{day}T00:00:00Z")
    catalogue.bare("0.tar.gz")
    assert names(listed(lab_seven, catalogue)) == [
        "5.tar", "4.tar", "3.tar", "2.tar", "1.tar", "0.tar.gz"]


@pytest.mark.parametrize("words, found", [
    (["web"], ["h.tar", "w2.tar", "w1.tar"]),
    (["work/web"], ["w2.tar", "w1.tar"]),
    (["web", "--project", "work"], ["w2.tar", "w1.tar"]),
    (["work/web@2026-11-20Z"], ["w1.tar"]),
    (["work/web@2026-11-20Z", "home/web"], ["h.tar", "w1.tar"]),
    (["--recipient", KEY], ["w2.tar"]),
    (["--recipient", KEY[-16:].lower()], ["w2.tar"]),
    (["--project", "home"], ["h.tar"])])
def test_some_of_them(lab_seven, catalogue, words, found):
    catalogue.archive("w1.tar", created_at="2026-11-20T10:00:00Z")
    catalogue.archive("w2.tar", created_at="2026-11-21T10:00:00Z",
                      recipients=[KEY])
    catalogue.archive("home/h.tar", project="home")
    assert names(listed(lab_seven, catalogue, *words)) == found


@pytest.mark.parametrize("words, status, said", [
    (["db"], 6, "holds no such backup"),
    (["web@2020-01-01"], 6, "holds no such backup"),
    (["web@noon"], 2, "'noon' is not a time"),
    (["--recipient", "0" * 40], 6, "holds no such backup"),
    (["--recipient", "me@example.org"], 2, "not a key's fingerprint"),
    (["--recipient", KEY[-8:]], 2, "not a key's fingerprint")])
def test_none_of_them(lab_seven, catalogue, words, status, said):
    catalogue.archive("web.tar")
    done = backup_list(lab_seven, catalogue, *words)
    assert (done.status, done.out) == (status, "")
    assert said in done.err


def test_an_empty_directory(lab_seven, catalogue):
    catalogue.path.mkdir()
    done = backup_list(lab_seven, catalogue)
    assert done.status == 6 and "holds no backup" in done.err


def test_no_directory(lab_seven, catalogue, tmp_path):
    done = backup_list(lab_seven, catalogue)
    assert done.status == 10 and "does not exist" in done.err
    (tmp_path / "archives").write_text("")
    done = backup_list(lab_seven, catalogue)
    assert done.status == 10 and "not a directory" in done.err


def test_here_is_where_they_are_by_default(lab_seven, tmp_path):
    Catalogue(tmp_path / "backups").archive("web.tar")
    done = lab_seven.anklume("backup", "list", cwd=tmp_path)
    assert done.status == 0 and "backups/web.tar" in done.out, done


def test_what_is_the_matter_with_a_file(lab_seven, catalogue):
    good = catalogue.archive("good.tar")
    gone = catalogue.archive("gone.tar")
    gone.unlink()
    catalogue.archive("cut.tar").write_bytes(b"some")
    bad = catalogue.archive("bad.tar")
    bad.with_name("bad.tar.json").write_text("{")
    catalogue.bare("bare.tar.gz.gpg")
    told = {os.path.basename(one["path"]): one
            for one in listed(lab_seven, catalogue)}
    assert {name: one["state"] for name, one in told.items()} == {
        "good.tar": "present", "gone.tar": "missing",
        "cut.tar": "wrong size", "bad.tar": "unreadable manifest",
        "bare.tar.gz.gpg": "no manifest"}
    assert "bad.tar.json" in told["bad.tar"]["problem"]
    assert told["bare.tar.gz.gpg"]["encrypted"] is True
    shown = backup_list(lab_seven, catalogue).out
    assert f"{good}\n" in shown
    for state in ("missing", "wrong size", "no manifest",
                  "unreadable manifest"):
        assert f"({state})" in shown


def test_what_is_no_archive_is_left_out(lab_seven, catalogue, tmp_path):
    catalogue.archive("web.tar")
    catalogue.archive(".hidden.tar")
    catalogue.archive("deep/er/web.tar")
    catalogue.bare("notes.txt")
    catalogue.bare("web.tar.sig")
    catalogue.bare("other.json", b"{}")
    (catalogue.path / "dir.tar").mkdir()
    Catalogue(tmp_path / "elsewhere").archive("web.tar")
    (catalogue.path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(catalogue.path / "fifo.tar")
    assert [one["path"] for one in listed(lab_seven, catalogue)] == [
        str(catalogue.path / "web.tar")]


def test_a_name_is_shown_without_its_control_bytes(lab_seven, catalogue):
    catalogue.archive("a\x1b[31mb.tar", instance="w\x1b[31meb")
    shown = backup_list(lab_seven, catalogue).out
    assert "\x1b" not in shown and "w\\x1b[31meb" in shown
    (one,) = listed(lab_seven, catalogue)
    assert one["manifest"]["instance"] == "w\x1b[31meb"


def test_columns_are_aligned(lab_seven, catalogue):
    catalogue.archive("a.tar", instance="a", recipients=[KEY])
    catalogue.archive("b.tar", instance="a-much-longer-one", body=b"x" * 4096)
    for language in ("C", "fr"):
        head, *rows = backup_list(lab_seven, catalogue, env={
            **lab_seven.environment(), "LC_ALL": "C.UTF-8",
            "LANGUAGE": language}).out.splitlines()
        start = head.rindex(" ") + 1
        assert len(rows) == 2
        for row in rows:
            assert row[start - 2:start] == "  "
            assert row[start:].startswith(str(catalogue.path))


def test_of_two_servers_none_is_chosen(lab_seven, catalogue):
    one = catalogue.archive("1.tar")
    two = catalogue.archive("2.tar", server={
        "name": "other", "fingerprint": FINGERPRINT[::-1], "member": ""})
    done = lab_seven.anklume("backup", "show", "web", "--from",
                             catalogue.path)
    assert done.status == 7, done
    assert str(one) in done.err and str(two) in done.err
