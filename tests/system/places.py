"""Places to copy from and to, and what must be true of them afterwards."""

import os
import pathlib
import stat
import subprocess


class Place:
    """A directory of one test's own in a box, seen from both sides.

    `files` is the same directory from the machine, with the ids that the box
    sees; symlinks in it are the box's, so never follow one from there.
    """

    def __init__(self, box, path):
        self.box, self.path = box, path
        self.files = box.inner(path)
        self.files.mkdir(parents=True)

    def at(self, name=""):
        """How the command line spells a name in it."""
        return self.box.place(f"{self.path}/{name}")

    def write(self, name, data=b"", mode=0o644, owner=(0, 0), mtime=None):
        path = self.files / name
        path.write_bytes(data)
        os.chown(path, *owner)
        path.chmod(mode)
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return self.at(name)

    def sparse(self, name, size):
        """A file of zeros that costs neither time nor space."""
        with open(self.files / name, "wb") as file:
            file.truncate(size)
        return self.at(name)

    def read(self, name):
        return (self.files / name).read_bytes()

    def remove(self):
        # Deeper than shutil.rmtree() goes.
        subprocess.run(["rm", "-rf", self.files], check=True)


def state_of(directory):
    """All that a failed copy must not have touched below a directory."""
    found = {}
    for path in sorted(pathlib.Path(directory).rglob("*")):
        about = path.lstat()
        regular = stat.S_ISREG(about.st_mode)
        found[os.fsencode(path.relative_to(directory))] = (
            about.st_ino, about.st_mode, about.st_uid, about.st_gid,
            about.st_size, about.st_mtime_ns,
            path.read_bytes() if regular and about.st_size < 1 << 20
            else None)
    return found


def leftovers(directory):
    """Temporary files that a run has forgotten, however deep."""
    found = subprocess.run(["find", directory, "-name", ".anklume-*"],
                           check=True, capture_output=True).stdout
    return sorted(pathlib.Path(os.fsdecode(path))
                  for path in found.splitlines())


def owner_and_mode(path):
    about = path.lstat()
    return about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)
