"""Keys and devices in an archive that give the host away: a stranger's are
refused, before the upload and after it."""

import pytest

from backups import create, leaves_nothing, restore, rewritten
from keys import KeyRing

KEYS = {
    "raw.lxc": "lxc.environment=A=1",
    "security.privileged": "true",
    "security.syscalls.intercept.mknod": "true",
    "linux.kernel_modules": "loop",
}
DEVICES = {
    "tmp": ["disk", "source=/tmp", "path=/mnt"],
    "null": ["unix-char", "source=/dev/null", "path=/dev/gift"],
    "door": ["proxy", "listen=tcp:127.0.0.1:18999",
             "connect=tcp:127.0.0.1:1"],
}


def stranger(box, tmp_path, name="own"):
    return create(box.daemon, box, tmp_path / name, "--compression",
                  "none").forget()


def come_in(box, backup, name, *options, **run):
    return restore(box.daemon, backup, "--project", box.project, "--name",
                   name, *options, **run)


@pytest.fixture
def box(make_box):
    return make_box(project="home", start=False)


def set_key(box, key, value, where=()):
    box.daemon.incus("config", "set", box.name, f"{key}={value}",
                     "--project", box.project, *where)


def add_device(box, name, words):
    box.daemon.incus("config", "device", "add", box.name, name, *words,
                     "--project", box.project)


def let_through(box, backup, name, word):
    """Refused with the option that lets it in, which then does, in a list."""
    with leaves_nothing(box.daemon):
        done = come_in(box, backup, name)
    assert done.status == 14, done
    assert f"would reach for the host: {word}" in done.err
    assert f"  --allow {word}\n" in done.err
    done = come_in(box, backup, name, "--allow", f"other,{word}")
    assert done.status == 0, done


@pytest.mark.parametrize("key", KEYS)
def test_a_key(daemon, box, tmp_path, new_name, key):
    set_key(box, key, KEYS[key])
    name = new_name()
    let_through(box, stranger(box, tmp_path), name, key)
    assert daemon.get(f"/1.0/instances/{name}?project=home")["config"][
        key] == KEYS[key]


@pytest.mark.parametrize("device", DEVICES)
def test_a_device(box, tmp_path, new_name, device):
    add_device(box, device, DEVICES[device])
    let_through(box, stranger(box, tmp_path), new_name(), f"devices.{device}")


def test_all_of_them_in_one_message(daemon, box, tmp_path, new_name):
    for key, value in KEYS.items():
        set_key(box, key, value)
    for name, words in DEVICES.items():
        add_device(box, name, words)
    backup, name = stranger(box, tmp_path), new_name()
    with leaves_nothing(daemon):
        done = come_in(box, backup, name)
    assert done.status == 14, done
    (hint,) = [line for line in done.err.splitlines() if "--allow" in line]
    words = hint.split()
    assert set(words[1].split(",")) == set(KEYS) | {
        f"devices.{device}" for device in DEVICES}
    with leaves_nothing(daemon):
        assert come_in(box, backup, name, "--allow",
                       words[1].partition(",")[2]).status == 14
    assert come_in(box, backup, name, *words).status == 0


def test_whatever_it_is(daemon, box, tmp_path, new_name):
    set_key(box, "raw.lxc", KEYS["raw.lxc"])
    backup = stranger(box, tmp_path)
    assert come_in(box, backup, new_name(), "--allow-unsafe").status == 0
    del daemon


def test_what_harms_nobody(daemon, box, tmp_path, new_name):
    set_key(box, "security.nesting", "true")
    set_key(box, "security.privileged", "false")
    add_device(box, "p2p", ["nic", "nictype=p2p", "name=eth7"])
    assert come_in(box, stranger(box, tmp_path), new_name()).status == 0
    del daemon


def test_this_hosts_own(daemon, box, tmp_path, new_name):
    set_key(box, "raw.lxc", KEYS["raw.lxc"])
    backup = create(daemon, box, tmp_path)
    assert restore(daemon, backup, "--name", new_name()).status == 0


@pytest.mark.usefixtures("empty_record")
def test_a_pretender_of_this_hosts(daemon, box, tmp_path, new_name):
    """Another archive of the same size: only its digest tells. With two of
    this size in the record it would be nobody's."""
    set_key(box, "raw.lxc", KEYS["raw.lxc"])
    backup = create(daemon, box, tmp_path)
    backup.manifest_path.unlink()
    body = bytearray(backup.path.read_bytes())
    body[4] ^= 1  # gzip's time: it unpacks to the same
    backup.path.write_bytes(body)
    with leaves_nothing(daemon):
        done = restore(daemon, backup, "--name", new_name(), "--project",
                       "home")
    assert done.status == 5, done


@pytest.fixture(scope="module")
def signers(tmp_path_factory):
    ring = KeyRing(tmp_path_factory.mktemp("signers"))
    ring.make("ann", "Ann <ann@example.org>", "ed25519", "sign", "never")
    yield ring
    ring.close()


@pytest.mark.parametrize("asked", [True, False])
def test_a_signer_that_is_trusted(daemon, box, tmp_path, new_name, signers,
                                  asked):
    set_key(box, "raw.lxc", KEYS["raw.lxc"])
    signer = signers.fingerprints["ann"]
    backup = create(daemon, box, tmp_path, "--sign", signer, env=signers.env)
    backup.record_path.unlink()
    done = come_in(box, backup, new_name(), *(
        ["--signed-by", signer] if asked else []), env=signers.env)
    assert done.status == (0 if asked else 14), done


def test_in_a_snapshot_alone(daemon, box, tmp_path, new_name):
    set_key(box, "raw.lxc", KEYS["raw.lxc"])
    daemon.incus("snapshot", "create", box.name, "evil", "--project", "home")
    daemon.incus("config", "unset", box.name, "raw.lxc", "--project", "home")
    backup, name = stranger(box, tmp_path), new_name()
    with leaves_nothing(daemon):
        done = come_in(box, backup, name)
    assert done.status == 14 and "raw.lxc" in done.err, done
    assert come_in(box, backup, name, "--allow", "raw.lxc").status == 0


def test_the_replaced_one_has_it_too(daemon, box, tmp_path):
    set_key(box, "raw.lxc", KEYS["raw.lxc"])
    backup = stranger(box, tmp_path)
    done = come_in(box, backup, box.name, "--force", "--yes")
    assert done.status == 0, done
    set_key(box, "raw.lxc", "lxc.environment=B=2")
    with leaves_nothing(daemon):
        done = come_in(box, backup, box.name, "--force", "--yes")
    assert done.status == 14, done


def test_what_the_index_does_not_say(daemon, box, tmp_path, new_name):
    """The daemon takes the other file's word; what it made is looked at."""
    set_key(box, "raw.lxc", KEYS["raw.lxc"])
    backup, name = stranger(box, tmp_path), new_name()
    rewritten(backup, "backup/index.yaml", lambda text: "".join(
        line for line in text.splitlines(True) if "raw.lxc" not in line))
    with leaves_nothing(daemon):
        done = come_in(box, backup, name)
    assert done.status == 14 and "raw.lxc" in done.err, done
