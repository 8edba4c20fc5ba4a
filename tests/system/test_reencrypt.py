"""Other keys for archives that are there: `backup reencrypt`."""

import json
import os
import subprocess

import pytest

from backups import create, restore, sha256_of
from keys import KeyRing
from places import leftovers


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    """Three keys: old, new and spare."""
    home = tmp_path_factory.mktemp("rotation")
    home.chmod(0o700)
    ring = KeyRing(home)
    for name in ("old", "new", "spare"):
        ring.make(name, f"{name} <{name}@example.org>", "default", "default",
                  "never")
    yield ring
    ring.close()


@pytest.fixture
def env(lab_seven, ring):
    return lab_seven.environment(GNUPGHOME=str(ring.home))


@pytest.fixture
def made(lab_seven, env, tmp_path):
    return create(lab_seven, "home/web", tmp_path / "own", "--gpg",
                  "old@example.org", env=env)


def reencrypt(daemon, *words, **run):
    return daemon.anklume("backup", "reencrypt", *words, **run)


def recipients_of(backup, env):
    """The key ids that gpg finds in a message."""
    listed = subprocess.run(
        ["gpg", "--batch", "--list-only", "--status-fd", "1", "-d",
         str(backup)], env=env, capture_output=True, text=True, check=False)
    return {line.split()[2] for line in listed.stdout.splitlines()
            if line.startswith("[GNUPG:] ENC_TO")}


def plain(backup, env):
    return subprocess.run(["gpg", "--batch", "-qd", str(backup)], env=env,
                          check=True, capture_output=True).stdout


def test_other_keys_same_content(daemon, ring, tmp_path, new_name):
    env = daemon.environment(GNUPGHOME=str(ring.home))
    made = create(daemon, "home/web", tmp_path, "--gpg", "old@example.org",
                  env=env)
    before, content = made.manifest, plain(made, env)
    old = recipients_of(made, env)
    done = reencrypt(daemon, "home/web", "--from", tmp_path, "--gpg",
                     "new@example.org", "--gpg", "spare@example.org",
                     env=env)
    assert done.status == 0, done
    assert done.out == f"reencrypted: {made}\n"

    after = made.manifest
    assert plain(made, env) == content
    fresh = recipients_of(made, env)
    assert len(fresh) == 2 and not fresh & old
    assert after["recipients"] == [ring.fingerprints["new"],
                                   ring.fingerprints["spare"]]
    body = made.path.read_bytes()
    assert (after["sha256"], after["size_bytes"]) == (
        sha256_of(body), len(body))
    assert after["warnings"] == []
    changed = {"sha256", "size_bytes", "recipients", "warnings"}
    assert {key: value for key, value in after.items()
            if key not in changed} == {
        key: value for key, value in before.items() if key not in changed}
    assert os.stat(made.path).st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 2

    done = restore(daemon, made, "--name", new_name(), "--json", env=env)
    assert done.status == 0, done
    assert json.loads(done.out)["origin"] == "this host"


def test_proofs_stay_valid(lab_seven, made, env):
    assert lab_seven.anklume("backup", "verify", made, env=env).status == 0
    assert reencrypt(lab_seven, made, "--gpg", "new@example.org",
                     env=env).status == 0
    done = lab_seven.anklume("backup", "show", made, "--json", env=env)
    shown = json.loads(done.out)["backup"]
    assert "content" in shown["proofs"] and "digest" not in shown["proofs"]
    assert lab_seven.anklume("backup", "verify", made, env=env).status == 0


def test_those_of_a_key(lab_seven, ring, made, env):
    def found(name):
        return lab_seven.anklume(
            "backup", "list", "--from", made.path.parent, "--recipient",
            ring.fingerprints[name], env=env).status == 0

    assert found("old") and not found("new")
    assert reencrypt(lab_seven, made, "--gpg", "new@example.org",
                     env=env).status == 0
    assert found("new") and not found("old")


def test_an_archive_of_unknown_origin_stays_one(lab_seven, made, env):
    made.record_path.unlink()
    manifest = made.manifest
    assert reencrypt(lab_seven, made, "--gpg", "new@example.org",
                     env=env).status == 0
    assert made.manifest["created_at"] == manifest["created_at"]
    assert not made.record_path.exists()


