"""Work for the program, in two sizes, each done once and counted."""

import os
import uuid

from costs import MIB, measure

# What the larger costs more is the cost of the data; what both cost, that of
# starting.
SMALL_BYTES, LARGE_BYTES = 8 * MIB, 40 * MIB
SMALL_FILES, LARGE_FILES = 128, 640

# A batch of small files; and their size.
BATCH, FILE_BYTES = 64, 1000


class Works:
    """On one daemon, in containers of its own."""

    def __init__(self, daemon, kept_box, gpg_home, directory):
        self.daemon, self.directory = daemon, directory
        self.env = {"GNUPGHOME": str(gpg_home)}
        self.box = kept_box(daemon, "work", "default", tag="costs")
        self.other = kept_box(daemon, "home", "bt", tag="costs")
        self.saved = kept_box(daemon, "work", "default", False, "costs-saved")
        self.known, self.started, self.archives = {}, {}, {}

    def run(self, *words, status=0):
        return measure(self.daemon, *words, env=self.env, status=status)

    def costs(self, work):
        """Of the small run, and of the large one; run when first asked for."""
        if work not in self.known:
            sizes = ((SMALL_FILES, LARGE_FILES) if work.startswith("tree")
                     else (SMALL_BYTES, LARGE_BYTES))
            self.known[work] = [
                getattr(self, work)(size) for size in sizes]
        return self.known[work]

    def tiny(self, work):
        """Of a run that has next to nothing to move."""
        if work not in self.started:
            self.started[work] = getattr(self, work)(FILE_BYTES)
        return self.started[work]

    def _new(self):
        return self.directory / uuid.uuid4().hex[:10]

    def _file(self, size):
        path = self._new()
        path.write_bytes(os.urandom(size))
        return path

    def _inside(self, box, size):
        """The same in a box."""
        path = "/root/" + uuid.uuid4().hex[:10]
        box.inner(path).write_bytes(os.urandom(size))
        return path

    def _tree(self, top, files):
        for i in range(files):
            path = top / f"d{i // BATCH}" / f"f{i}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(FILE_BYTES))
        return top

    # Of one file ----------------------------------------------------------

    def push(self, size):
        source = self._file(size)
        return self.run("copy", source,
                        self.box.place(f"/root/{source.name}"))[1]

    def pull(self, size):
        source = self._inside(self.box, size)
        return self.run("copy", self.box.place(source), self._new())[1]

    def between(self, size):
        source = self._inside(self.box, size)
        return self.run("copy", self.box.place(source),
                        self.other.place(source))[1]

    # Of a tree ------------------------------------------------------------

    def tree_push(self, files):
        source = self._tree(self._new(), files)
        return self.run("copy", "-r", source,
                        self.box.place(f"/root/{source.name}"))[1]

    def tree_pull(self, files):
        target = self._new()
        self._tree(self.box.inner(f"/root/{target.name}"), files)
        return self.run("copy", "-r", self.box.place(f"/root/{target.name}"),
                        target)[1]

    def tree_between(self, files):
        path = f"/root/{uuid.uuid4().hex[:10]}"
        self._tree(self.box.inner(path), files)
        return self.run("copy", "-r", self.box.place(path),
                        self.other.place(path))[1]

    # Of a backup ----------------------------------------------------------

    def create(self, size):
        self.saved.inner("/root/data").write_bytes(os.urandom(size))
        directory = self._new()
        directory.mkdir()
        made, cost = self.run(
            "backup", "create", self.saved, "--gpg", "tests@example.org", "-o",
            directory)
        self.archives[size] = made.out.removesuffix("\n")
        return cost

    def _archive(self, size):
        if size not in self.archives:
            self.create(size)
        return self.archives[size]

    def restore(self, size):
        name = "r" + uuid.uuid4().hex[:10]
        _, cost = self.run("backup", "restore", "--file", self._archive(size),
                           "--name", name)
        self.daemon.incus("delete", "-f", name, "--project", "work")
        return cost

    def verify(self, size):
        return self.run("backup", "verify", self._archive(size))[1]

    def status(self, size):
        """Of all instances, of which one has a backup."""
        return self.run("backup", "status", "--from",
                        os.path.dirname(self._archive(size)), status=3)[1]


def units(work):
    """How much more a large run has than a small one, in MiB or in batches; and
    the bytes of one."""
    if work.startswith("tree"):
        return (LARGE_FILES - SMALL_FILES) / BATCH, BATCH * FILE_BYTES
    return (LARGE_BYTES - SMALL_BYTES) / MIB, MIB
