"""Key rings with keys of every kind that a search may turn up."""

import os
import pathlib
import re
import subprocess

# name: user id, algorithm, usage, expiry, faked time of making
KEYS = {
    "good": ("Good <good@example.org>", "future-default", "default", "never"),
    "second": ("Second <second@example.org>", "future-default", "default",
               "never"),
    "soon": ("Soon <soon@example.org>", "future-default", "default", "20d"),
    "soon later": ("Later <later@example.org>", "future-default", "default",
                   "2y"),
    "expired": ("Past <expired@example.org>", "future-default", "default",
                "1d", "20200101T000000!"),
    "revoked": ("Gone <revoked@example.org>", "future-default", "default",
                "never"),
    "sign only": ("Signer <signer@example.org>", "ed25519", "sign", "never"),
    "twin one": ("Twin <twin@example.org>", "future-default", "default",
                 "never"),
    "twin two": ("Twin <twin@example.org>", "future-default", "default",
                 "never"),
    "renewed past": ("Renewed <renewed@example.org>", "future-default",
                     "default", "1d", "20200101T000000!"),
    "renewed": ("Renewed <renewed@example.org>", "future-default", "default",
                "never"),
    "longer": ("Joann <joann@example.org>", "future-default", "default",
               "never"),
}
STRANGER = ("Stranger <stranger@example.org>", "future-default", "default",
            "never")


class KeyRing:
    """A GNUPGHOME; fingerprints are by the names above."""

    def __init__(self, home):
        self.home = pathlib.Path(home)
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.env = {"GNUPGHOME": str(home)}
        self.fingerprints = {}

    def gpg(self, *words, stdin=b""):
        return subprocess.run(
            ["gpg", "--batch", "--yes", "--pinentry-mode", "loopback",
             "--passphrase", "", *words],
            input=stdin, env={**os.environ, **self.env}, check=True,
            capture_output=True).stdout

    def make(self, name, user_id, algorithm, usage, expiry, made=None):
        when = ["--faked-system-time", made] if made else []
        out = self.gpg(*when, "--status-fd", "1", "--quick-gen-key", user_id,
                       algorithm, usage, expiry)
        self.fingerprints[name] = re.search(
            rb"KEY_CREATED \S+ ([0-9A-F]{40})", out)[1].decode()

    def revoke(self, name):
        """With the certificate that gpg makes along with each key."""
        path = (self.home / "openpgp-revocs.d"
                / f"{self.fingerprints[name]}.rev")
        text = path.read_text().replace(":-----BEGIN", "-----BEGIN")
        self.gpg("--import", stdin=text.encode())

    def take_from(self, other, name):
        """Import a public key; nobody here has certified it."""
        fingerprint = other.fingerprints[name]
        self.gpg("--import", stdin=other.gpg("--export", fingerprint))
        self.fingerprints[name] = fingerprint

    def close(self):
        subprocess.run(["gpgconf", "--kill", "all"], check=False,
                       env={**os.environ, **self.env})


def full_key_ring(home):
    ring, other = KeyRing(home / "ours"), KeyRing(home / "theirs")
    for name, how in KEYS.items():
        ring.make(name, *how)
    ring.revoke("revoked")
    other.make("stranger", *STRANGER)
    ring.take_from(other, "stranger")
    other.close()
    return ring
