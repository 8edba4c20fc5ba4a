"""A restic repository of many thousand snapshots, which restic itself would take
hours to make: the files of its repository, as doc/design.rst of restic has
them."""

import base64
import ctypes
import ctypes.util
import hashlib
import json
import os
import subprocess

_CRYPTO = ctypes.CDLL(ctypes.util.find_library("crypto"))
_CRYPTO.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
_CRYPTO.EVP_aes_128_ecb.restype = ctypes.c_void_p
_CRYPTO.EVP_aes_256_ctr.restype = ctypes.c_void_p

# RFC 8439, 2.5.
_PRIME = (1 << 130) - 5
_CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffff


def _aes(kind, key, nonce, data):
    context = ctypes.c_void_p(_CRYPTO.EVP_CIPHER_CTX_new())
    out, size = ctypes.create_string_buffer(len(data) + 16), ctypes.c_int()
    cipher = ctypes.c_void_p(getattr(_CRYPTO, "EVP_aes_" + kind)())
    done = _CRYPTO.EVP_EncryptInit_ex(context, cipher, None, key, nonce)
    done &= _CRYPTO.EVP_EncryptUpdate(context, out, ctypes.byref(size), data,
                                      len(data))
    _CRYPTO.EVP_CIPHER_CTX_free(context)
    assert done == 1 and size.value == len(data)
    return out.raw[:len(data)]


def _poly1305(r, s, data):
    r = int.from_bytes(r, "little") & _CLAMP
    total = 0
    for at in range(0, len(data), 16):
        block = int.from_bytes(data[at:at + 16] + b"\1", "little")
        total = (total + block) * r % _PRIME
    total += int.from_bytes(s, "little")
    return (total & ((1 << 128) - 1)).to_bytes(16, "little")


class Repository:
    """Of version 1, which does not compress what lies outside of packs."""

    def __init__(self, path):
        self.path = path
        self._restic("init", "--repository-version", "1")
        key = json.loads(self._restic("cat", "masterkey"))
        self._encrypt = base64.b64decode(key["encrypt"])
        self._mac_k = base64.b64decode(key["mac"]["k"])
        self._mac_r = base64.b64decode(key["mac"]["r"])

    def _restic(self, *words, **env):
        return subprocess.run(
            ["restic", "-q", "-r", self.path, "--no-cache", *words],
            env={**os.environ, "RESTIC_PASSWORD": "tests", **env},
            check=True, capture_output=True).stdout

    def add_snapshot(self, host, when):
        """`when` is a time with its zone, as restic would note it."""
        text = json.dumps({
            "time": when.isoformat(), "tree": "0" * 64, "paths": ["/x"],
            "hostname": host, "username": "root"}).encode()
        nonce = os.urandom(16)
        hidden = _aes("256_ctr", self._encrypt, nonce, text)
        tag = _poly1305(self._mac_r,
                        _aes("128_ecb", self._mac_k, None, nonce), hidden)
        content = nonce + hidden + tag
        name = hashlib.sha256(content).hexdigest()
        (self.path / "snapshots" / name).write_bytes(content)

    def forget(self, zone, *rules):
        """What restic would keep: {host: {time, as it was written: reasons}}.
        """
        told = self._restic("forget", "--dry-run", "--json", "--no-lock",
                            "--group-by", "host", *rules, TZ=zone)
        return {group["host"]: {one["snapshot"]["time"]: one["matches"]
                                for one in group["reasons"]}
                for group in json.loads(told)}
