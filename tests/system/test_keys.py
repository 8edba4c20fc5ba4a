"""Which keys encrypt, which are refused; and who can read the result."""

import os
import re
import subprocess

import pytest

from backups import asks_for_no_work, create, leaves_nothing, restore


def ask_for(daemon, ring, output, *ids):
    options = [word for one in ids for word in ("--gpg", one)]
    return daemon.anklume("backup", "create", "home/web", "-o", output,
                          *options, env=ring.env)


def readers(path, ring):
    """The long ids of the subkeys that it is encrypted to."""
    done = subprocess.run(
        ["gpg", "--batch", "--list-only", "--status-fd", "1", "-d", path],
        env={**os.environ, **ring.env}, capture_output=True, check=False)
    return set(re.findall(rb"ENC_TO ([0-9A-F]{16})", done.stdout))


@pytest.mark.parametrize("address, says", [
    ("nobody@example.org", "no key for 'nobody@example.org'"),
    ("expired@example.org", "is expired"),
    ("revoked@example.org", "is revoked"),
    ("signer@example.org", "not able to encrypt"),
    ("twin@example.org", "2 usable keys"),
    ("ann@example.org", "no key for 'ann@example.org'"),
    ("joann@example.or", "no key for"),
    ("stranger@example.org", "nobody has certified"),
    ("0000000000000000000000000000000000000000", "no key for"),
])
def test_refused_before_anything_is_exported(daemon, key_ring, tmp_path,
                                             address, says):
    with asks_for_no_work(daemon):
        done = ask_for(daemon, key_ring, tmp_path / "new", address)
    assert done.status == 12, done
    assert says in done.err
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("name", ["expired", "revoked", "sign only"])
def test_no_fingerprint_makes_a_bad_key_good(daemon, key_ring, tmp_path, name):
    with asks_for_no_work(daemon):
        done = ask_for(daemon, key_ring, tmp_path,
                       key_ring.fingerprints[name])
    assert done.status == 12, done


def test_one_bad_key_among_good_ones(daemon, key_ring, tmp_path):
    with asks_for_no_work(daemon):
        done = ask_for(daemon, key_ring, tmp_path, "good@example.org",
                       "nobody@example.org")
    assert done.status == 12, done


def test_an_empty_id(daemon, key_ring, tmp_path):
    with asks_for_no_work(daemon):
        done = ask_for(daemon, key_ring, tmp_path, "")
    assert done.status == 2, done


def test_two_keys_are_named_by_what_to_type(daemon, key_ring, tmp_path):
    done = ask_for(daemon, key_ring, tmp_path, "twin@example.org")
    offered = set(re.findall(r"--gpg ([0-9A-F]{40})", done.err))
    assert offered == {key_ring.fingerprints["twin one"],
                       key_ring.fingerprints["twin two"]}
    done = ask_for(daemon, key_ring, tmp_path, offered.pop())
    assert done.status == 0, done


def test_a_stranger_is_accepted_by_fingerprint(daemon, key_ring, tmp_path):
    refused = ask_for(daemon, key_ring, tmp_path, "stranger@example.org")
    fingerprint = key_ring.fingerprints["stranger"]
    assert f"--gpg {fingerprint}" in refused.err
    made = create(daemon, "home/web", tmp_path, "--gpg", fingerprint,
                  env=key_ring.env)
    assert made.manifest["recipients"] == [fingerprint]


def test_bad_keys_of_one_address_do_not_count(daemon, key_ring, tmp_path):
    """An expired one and its successor: only one is left."""
    made = create(daemon, "home/web", tmp_path, "--gpg",
                  "renewed@example.org", env=key_ring.env)
    assert made.manifest["recipients"] == [key_ring.fingerprints["renewed"]]


@pytest.mark.parametrize("spell", [
    str, str.lower, lambda digits: "0x" + digits,
    lambda digits: " ".join(re.findall("....", digits)),
    lambda digits: digits[-16:], lambda digits: "GOOD@example.org",
    lambda digits: "Good <good@example.org>"])
def test_spellings_of_a_key(daemon, key_ring, tmp_path, spell):
    fingerprint = key_ring.fingerprints["good"]
    made = create(daemon, "home/web", tmp_path, "--gpg", spell(fingerprint),
                  env=key_ring.env)
    assert made.manifest["recipients"] == [fingerprint]


def test_each_of_several_keys_opens_it(daemon, key_ring, tmp_path):
    """--gpg-recipient is the older name; a key named twice is one."""
    made = create(daemon, "home/web", tmp_path, "--gpg", "good@example.org",
                  "--gpg-recipient", "second@example.org",
                  "--gpg=GOOD@example.org", env=key_ring.env)
    assert made.manifest["recipients"] == [
        key_ring.fingerprints["good"], key_ring.fingerprints["second"]]
    assert len(readers(made.path, key_ring)) == 2


@pytest.fixture
def gpg_conf(key_ring):
    path = key_ring.home / "gpg.conf"
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("option", [
    "encrypt-to", "hidden-encrypt-to", "default-recipient"])
def test_gpg_conf_adds_no_reader(daemon, key_ring, gpg_conf, tmp_path,
                                 option):
    gpg_conf.write_text(f"{option} {key_ring.fingerprints['second']}\n")
    made = create(daemon, "home/web", tmp_path, "--gpg", "good@example.org",
                  env=key_ring.env)
    assert len(readers(made.path, key_ring)) == 1


def test_gpg_conf_may_ask_for_armor(daemon, key_ring, gpg_conf, tmp_path):
    """gpg gives no way to refuse it; such an archive is as good."""
    gpg_conf.write_text("armor\n")
    made = create(daemon, "home/web", tmp_path, "--gpg", "good@example.org",
                  env=key_ring.env)
    assert made.path.read_bytes().startswith(b"-----BEGIN PGP MESSAGE-----")
    done = restore(daemon, made, "--name", "armored", env=key_ring.env)
    assert done.out == "home/armored\n"
    daemon.incus("delete", "armored", "--project", "home")


def test_restore_without_the_key(daemon, key_ring, gpg_home, tmp_path):
    made = create(daemon, "home/web", tmp_path, "--gpg",
                  key_ring.fingerprints["stranger"], env=key_ring.env)
    for env in (key_ring.env, {"GNUPGHOME": str(gpg_home)},
                {"GNUPGHOME": str(tmp_path / "nowhere")}):
        with leaves_nothing(daemon):
            done = restore(daemon, made, "--name", "never", env=env)
        assert done.status == 12, done
