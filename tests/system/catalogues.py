"""Directories of archives that no daemon has made: for what is told from
manifests alone."""

import dataclasses
import hashlib
import json
import pathlib

FINGERPRINT = "ab" * 32
KEY = "0123456789ABCDEF0123456789ABCDEF01234567"


def manifest(name, body, **fields):
    """One that fits an archive of that name and content."""
    return {
        "format": 1, "instance": "web", "project": "work",
        "server": {"name": "host", "fingerprint": FINGERPRINT, "member": ""},
        "type": "container", "architecture": "x86_64",
        "created_at": "2026-11-22T03:04:05Z", "anklume": "0.1",
        "incus": "6.0.4", "archive": name, "size_bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(), "compression": "gzip",
        "recipients": [], "tar_size_bytes": 10240,
        "tar_sha256": "cd" * 32, "entries": 3, "snapshots": [],
        "profiles": ["default"], "pool": "default", "driver": "dir",
        "consistency": "stopped", "instance_only": False, "volumes": [],
        "not_included": [], "warnings": [], **fields}


@dataclasses.dataclass
class Catalogue:
    """One such directory."""

    path: pathlib.Path

    def archive(self, name, body=b"some bytes", **fields):
        path = self.bare(name, body)
        told = manifest(path.name, body, **fields)
        path.with_name(path.name + ".json").write_text(json.dumps(told))
        return path

    def volume(self, name, body=b"some bytes", **fields):
        """One of a custom volume: work/default/data, unless fields say
        another."""
        path = self.bare(name, body)
        told = manifest(path.name, body, **{
            "type": "volume", "volume": "default/data",
            "content_type": "filesystem", "profiles": [], **fields})
        del told["instance"]
        path.with_name(path.name + ".json").write_text(json.dumps(told))
        return path

    def bare(self, name, body=b"some bytes"):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return path
