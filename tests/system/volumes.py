"""Custom volumes: made, filled, attached, and looked at from the machine."""

import contextlib
import http.client
import os
import socket
import uuid

from backups import Backup

# The daemon's tar has whole seconds.
MTIME_S = 1_600_000_001


class Volume:
    """One of a pool's, there or not."""

    def __init__(self, daemon, name, pool="bt", project="default"):
        self.daemon, self.name = daemon, name
        self.pool, self.project = pool, project

    def __str__(self):
        return f"{self.project}/{self.text}"

    @property
    def text(self):
        """As manifests have it."""
        return f"{self.pool}/{self.name}"

    def url(self, *parts, custom=True):
        path = f"/1.0/storage-pools/{self.pool}/volumes/custom"
        path += f"/{self.name}" if custom else ""
        return "/".join([path, *parts]) + f"?project={self.project}"

    @property
    def there(self):
        return any(url.partition("?")[0].endswith("/" + self.name)
                   for url in self.daemon.get(self.url(custom=False)))

    @property
    def about(self):
        return self.daemon.get(self.url())

    @property
    def path(self):
        """Its files; of a disk, the directory of `root.img`."""
        return (self.daemon.files / "storage-pools" / self.pool / "custom"
                / f"{self.project}_{self.name}")

    def snapshot_path(self, name):
        return (self.daemon.files / "storage-pools" / self.pool
                / "custom-snapshots" / f"{self.project}_{self.name}" / name)

    def make(self, content_type="filesystem", **config):
        self.daemon.get(self.url(custom=False), "POST", {
            "name": self.name, "type": "custom", "content_type": content_type,
            "config": config})
        return self

    def snapshot(self, name):
        done = self.daemon.get(self.url("snapshots"), "POST", {"name": name})
        assert done["status"] == "Success", done

    @property
    def snapshots(self):
        return [url.partition("?")[0].rpartition("/")[2]
                for url in self.daemon.get(self.url("snapshots"))]

    @property
    def exports(self):
        """The daemon's backup objects of it."""
        return [url.partition("?")[0].rpartition("/")[2]
                for url in self.daemon.get(self.url("backups"))]

    def attach(self, box, path, device="data", sub=""):
        attach(box, device, {"type": "disk", "pool": self.pool, "path": path,
                             "source": self.name + sub})

    def delete(self):
        self.daemon.get(self.url(), "DELETE")

    def wipe(self):
        """Take it away, as far as it is there."""
        if self.there:
            for name in self.exports:
                self.daemon.get(self.url("backups", name), "DELETE")
            self.delete()

    def exported(self, optimized=False):
        """The bytes of a backup as the daemon makes it by itself."""
        done = self.daemon.get(self.url("backups"), "POST", {
            "name": "own", "compression_algorithm": "none",
            "optimized_storage": optimized})
        assert done["status"] == "Success", done
        data = download(self.daemon, self.url("backups", "own", "export"))
        self.daemon.get(self.url("backups", "own"), "DELETE")
        return data

    def archive_of(self, instance):
        """Its archive, as that of an instance names it."""
        [named] = [one for one in instance.manifest["volumes"]
                   if one["name"] == self.name]
        beside = instance.path.with_name(named["archive"])
        if beside.exists():
            return Backup(beside)
        return Backup(instance.path.parents[1] / named["project"]
                      / named["archive"])


def attach(box, device, config):
    box.daemon.get(f"/1.0/instances/{box.name}?project={box.project}",
                   "PATCH", {"devices": {device: config}})


def download(daemon, path):
    with contextlib.closing(http.client.HTTPConnection("incus")) as asked:
        asked.sock = socket.socket(socket.AF_UNIX)
        asked.sock.connect(daemon.socket)
        asked.request("GET", path)
        reply = asked.getresponse()
        assert reply.status == 200, reply.status
        return reply.read()


def new_name():
    return "v" + uuid.uuid4().hex[:10]


def fill(path):
    """A little of everything that a file system can hold."""
    (path / "a b/c").mkdir(parents=True)
    (path / "a b/c").chmod(0o711)
    letter = path / "a b/letter"
    letter.write_bytes(os.urandom(5000))
    os.chown(letter, 1234, 5678)
    letter.chmod(0o4640)
    os.setxattr(letter, "user.mood", b"good\0\xff")
    os.link(letter, path / "a b/c/twin")
    os.symlink("/etc/nowhere", path / "away")
    os.chown(path / "away", 7, 8, follow_symlinks=False)
    os.mkfifo(path / "pipe", 0o600)
    (path / "empty").touch()
    (path / "h\u00e9\n\udcff").write_bytes(b"odd")
    path.chmod(0o711)  # 6.0.4 gives it to what it imports, whatever it was
    os.chown(path, 1000, 1000)
    whole_seconds(path)


def whole_seconds(path):
    """Each file gets a time of its own that the daemon's tar can hold."""
    found = [path, *sorted(path.rglob("*"))]
    for number, one in enumerate(reversed(found)):
        os.utime(one, (MTIME_S + number, MTIME_S + number),
                 follow_symlinks=False)
