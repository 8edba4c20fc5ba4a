"""Signed manifests: who has signed, what that is worth, what is forged."""

import json
import os
import subprocess
import time
import uuid

import pytest

from backups import Backup, asks_for_no_work, create, restore
from keys import KeyRing


@pytest.fixture(scope="module")
def signers(tmp_path_factory):
    """Keys that sign: two here, and one whose passphrase nobody gives."""
    ring = KeyRing(tmp_path_factory.mktemp("signers"))
    # gpg's agent must find nobody to ask.
    (ring.home / "gpg-agent.conf").write_text(
        "pinentry-program /bin/false\nallow-loopback-pinentry\n")
    for name in ("ann", "bob"):
        ring.make(name, f"{name} <{name}@example.org>", "ed25519", "sign",
                  "never")
    ring.make("gone", "Gone <gone@example.org>", "ed25519", "sign", "never")
    ring.make("past", "Past <past@example.org>", "ed25519", "sign", "1d",
              "20200101T000000!")
    subprocess.run(
        ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase",
         "secret", "--quick-gen-key", "Locked <locked@example.org>",
         "ed25519", "sign", "never"],
        env={**os.environ, **ring.env}, check=True, capture_output=True)
    ring.revoke("gone")
    subprocess.run(["gpgconf", "--reload", "gpg-agent"], check=True,
                   env={**os.environ, **ring.env})
    yield ring
    ring.close()


def signature_of(made):
    return made.path.with_name(made.path.name + ".json.sig")


def names_to_be():
    """What an archive of home/web may be called within the next minute."""
    now = int(time.time())
    return [time.strftime("web-%Y%m%d-%H%M%S.tar.gz", time.gmtime(now + s))
            for s in range(60)]


@pytest.fixture
def signed(daemon, signers, tmp_path):
    """An archive that ann has signed, and that this host has forgotten."""
    made = create(daemon, "home/web", tmp_path, "--sign", "ann@example.org",
                  env=signers.env)
    made.record_path.unlink()
    return made


def gpg_says(made, ring):
    return subprocess.run(
        ["gpg", "--batch", "--status-fd", "1", "--verify", signature_of(made),
         made.manifest_path], env={**os.environ, **ring.env},
        capture_output=True, check=False)


def test_gpg_alone_verifies_it(signed, signers):
    done = gpg_says(signed, signers)
    assert done.returncode == 0, done
    assert b"VALIDSIG " + signers.fingerprints["ann"].encode() in done.stdout
    assert signed.manifest["signer"] == signers.fingerprints["ann"]
    assert signature_of(signed).stat().st_mode & 0o777 == 0o600
    assert not [one for one in os.listdir(signed.path.parent)
                if one.startswith(".")]


@pytest.mark.parametrize("again", [True, False])
def test_force_replaces_all_three(daemon, signers, tmp_path, again):
    """The names of the next minute are taken, by what somebody has left."""
    names = names_to_be()
    for name in names:
        for suffix in ("", ".json", ".json.sig"):
            (tmp_path / (name + suffix)).write_text("old")
    options = ("--sign", "bob@example.org") if again else ()
    refused = daemon.anklume("backup", "create", "home/web", "-o", tmp_path,
                             *options, env=signers.env)
    assert refused.status == 8, refused
    made = create(daemon, "home/web", tmp_path, "--force", *options,
                  env=signers.env)
    assert made.path.name in names
    assert made.path.read_bytes() != b"old"
    assert made.manifest["size_bytes"] == made.path.stat().st_size
    assert signature_of(made).exists() == again
    assert not again or gpg_says(made, signers).returncode == 0


def test_no_manifest_without_its_signature(daemon, signers, tmp_path):
    """The signature's name is taken: nothing claims to be whole."""
    for name in names_to_be():
        (tmp_path / (name + ".json.sig")).mkdir()
    done = daemon.anklume("backup", "create", "home/web", "-o", tmp_path,
                          "--sign", "ann@example.org", env=signers.env)
    assert done.status == 8, done
    assert "the archive is whole, its manifest is not" in done.err
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize("key, says", [
    ("nobody@example.org", "no secret key for 'nobody@example.org'"),
    ("past@example.org", "is expired"),
    ("gone@example.org", "is revoked"),
    ("locked@example.org", "cannot sign"),
])
def test_a_key_that_cannot_sign_now(daemon, signers, tmp_path, key, says):
    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "create", "home/web", "-o",
                              tmp_path / "new", "--sign", key,
                              env=signers.env)
    assert done.status == 12, done
    assert says in done.err
    assert not os.listdir(tmp_path)


