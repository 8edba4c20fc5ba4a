"""A damaged archive becomes no instance, whatever its form and the damage.

Every test restores on a real daemon and compares what that holds afterwards:
instances, volumes, spooled files. Nothing here has a manifest or is in the
record, so that only the archive itself can tell, unless a test says otherwise.
"""

import gzip
import os
import subprocess
import tarfile
import zlib

import pytest

from backups import Backup, create, leaves_nothing, members_of, restore


def through(command, data, env=None):
    return subprocess.run(command, input=data, check=True,
                          capture_output=True, env=env).stdout


@pytest.fixture(scope="module")
def forms(gpg_home):
    """How archives are made of a tar by stock tools, by their suffix."""
    env = {**os.environ, "GNUPGHOME": str(gpg_home)}

    def encrypted(data):
        return through(["gpg", "--batch", "-q", "-z0", "-e", "-r",
                        "tests@example.org"], data, env)

    def gzipped(data):
        return gzip.compress(data, 1)

    return {
        ".tar": bytes,
        ".tar.gz": gzipped,
        ".tar.zst": lambda data: through(["zstd", "-q", "-1", "-c"], data),
        ".tar.gz.gpg": lambda data: encrypted(gzipped(data)),
    }


ALL_FORMS = pytest.mark.parametrize("form", [
    ".tar", ".tar.gz", ".tar.zst", ".tar.gz.gpg"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The tar of home/web, as each daemon has exported it once."""
    made = {}

    def get(daemon):
        if daemon not in made:
            place = tmp_path_factory.mktemp("whole")
            made[daemon] = create(daemon, "home/web", place, "--compression",
                                  "none").forget().path.read_bytes()
        return made[daemon]

    return get


@pytest.fixture
def env(gpg_home):
    return {"GNUPGHOME": str(gpg_home)}


@pytest.fixture
def target(new_name):
    """A name for each attempt; what comes to be under it is taken away."""
    return lambda: ("--project", "work", "--name", new_name())


@pytest.fixture
def tell(daemon, env, tmp_path, target):
    """Restore these bytes, and find that they are damaged."""

    def check(data, name="damaged", where=None):
        made = Backup(tmp_path / name)
        made.path.write_bytes(data)
        done = restore(daemon, made, *target(), env=env)
        assert (done.status, done.out) == (5, ""), (where, done)
        assert done.err.startswith("anklume: "), (where, done)

    return check


def boundaries(tar, tmp_path):
    """Where members begin, and where the last one ends."""
    (tmp_path / "whole.tar").write_bytes(tar)
    with tarfile.open(tmp_path / "whole.tar") as opened:
        found = [member.offset for member in opened]
    return [*found, len(tar) - 1024]


def some_boundaries(tar, tmp_path):
    """The first ones, some in the middle, the last ones."""
    found = boundaries(tar, tmp_path)
    return [*found[1:4], found[len(found) // 2], *found[-3:]]


def dozen_of(data):
    """Places all over: where headers, blocks and trailers are, and between."""
    size = len(data)
    return [1, 17, 512, size // 7, size // 3, size // 2 + 1, size * 4 // 5,
            size - 1000, size - 512, size - 9, size - 8, size - 1]


def flip(data, where):
    return data[:where] + bytes([data[where] ^ 1]) + data[where + 1:]


def says_the_same(data, tar):
    """Some bits of gzip mean nothing; others only choose between copies of
    the same zeros."""
    try:
        return gzip.decompress(data) == tar
    except (OSError, EOFError, zlib.error):
        return False


@ALL_FORMS
def test_the_forms_themselves_are_whole(daemon, whole, forms, form, env,
                                        tmp_path, target):
    """Else the other tests here would prove nothing."""
    made = Backup(tmp_path / "whole")
    made.path.write_bytes(forms[form](whole(daemon)))
    done = restore(daemon, made, *target(), env=env)
    assert done.status == 0, done


@ALL_FORMS
def test_cut_at_a_member_boundary(daemon, whole, forms, form, tell, tmp_path):
    """The archive around it is well formed: no checksum tells."""
    tar = whole(daemon)
    with leaves_nothing(daemon):
        for end in some_boundaries(tar, tmp_path):
            tell(forms[form](tar[:end]), where=end)


def test_cut_at_a_member_boundary_and_closed(daemon, whole, forms, tell,
                                             tmp_path):
    """With an end marker nothing but the manifest can tell."""
    tar = whole(daemon)
    made = create(daemon, "home/web", tmp_path)
    assert members_of(made.path)
    with leaves_nothing(daemon):
        for end in some_boundaries(tar, tmp_path)[:-1]:
            tell(forms[".tar.gz"](tar[:end] + bytes(1024)), made.path.name,
                 where=end)


def test_cut_at_a_member_boundary_beside_its_manifest(daemon, whole, forms,
                                                      tell, tmp_path):
    tar = whole(daemon)
    made = create(daemon, "home/web", tmp_path)
    with leaves_nothing(daemon):
        for end in some_boundaries(tar, tmp_path):
            tell(forms[".tar.gz"](tar[:end]), made.path.name, where=end)


@ALL_FORMS
def test_cut_at_any_byte(daemon, whole, forms, form, tell):
    data = forms[form](whole(daemon))
    with leaves_nothing(daemon):
        tell(b"", where=0)
        for size in dozen_of(data):
            tell(data[:size], where=size)


@pytest.mark.parametrize("form", [".tar.gz", ".tar.zst", ".tar.gz.gpg"])
def test_a_flipped_bit_anywhere(daemon, whole, forms, form, tell):
    tar = whole(daemon)
    data = forms[form](tar)
    told = 0
    with leaves_nothing(daemon):
        for where in dozen_of(data):
            flipped = flip(data, where)
            if form != ".tar.gz" or not says_the_same(flipped, tar):
                tell(flipped, where=where)
                told += 1
    assert told >= 8


def test_a_flipped_bit_in_any_header_of_a_tar(daemon, whole, tell, tmp_path):
    tar = whole(daemon)
    with leaves_nothing(daemon):
        for begin in some_boundaries(tar, tmp_path)[:-1]:
            for field in (0, 100, 124, 148, 156, 257):
                tell(flip(tar, begin + field), where=(begin, field))


def test_a_flipped_bit_in_a_plain_file_beside_its_manifest(daemon, tell,
                                                           tmp_path):
    """No checksum of a tar covers what its files hold."""
    made = create(daemon, "home/web", tmp_path, "--compression", "none")
    data = made.path.read_bytes()
    with leaves_nothing(daemon):
        for where in dozen_of(data):
            tell(flip(data, where), made.path.name, where=where)


@pytest.mark.parametrize("form, tail", [
    (".tar", b"\1"), (".tar", bytes(511) + b"\1"), (".tar.gz", b"\1"),
    (".tar.zst", b"\1"), (".tar.gz.gpg", b"\1")])
def test_something_behind_the_end(daemon, whole, forms, form, tail, tell):
    with leaves_nothing(daemon):
        tell(forms[form](whole(daemon)) + tail)


@ALL_FORMS
@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_a_pipe_that_ends_early(daemon, whole, forms, form, env, target,
                                share):
    data = forms[form](whole(daemon))
    with leaves_nothing(daemon):
        done = daemon.anklume("backup", "restore", "-", *target(), env=env,
                              stdin=data[:int(len(data) * share)])
    assert (done.status, done.out) == (5, ""), done


@ALL_FORMS
def test_a_pipe_that_ends_between_members(daemon, whole, forms, form, env,
                                          target, tmp_path):
    tar = whole(daemon)
    for end in some_boundaries(tar, tmp_path)[-2:]:
        with leaves_nothing(daemon):
            done = daemon.anklume("backup", "restore", "-", *target(), env=env,
                                  stdin=forms[form](tar[:end]))
        assert (done.status, done.out) == (5, ""), done


@pytest.mark.parametrize("share", [1, 0.5])
def test_a_pipe_for_another_key(daemon, whole, forms, tmp_path, target, share):
    """Whether it is whole does not matter then."""
    data = forms[".tar.gz.gpg"](whole(daemon))
    with leaves_nothing(daemon):
        done = daemon.anklume("backup", "restore", "-", *target(),
                              env={"GNUPGHOME": str(tmp_path)},
                              stdin=data[:int(len(data) * share)])
    assert (done.status, done.out) == (12, ""), done