def test_without_a_manifest(lab_seven, made, env):
    made.manifest_path.unlink()
    assert reencrypt(lab_seven, made, "--gpg", "new@example.org",
                     env=env).status == 0
    assert not made.manifest_path.exists()
    assert made.record["instance"] == "web"


def test_a_link_stays_one(lab_seven, made, env, tmp_path):
    link = tmp_path / made.path.name
    link.symlink_to(made.path)
    old = recipients_of(made, env)
    assert reencrypt(lab_seven, link, "--gpg", "new@example.org",
                     env=env).status == 0
    assert link.is_symlink() and not recipients_of(made, env) & old
    assert made.manifest["sha256"] == sha256_of(made.path.read_bytes())


def keep(backup):
    return {path: path.read_bytes() for path in
            sorted(backup.path.parent.iterdir())}


@pytest.mark.parametrize("hurt", ["flip", "cut", "manifest", "instance"])
def test_a_damaged_one_is_left_as_it_is(lab_seven, made, env, hurt):
    body = bytearray(made.path.read_bytes())
    if hurt == "flip":
        body[len(body) // 2] ^= 1
        made.path.write_bytes(body)
    elif hurt == "cut":
        made.path.write_bytes(body[:-9])
        made.manifest_path.unlink()
    elif hurt == "manifest":
        made.edit_manifest(sha256="0" * 64)
    else:
        made.edit_manifest(size_bytes=1)
    before = keep(made)
    done = reencrypt(lab_seven, made, "--gpg", "new@example.org", env=env)
    assert done.status == 5 and "cannot reencrypt" in done.err, done
    assert keep(made) == before


@pytest.mark.parametrize("words, status, said", [
    (["--gpg", "nobody@example.org"], 12, "nobody@example.org"),
    ([], 2, "to which keys?"), (["--gpg", ""], 2, "empty")])
def test_keys_that_are_none(lab_seven, made, env, words, status, said):
    before = keep(made)
    done = reencrypt(lab_seven, made, *words, env=env)
    assert done.status == status and said in done.err, done
    assert keep(made) == before


def test_what_is_not_encrypted(lab_seven, env, tmp_path):
    made = create(lab_seven, "home/web", tmp_path)
    before = keep(made)
    done = reencrypt(lab_seven, made, "--gpg", "new@example.org", env=env)
    assert done.status == 2 and "is not encrypted" in done.err, done
    assert keep(made) == before


def test_no_key_to_open_it(lab_seven, made, env, tmp_path, ring):
    public = KeyRing(tmp_path / "public")
    public.gpg("--import", stdin=ring.gpg("--export"))
    before = keep(made)
    done = reencrypt(lab_seven, made, "--gpg", ring.fingerprints["new"],
                     env={**env, **public.env})
    public.close()
    assert done.status == 12, done
    assert keep(made) == before


def test_several_of_which_one_fails(lab_seven, made, env, tmp_path):
    other = create(lab_seven, "work/web", tmp_path / "other", "--gpg",
                   "old@example.org", env=env)
    plain_one = create(lab_seven, "work/web", tmp_path / "plain", env=env)
    done = reencrypt(lab_seven, made, plain_one, other, "--gpg",
                     "new@example.org", "--json", env=env)
    assert done.status == 3, done
    told = json.loads(done.out)
    assert [one["status"] for one in told["backups"]] == [0, 2, 0]
    assert recipients_of(made, env) == recipients_of(other, env)


def test_what_it_would_do(lab_seven, made, env):
    before = keep(made)
    done = reencrypt(lab_seven, made, "-n", "--gpg", "new@example.org",
                     env=env)
    assert done.status == 0 and f"would reencrypt '{made}'" in done.err
    assert keep(made) == before


def test_names_are_found_before_the_first_byte(lab_seven, made, env):
    before = keep(made)
    done = reencrypt(lab_seven, made, "none.tar.gz.gpg", "db", "--gpg",
                     "new@example.org", env=env)
    assert done.status in (6, 10), done
    assert keep(made) == before
    assert not leftovers(made.path.parent)
