"""Projects that hold instances of the same names, as a class of students has."""

import concurrent.futures
import uuid

from backups import RECORD

LOCKS = RECORD.with_name("lock")


def remove(daemon, project, name):
    """An instance, also one that runs."""
    path = f"/1.0/instances/{name}%s?project={project}"
    if daemon.get(path % "")["status"] != "Stopped":
        daemon.get(path % "/state", "PUT", {"action": "stop", "force": True})
    done = daemon.get(path % "", "DELETE")
    assert done["status"] == "Success", done


class Crowd:
    """Projects of one test's own, each with the same three instances."""

    NAMES = ("db", "mail", "web")

    def __init__(self, daemon, count):
        self.daemon = daemon
        self.tag = "c" + uuid.uuid4().hex[:6]
        self.projects = [f"{self.tag}-{i:02}" for i in range(count)]
        self.all = f"{self.tag}-*/*"
        for project in self.projects:
            daemon.get("/1.0/projects", "POST", {"name": project, "config": {
                "features.images": "false", "features.profiles": "false"}})
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda place: self.add(*place), self.places))

    @property
    def places(self):
        """Of all, in the order of a list."""
        return [(project, name) for project in self.projects
                for name in self.NAMES]

    def add(self, project, name, **fields):
        done = self.daemon.get(f"/1.0/instances?project={project}", "POST", {
            "name": name, "source": {"type": "image", "alias": "busybox"},
            **fields})
        assert done["status"] == "Success", done

    def config(self, project, name, *values):
        self.daemon.incus("config", "set", name, *values, "--project",
                          project)

    def mark(self, project, name, text=None, on=None):
        """The path of a file inside, as seen from the machine; with a text, it
        gets it."""
        path = ((on or self.daemon).files / "storage-pools" / "default"
                / "containers" / f"{project}_{name}" / "rootfs/root/mark")
        if text is not None:
            path.write_text(text)
        return path

    def close_to_backups(self, project):
        """Restricted projects need profiles of their own."""
        for name in self.NAMES:
            self.daemon.incus("delete", name, "--project", project)
        self.daemon.incus("project", "set", project, "features.profiles=true",
                          "restricted=true")
        self.daemon.incus("profile", "device", "add", "default", "root",
                          "disk", "path=/", "pool=default", "--project",
                          project)
        for name in self.NAMES:
            self.add(project, name, devices={"root": {
                "type": "disk", "path": "/", "pool": "default"}})

    def locks(self):
        """Of instances that are being backed up, or that a killed run left."""
        return list(LOCKS.glob(f"backup-*-{self.tag}-*"))

    def there(self, on=None):
        """What a daemon has of it now."""
        urls = (on or self.daemon).get("/1.0/instances?all-projects=true")
        found = [url.rpartition("/")[2].partition("?project=")[::2]
                 for url in urls]
        return sorted((project, name) for name, project in found
                      if project.startswith(self.tag))

    def has_projects(self, on=None):
        urls = (on or self.daemon).get("/1.0/projects")
        return any(url.rpartition("/")[2] in self.projects for url in urls)

    def wipe(self, on=None):
        """Take it away, as far as it is there."""
        daemon = on or self.daemon
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda place: remove(daemon, *place),
                          self.there(daemon)))
        for url in daemon.get("/1.0/projects"):
            if url.rpartition("/")[2] in self.projects:
                daemon.get(url, "DELETE")