def test_standard_output_has_no_manifest(daemon, signers):
    with asks_for_no_work(daemon):
        done = daemon.anklume("backup", "create", "home/web", "-o", "-",
                              "--sign", "ann@example.org", env=signers.env)
    assert (done.status, done.out) == (2, ""), done


def test_the_signer_decides_where_it_goes(daemon, signed, signers, make_box,
                                          tmp_path):
    box = make_box(project="work", start=False)
    made = create(daemon, box, tmp_path, "--sign", "ann@example.org",
                  env=signers.env)
    made.record_path.unlink()
    box.delete()
    refused = restore(daemon, made, env=signers.env)
    assert refused.status == 2, refused
    by_any = restore(daemon, made, "--require-signature", env=signers.env)
    assert by_any.status == 2, by_any
    ann = signers.fingerprints["ann"]
    done = restore(daemon, made, "--signed-by", ann.lower(), "--json",
                   env=signers.env)
    assert done.status == 0, done
    assert done.json()["origin"] == f"signed by {ann}"
    assert (done.json()["project"], done.json()["instance"]) == (
        "work", box.name)


def test_signers_that_are_trusted_always(daemon, signers, make_box, tmp_path):
    """By the configuration: theirs go where they belong; others are no
    failure."""
    box = make_box(project="work", start=False)
    made = create(daemon, box, tmp_path, "--sign", "ann@example.org",
                  env=signers.env)
    own = create(daemon, box, tmp_path / "own", "--compression", "none")
    made.record_path.unlink()
    box.delete()

    def with_trust_in(name):
        conf = tmp_path / "conf"
        conf.write_text(f"[trust]\nsigners = {signers.fingerprints[name]}\n")
        return {**signers.env, "ANKLUME_CONFIG": str(conf)}

    refused = restore(daemon, made, env=with_trust_in("bob"))
    assert refused.status == 2, refused
    for archive in (made, own):
        done = restore(daemon, archive, "--json", env=with_trust_in("ann"))
        assert done.status == 0, done
        assert (done.json()["project"], done.json()["instance"]) == (
            "work", box.name)
        box.delete()


def test_any_good_signature(daemon, signed, signers, new_name):
    done = restore(daemon, signed, "--require-signature", "--project", "home",
                   "--name", new_name(), "--json", env=signers.env)
    assert done.status == 0, done
    assert done.json()["origin"] == \
        f"signed by {signers.fingerprints['ann']}"


def refuse(daemon, made, ring, *options, says=None):
    name = "sign" + uuid.uuid4().hex[:10]
    done = restore(daemon, made, "--project", "home", "--name", name,
                   *options, env=ring.env)
    assert (done.status, done.out) == (5, ""), done
    assert not daemon.exists(name, "home")
    assert says is None or says in done.err


def test_another_signer(daemon, signed, signers):
    bob = signers.fingerprints["bob"]
    refuse(daemon, signed, signers, "--signed-by", bob, says="another key")


def test_one_of_several_signers(daemon, signed, signers, new_name):
    both = [word for name in ("bob", "ann")
            for word in ("--signed-by", signers.fingerprints[name])]
    done = restore(daemon, signed, "--project", "home", "--name", new_name(),
                   *both, env=signers.env)
    assert done.status == 0, done


@pytest.mark.parametrize("option", ["--signed-by", "--require-signature"])
@pytest.mark.parametrize("own", [True, False])
def test_no_signature(daemon, signers, tmp_path, option, own):
    """What this host has made is not signed by that."""
    made = create(daemon, "home/web", tmp_path)
    if not own:
        made.record_path.unlink()
    words = [option, signers.fingerprints["ann"]][:1 + (
        option == "--signed-by")]
    refuse(daemon, made, signers, *words, says="is not signed")
    done = daemon.anklume("backup", "restore", "-", "--project", "home",
                          "--name", "signnever", *words, env=signers.env,
                          stdin=made.path.read_bytes())
    assert done.status == 5, done


