"""What `backup verify` finds, says, and remembers."""

import json
import os
import pathlib
import random

import pytest

from backups import create, sha256_of
from catalogues import Catalogue

PROOFS = pathlib.Path("/var/lib/anklume/proof")


@pytest.fixture
def catalogue(tmp_path):
    return Catalogue(tmp_path / "archives")


@pytest.fixture
def made(lab_seven, tmp_path):
    """A backup of this host's own."""
    return create(lab_seven, "home/web", tmp_path / "own",
                  "--compression", "zstd")


def verify(daemon, *words, **run):
    return daemon.anklume("backup", "verify", *words, **run)


def told(daemon, *words, **run):
    """The exit status, and what is known of each."""
    done = verify(daemon, *words, "--json", **run)
    found = json.loads(done.out)
    assert found["status"] == done.status
    return done.status, found["backups"]


def proofs_of(backup):
    digest = sha256_of(backup.path.read_bytes())
    return {path.name.split(".")[1]: json.loads(path.read_text())
            for path in PROOFS.glob(f"{digest}.*.json")}


def listed(daemon, directory):
    done = daemon.anklume("backup", "list", "--from", directory, "--json")
    return json.loads(done.out)["backups"]


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_an_intact_one(daemon, gpg_home, tmp_path, compression, encrypted):
    env = daemon.environment(GNUPGHOME=str(gpg_home))
    key = ["--gpg", "tests@example.org"] if encrypted else []
    made = create(daemon, "home/web", tmp_path, "--compression", compression,
                  *key, env=env)
    for level in ("digest", "content"):
        status, (one,) = told(daemon, made, "--level", level, env=env)
        assert status == 0
        assert one["result"] == "intact"
        assert (one["level"], one["origin"]) == (level, "this host")
        assert one["sha256"] == sha256_of(made.path.read_bytes())
        assert "at" in proofs_of(made)[level]
    done = verify(daemon, made, env=env)
    assert done.out == f"intact: {made.path} (origin: this host)\n"


def test_the_digest_needs_no_key(daemon, gpg_home, tmp_path):
    env = daemon.environment(GNUPGHOME=str(gpg_home))
    made = create(daemon, "home/web", tmp_path / "own", "--gpg",
                  "tests@example.org", env=env)
    (tmp_path / "empty").mkdir(mode=0o700)
    env["GNUPGHOME"] = str(tmp_path / "empty")
    assert verify(daemon, made, "--level", "digest", env=env).status == 0
    done = verify(daemon, made, env=env)
    assert done.status == 12 and done.out.startswith("not verified: "), done
    assert "damage" not in proofs_of(made)


