"""What create writes beside an archive, and says: all of it, and true."""

import datetime
import gzip
import subprocess
import tarfile

import pytest

from backups import create, sha256_of

FIELDS = {
    "format", "instance", "project", "server", "type", "architecture",
    "created_at", "anklume", "incus", "archive", "size_bytes", "sha256",
    "compression", "recipients", "tar_size_bytes", "tar_sha256", "entries",
    "snapshots", "profiles", "pool", "driver", "consistency", "volumes",
    "not_included", "warnings"}


def plain_tar(path, env):
    """The tar inside, as the stock tools get it out."""
    tools = {"gpg": ["gpg", "-q", "--batch", "-d"], "gz": ["gzip", "-dc"],
             "zst": ["zstd", "-dc"]}
    data = path.read_bytes()
    for suffix in reversed(path.name.split(".")):
        if suffix in tools:
            data = subprocess.run(tools[suffix], input=data, check=True,
                                  capture_output=True, env=env).stdout
    return data


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_sizes_digests_and_counts(daemon, gpg_home, tmp_path, compression,
                                  encrypted):
    env = daemon.environment(GNUPGHOME=str(gpg_home))
    key = ["--gpg", "tests@example.org"] if encrypted else []
    made = create(daemon, "home/web", tmp_path, "--compression", compression,
                  *key, env=env)
    told = made.manifest
    data, tar = made.path.read_bytes(), plain_tar(made.path, env)
    (tmp_path / "tar").write_bytes(tar)
    with tarfile.open(tmp_path / "tar") as opened:
        entries = len(opened.getnames())

    assert told["archive"] == made.path.name
    assert told["compression"] == compression
    assert told["size_bytes"] == len(data)
    assert told["sha256"] == sha256_of(data)
    assert told["tar_size_bytes"] == len(tar)
    assert told["tar_sha256"] == sha256_of(tar)
    assert told["entries"] == entries


def test_who_what_where(daemon, make_box, tmp_path):
    box = make_box(project="work", pool="bt", start=False)
    daemon.incus("profile", "create", "extra")
    try:
        daemon.incus("profile", "add", box.name, "extra", "--project", "work")
        for name in ("one", "two"):
            daemon.incus("snapshot", "create", box.name, name, "--project",
                         "work")
        started = datetime.datetime.now(datetime.timezone.utc)
        made = create(daemon, box, tmp_path)
    finally:
        daemon.incus("profile", "remove", box.name, "extra", "--project",
                     "work")
        daemon.incus("profile", "delete", "extra")

    told = made.manifest
    server = daemon.get("/1.0")["environment"]
    assert FIELDS <= told.keys()
    assert told["format"] == 1
    assert (told["project"], told["instance"]) == ("work", box.name)
    assert told["server"] == {
        "name": server["server_name"],
        "fingerprint": server["certificate_fingerprint"], "member": ""}
    assert told["incus"] == server["server_version"]
    assert told["type"] == "container"
    assert told["architecture"] == server["kernel_architecture"]
    assert told["snapshots"] == ["one", "two"]
    assert told["profiles"] == ["default", "extra"]
    assert (told["pool"], told["driver"]) == ("bt", "btrfs")
    assert told["created_at"].endswith("Z")
    delay = datetime.datetime.fromisoformat(told["created_at"]) - started
    assert abs(delay.total_seconds()) < 60


def test_the_record_has_it(daemon, tmp_path):
    made = create(daemon, "home/web", tmp_path)
    assert made.record_path.stat().st_mode & 0o777 == 0o644
    for name, value in made.record.items():
        assert made.manifest[name] == value
    assert {"sha256", "size_bytes", "project", "instance"} <= \
        made.record.keys()


@pytest.mark.parametrize("instance, word, warned", [
    ("home/web", "stopped", False), ("alpha", "live", True),
    ("beta", "snapshot", False)])
def test_consistency(daemon, tmp_path, instance, word, warned):
    made = create(daemon, instance, tmp_path)
    assert made.manifest["consistency"] == word
    assert any("was running" in one
               for one in made.manifest["warnings"]) == warned


def test_what_is_not_included_is_said(daemon, make_box, tmp_path):
    box = make_box(start=False)
    daemon.incus("storage", "volume", "create", "bt", "letters")
    daemon.incus("profile", "create", "hosting")
    try:
        daemon.incus("config", "device", "add", box.name, "post", "disk",
                     "pool=bt", "source=letters", "path=/srv/post")
        daemon.incus("profile", "device", "add", "hosting", "etc", "disk",
                     "source=/etc", "path=/host/etc")
        daemon.incus("profile", "add", box.name, "hosting")
        done = daemon.anklume("backup", "create", "--json", box.name, "-o",
                              tmp_path, "--volumes", "none")
        assert done.status == 0, done
    finally:
        box.delete()
        daemon.incus("profile", "delete", "hosting")
        daemon.incus("storage", "volume", "delete", "bt", "letters")

    told = done.json()["manifest"]
    assert sorted(told["not_included"], key=str) == [
        {"device": "etc", "kind": "host path", "source": "/etc"},
        {"device": "post", "kind": "volume", "source": "letters",
         "pool": "bt"}]
    assert told["volumes"] == [
        {"project": "default", "pool": "bt", "name": "letters"}]
    assert "not included: volume 'letters' (device 'post')" in done.err
    assert "not included: host path '/etc' (device 'etc')" in done.err


@pytest.mark.parametrize("keys, warned, not_warned", [
    ([], "nothing was encrypted", "one key"),
    (["good"], "one key alone can open this backup", "encrypted"),
    (["good", "second"], None, "one key"),
    (["good", "soon"], "expires on", "one key"),
    (["good", "soon later"], None, "expires on"),
])
def test_warnings_about_keys(daemon, key_ring, tmp_path, keys, warned,
                             not_warned):
    options = [word for key in keys
               for word in ("--gpg", key_ring.fingerprints[key])]
    made = create(daemon, "home/web", tmp_path, *options, env=key_ring.env)
    warnings = made.manifest["warnings"]
    assert made.manifest["recipients"] == [
        key_ring.fingerprints[key] for key in keys]
    assert warned is None or any(warned in one for one in warnings)
    assert not any(not_warned in one for one in warnings)


def test_a_manifest_is_never_translated(daemon, tmp_path):
    made = create(daemon, "home/web", tmp_path,
                  env={"LC_ALL": "fr_FR.UTF-8", "LANGUAGE": "fr"})
    assert made.manifest["warnings"] == ["nothing was encrypted"]


def test_gzip_holds_no_name_and_no_time(daemon, tmp_path):
    """Two archives of one state differ in nothing that we add."""
    made = create(daemon, "home/web", tmp_path)
    with gzip.open(made.path) as opened:
        opened.read()
        assert opened.mtime == 0
    assert made.path.read_bytes()[3] == 0