def test_a_key_that_is_not_here(daemon, signed, gpg_home, signers, new_name):
    env = {"GNUPGHOME": str(gpg_home)}
    done = restore(daemon, signed, "--project", "home", "--name", new_name(),
                   "--json", env=env)
    assert done.json()["origin"] == "unknown", done
    assert "not in the keyring" in done.err
    name = new_name()
    done = restore(daemon, signed, "--project", "home", "--name", name,
                   "--signed-by", signers.fingerprints["ann"], env=env)
    assert done.status == 5, done
    assert not daemon.exists(name, "home")


@pytest.mark.parametrize("word", ["ann@example.org", "0123456789ABCDEF", ""])
def test_only_a_whole_fingerprint_says_who(daemon, signed, signers, word):
    done = restore(daemon, signed, "--signed-by", word, env=signers.env)
    assert done.status == 2, done
    assert "not a whole fingerprint" in done.err


@pytest.mark.parametrize("options", [(), ("--require-signature",)])
def test_a_changed_manifest(daemon, signed, signers, options):
    """Even by a byte that means nothing."""
    signed.manifest_path.write_text(signed.manifest_path.read_text() + " ")
    refuse(daemon, signed, signers, *options, says="not what was signed")


@pytest.mark.parametrize("spoil", [
    lambda text: "", lambda text: "-----BEGIN PGP SIGNATURE-----\n",
    lambda text: text[:len(text) // 2], lambda text: "x" * 70000])
def test_a_spoilt_signature(daemon, signed, signers, spoil):
    path = signature_of(signed)
    path.write_text(spoil(path.read_text()))
    refuse(daemon, signed, signers, "--require-signature")


def test_a_signature_of_another_archive(daemon, signed, signers, tmp_path):
    """Signed, manifest and all: but of other bytes."""
    ann = signers.fingerprints["ann"]
    other = create(daemon, "home/web", tmp_path / "other", "--compression",
                   "none")
    data = bytearray(other.path.read_bytes())
    size = signed.path.stat().st_size
    moved = Backup(tmp_path / "moved.tar.gz")
    moved.path.write_bytes(data[:size])
    moved.manifest_path.write_bytes(signed.manifest_path.read_bytes())
    signature_of(moved).write_bytes(signature_of(signed).read_bytes())
    refuse(daemon, moved, signers, "--signed-by", ann)


def test_one_flipped_bit_below_a_good_signature(daemon, signers, tmp_path):
    ann = signers.fingerprints["ann"]
    made = create(daemon, "home/web", tmp_path, "--compression", "none",
                  "--sign", ann, env=signers.env)
    made.record_path.unlink()
    data = bytearray(made.path.read_bytes())
    # What a file holds: no checksum of the tar covers it.
    data[len(data) // 2] ^= 1
    made.path.write_bytes(data)
    refuse(daemon, made, signers, "--signed-by", ann)


def test_a_manifest_of_another_instance(daemon, tmp_path, signers):
    """Its digest fits, its name does not."""
    made = create(daemon, "home/web", tmp_path)
    made.edit_manifest(instance="mail")
    made.record_path.unlink()
    refuse(daemon, made, signers, says="holds the instance 'web'")


def test_list_and_show_say_who(daemon, signed, signers, gpg_home):
    ann = signers.fingerprints["ann"]
    where = signed.path.parent
    for env, origin in ((signers.env, f"signed by {ann}"),
                        ({"GNUPGHOME": str(gpg_home)}, "unknown")):
        listed = daemon.anklume("backup", "list", "--from", where, "--json",
                                env=env).json()["backups"]
        assert [one["origin"] for one in listed] == [origin]
        shown = daemon.anklume("backup", "show", signed.path, "--json",
                               env=env).json()["backup"]
        assert shown["origin"] == origin
    signed.manifest_path.write_text(
        json.dumps({**signed.manifest, "project": "work"}))
    listed = daemon.anklume("backup", "list", "--from", where, "--json",
                            env=signers.env).json()["backups"]
    assert [one["origin"] for one in listed] == ["unknown"]