def test_damage_is_found_and_remembered(lab_seven, made):
    digest = sha256_of(made.path.read_bytes())
    body = bytearray(made.path.read_bytes())
    body[len(body) // 2] ^= 1
    made.path.write_bytes(body)
    for level in ("digest", "content"):
        done = verify(lab_seven, made, "--level", level)
        assert done.status == 5 and str(made.path) in done.err, done
        assert done.out.startswith("damaged: ")
    (one,) = listed(lab_seven, made.path.parent)
    assert one["state"] == "damaged"
    assert one["proofs"]["damage"]["path"] == str(made.path)
    done = lab_seven.anklume("backup", "show", "home/web", "--from",
                             made.path.parent)
    assert done.status == 6
    assert f"passed over: '{made.path}' was found damaged" in done.err

    body[len(body) // 2] ^= 1
    made.path.write_bytes(body)
    assert sha256_of(body) == digest
    assert verify(lab_seven, made).status == 0
    (one,) = listed(lab_seven, made.path.parent)
    assert one["state"] == "present" and "damage" not in one["proofs"]


def test_a_copy_elsewhere_is_not_marked(lab_seven, made, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    for path in (made.path, made.manifest_path):
        (there / path.name).write_bytes(path.read_bytes())
    copy = there / made.path.name
    body = bytearray(copy.read_bytes())
    body[-1] ^= 1
    copy.write_bytes(body)
    assert verify(lab_seven, copy).status == 5
    assert [one["state"] for one in listed(lab_seven, there)] == ["damaged"]
    assert [one["state"] for one in listed(lab_seven, made.path.parent)] == [
        "present"]
    # The good one's proof says nothing of the bad one.
    assert verify(lab_seven, made).status == 0
    assert [one["state"] for one in listed(lab_seven, there)] == ["damaged"]


@pytest.mark.parametrize("field, value", [
    ("sha256", "0" * 64), ("size_bytes", 1), ("tar_size_bytes", 1),
    ("tar_sha256", "0" * 64), ("entries", 1), ("instance", "other")])
def test_a_manifest_that_does_not_fit(lab_seven, made, field, value):
    made.edit_manifest(**{field: value})
    done = verify(lab_seven, made)
    assert done.status == 5, done
    assert str(made.path) in done.err


def test_another_instances_archive_under_a_manifest(daemon, tmp_path):
    one = create(daemon, "home/web", tmp_path / "one", "--compression",
                 "none")
    made = create(daemon, "work/web", tmp_path / "two", "--compression",
                  "none")
    forged = {**one.manifest, "instance": "db"}
    made.manifest_path.write_text(json.dumps({
        **forged, "size_bytes": made.manifest["size_bytes"],
        "sha256": made.manifest["sha256"]}))
    done = verify(daemon, made)
    assert done.status == 5 and "'db'" in done.err, done


def test_without_a_manifest(lab_seven, made):
    made.manifest_path.unlink()
    status, (one,) = told(lab_seven, made, "--level", "digest")
    assert (status, one["origin"]) == (0, "this host")
    made.forget()
    done = verify(lab_seven, made, "--level", "digest")
    assert done.status == 6 and "--level content" in done.err, done
    status, (one,) = told(lab_seven, made)
    assert (status, one["origin"]) == (0, "unknown")


def test_a_proof_does_not_make_an_archive_ones_own(lab_seven, made):
    made.record_path.unlink()
    assert verify(lab_seven, made).status == 0
    assert "content" in proofs_of(made)
    status, (one,) = told(lab_seven, made)
    assert (status, one["origin"]) == (0, "unknown")


def test_several(lab_seven, catalogue, made):
    good = catalogue.archive("good.tar")
    bad = catalogue.archive("bad.tar")
    bad.write_bytes(b"SOME bytes")
    gone = catalogue.archive("gone.tar")
    gone.unlink()
    bare = catalogue.bare("bare.tar")
    words = ["--level", "digest", "--from", catalogue.path]
    status, results = told(lab_seven, *words)
    assert status == 5
    assert {one["path"]: (one["result"], one["status"])
            for one in results} == {
        str(good): ("intact", 0), str(bad): ("damaged", 5),
        str(gone): ("unverified", 6), str(bare): ("unverified", 6)}
    done = verify(lab_seven, *words)
    assert "of 4 backups 1 are damaged, and 2 could not be verified" in \
        done.err
    bad.unlink()
    bad.with_name("bad.tar.json").unlink()
    assert verify(lab_seven, *words).status == 3
    done = verify(lab_seven, good, made, "--level", "digest")
    assert done.status == 0 and "all 2 backups are intact" in done.err


def test_the_oldest_first(lab_seven, catalogue):
    for number in range(4):
        catalogue.archive(f"{number}.tar", body=b"%d" % number,
                          created_at=f"2026-11-2{number}T00:00:00Z")
    words = ["--level", "digest", "--from", catalogue.path, "--oldest", "2"]

    def next_ones(*more):
        status, results = told(lab_seven, *words, *more)
        assert status == 0
        return {os.path.basename(one["path"])[0] for one in results}

    assert next_ones() == {"3", "2"}
    assert next_ones() == {"1", "0"}
    proofs = {name: PROOFS / f"{sha256_of(name.encode())}.digest.json"
              for name in "0123"}
    for name, day in zip("0123", (5, 3, 6, 4)):
        proofs[name].write_text(json.dumps({"at": f"2026-01-0{day}"}))
    assert next_ones() == {"1", "3"}
    assert next_ones("--project", "work") == {"0", "2"}
    assert verify(lab_seven, "--oldest", "1", "--from", catalogue.path,
                  "--project", "none").status == 6


def test_what_it_would_do(lab_seven, catalogue):
    path = catalogue.archive("web.tar", body=b"never read")
    done = verify(lab_seven, path, "-n", "--level", "digest")
    assert done.status == 0 and f"would verify '{path}'" in done.err
    assert done.out == ""
    assert not list(PROOFS.glob(f"{sha256_of(b'never read')}.*"))


@pytest.mark.parametrize("words, status", [
    (["--level", "deep"], 2), (["--oldest", "0"], 2), (["--oldest", "x"], 2),
    (["--oldest", "-1"], 2), (["none.tar"], 6), (["web"], 6),
    (["--from", "/nowhere"], 10), (["/tmp"], 1), (["web@never"], 2)])
def test_wrong_words(lab_seven, catalogue, words, status):
    catalogue.archive("db.tar", instance="db")
    done = verify(lab_seven, "--from", catalogue.path, *words)
    assert done.status == status and done.out.count("intact") == 0, done


def test_a_proof_that_cannot_be_kept_is_said(lab_seven, made):
    PROOFS.mkdir(exist_ok=True)
    PROOFS.rename(PROOFS.with_name("aside"))
    PROOFS.write_text("")
    try:
        done = verify(lab_seven, made)
        assert done.status == 0 and "cannot be kept" in done.err, done
    finally:
        PROOFS.unlink()
        PROOFS.with_name("aside").rename(PROOFS)


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.zst"])
def test_cut_and_flipped_without_a_manifest(lab_seven, new_archive, suffix):
    """What the archive's own layers find, where nothing else is known."""
    made = new_archive(suffix).forget()
    body = made.path.read_bytes()
    chosen = random.Random(4).sample(range(len(body)), 20)
    for cut in chosen:
        made.path.write_bytes(body[:cut])
        assert verify(lab_seven, made).status == 5, cut
    if suffix == ".tar":
        return
    flipped = 0
    for at in chosen:
        hurt = bytearray(body)
        hurt[at] ^= 1 << at % 8
        made.path.write_bytes(hurt)
        flipped += verify(lab_seven, made).status == 5
    assert flipped == len(chosen)


@pytest.fixture
def new_archive(lab_seven, tmp_path):
    kinds = {".tar": "none", ".tar.gz": "gzip", ".tar.zst": "zstd"}

    def make(suffix):
        return create(lab_seven, "home/web", tmp_path / suffix,
                      "--compression", kinds[suffix])

    return make
