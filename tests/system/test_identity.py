"""What makes an instance the one it is: its uuid and its MAC addresses."""

import pytest

from backups import create, restore

OWN = ("volatile.uuid", "volatile.uuid.generation", "volatile.eth0.hwaddr",
       "volatile.cloud-init.instance-id")


def identity(daemon, name, project="default"):
    config = daemon.get(f"/1.0/instances/{name}?project={project}")["config"]
    return {key: config.get(key) for key in OWN}


@pytest.fixture
def networked(daemon, make_box, tmp_path):
    """A box with a network card, and its backup."""
    box = make_box(start=False)
    daemon.incus("config", "device", "add", box.name, "eth0", "nic",
                 "nictype=p2p")
    return box, create(daemon, box, tmp_path)


def test_the_original_itself_comes_back(daemon, networked):
    box, made = networked
    before = identity(daemon, box.name)
    assert all(before.values())
    box.delete()
    assert restore(daemon, made).status == 0
    assert identity(daemon, box.name) == before


def test_a_twin_beside_the_original_is_somebody_else(daemon, networked,
                                                     new_name):
    box, made = networked
    name = new_name()
    assert restore(daemon, made, "--name", name).status == 0
    # The daemon fills in what is missing when it starts, but cloud-init's id,
    # in the place of which the name stands (incus, CloudInitID).
    daemon.incus("start", name)
    ours, theirs = identity(daemon, box.name), identity(daemon, name)
    assert theirs["volatile.uuid"] and theirs["volatile.eth0.hwaddr"]
    assert not set(ours.values()) & set(theirs.values())


def test_another_name_is_somebody_else_without_a_twin_too(
        daemon, networked, new_name):
    box, made = networked
    before = identity(daemon, box.name)
    box.delete()
    name = new_name()
    assert restore(daemon, made, "--name", name).status == 0
    assert not set(before.values()) & set(identity(daemon, name).values())


def test_a_twin_in_another_project(daemon, networked):
    box, made = networked
    assert restore(daemon, made, "--project", "work").status == 0
    try:
        ours = identity(daemon, box.name)
        theirs = identity(daemon, box.name, "work")
        assert not set(ours.values()) & set(theirs.values())
    finally:
        daemon.incus("delete", box.name, "--project", "work")


def test_keep_identity(daemon, networked, new_name):
    box, made = networked
    name = new_name()
    done = restore(daemon, made, "--name", name, "--keep-identity")
    assert done.status == 0, done
    assert identity(daemon, box.name) == identity(daemon, name)


def test_a_new_one_starts(daemon, networked, new_name):
    _, made = networked
    name = new_name()
    done = restore(daemon, made, "--name", name, "--start")
    assert done.status == 0, done
    given = daemon.exec(name, "cat", "/sys/class/net/eth0/address").out
    assert given.strip() == identity(daemon, name)["volatile.eth0.hwaddr"]


def test_a_namesake_is_no_twin(daemon, networked):
    """Thirty projects may hold a 'web': only the same MAC or UUID is a twin."""
    box, made = networked
    before = identity(daemon, box.name)
    box.delete()
    daemon.incus("init", "busybox", box.name, "--project", "work")
    try:
        done = restore(daemon, made)
        assert done.status == 0, done
        assert identity(daemon, box.name) == before
    finally:
        daemon.incus("delete", box.name, "--project", "work")
