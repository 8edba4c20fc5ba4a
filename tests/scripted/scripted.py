"""A daemon of our own on a unix socket. It speaks as much of Incus's API as
anklume needs to succeed, and a test bends whichever answer it likes."""

import json
import re
import socket
import threading
import time
import urllib.parse
import uuid

import scripted_tars
from scripted_sftp import Guest

# Nothing here waits longer, whatever a test has broken.
PATIENCE_S = 60

# An operation is "ID" in what is asked and bent.
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EXPORT = re.compile("anklume-[0-9a-f]{16}")  # the name of a spooled one

SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: sftp\r\n"
          b"Connection: Upgrade\r\n\r\n")

RUNNING = {"status": "Running", "status_code": 103, "err": ""}
SUCCESS = {"status": "Success", "status_code": 200, "err": ""}


def failed(text, status_code=400):
    """How an operation ends badly."""
    return {"status": "Failure", "status_code": status_code, "err": text}


def http(body=b"", status="200 OK", kind="application/json", **headers):
    """An answer as it goes over the wire."""
    fields = {"Content_Type": kind, "Content_Length": len(body), **headers}
    lines = [f"{name.replace('_', '-')}: {value}"
             for name, value in fields.items() if value is not None]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "\r\n"]).encode() + body


def sync(metadata):
    """An answer with something in it."""
    return http(json.dumps({
        "type": "sync", "status": "Success", "status_code": 200,
        "operation": "", "error_code": 0, "error": "",
        "metadata": metadata}).encode())


def error(text, code=400):
    """A refusal in the daemon's own form."""
    return http(json.dumps({"type": "error", "error": text,
                            "error_code": code, "metadata": None}).encode(),
                f"{code} Refused")


def body_of(wire):
    return wire.partition(b"\r\n\r\n")[2]


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


LAST_CHUNK = b"0\r\n\r\n"


class Exchange:
    """One request, and the way back to whoever sent it."""

    def __init__(self, daemon, sock, reader, head):
        self.daemon, self.sock, self.reader = daemon, sock, reader
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = first.split(" ", 2)
        parts = urllib.parse.urlsplit(target)
        self.path, self.target = parts.path, target
        self.query = dict(urllib.parse.parse_qsl(parts.query))
        self.headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)}
        self.words = f"{self.method} " + EXPORT.sub(
            "EXPORT", UUID.sub("ID", self.path))
        self.whole = False      # the body has come to its end
        self.body_bytes = 0     # and had this many bytes
        self.over = False       # no further request on this connection

    def pieces(self):
        """The body, as it comes; one that is cut just ends."""
        if self.headers.get("transfer-encoding", "") == "chunked":
            yield from self._chunks()
            return
        left = int(self.headers.get("content-length", 0))
        while left > 0:
            data = self.reader.read1(min(left, 65536))
            if not data:
                return
            left -= len(data)
            self.body_bytes += len(data)
            yield data
        self.whole = True

    def _chunks(self):
        while True:
            line = self.reader.readline()
            if not line.endswith(b"\r\n"):
                return
            left = int(line, 16)
            if left == 0:
                self.whole = self.reader.readline() == b"\r\n"
                return
            while left > 0:
                data = self.reader.read1(min(left, 65536))
                if not data:
                    return
                left -= len(data)
                self.body_bytes += len(data)
                yield data
            self.reader.readline()

    def body(self):
        return b"".join(self.pieces())

    def json(self):
        return json.loads(self.body() or b"null")

    def send(self, wire):
        self.sock.sendall(wire)

    def hang_up(self):
        self.over = True

    def hold(self):
        """Say nothing more, until the other side has had enough."""
        self.over = True
        while self.reader.read1(65536):
            pass


class Daemon:
    """Two projects' worth of instances, one socket, one thread a connection.

    `asked` lists every request ("GET /1.0"); `on` gives one another answer."""

    def __init__(self, path):
        self.path = str(path)
        self.asked, self.bodies = [], {}
        self.actions = []    # asked of an instance's state
        self.faults = []     # of our own
        self.direct = True
        self.instances = {"web": "default", "db": "default"}
        self.statuses = {}   # of those that do not run
        self.configs = {}    # of those that have any
        self.ephemeral = set()
        self.guests = {"web": Guest(), "db": Guest()}
        self.tar = scripted_tars.backup("web")
        self.backups = set()
        self.devices = {}    # of instances that have more
        self.volumes = {}    # (project, pool, name): what api.StorageVolume has
        self.volume_tar = b""
        self.volume_backups = set()
        self.imported = {}   # what the next volume has that is imported
        self.made_at = {}    # of backups that are listed: created_at
        self.uploads = []
        self.verdicts = {}   # kind of operation: how it ends
        self.operations = {}
        self.spooled = 0     # bytes that are there while an export runs
        self.bent = {}
        self.about = {
            "api_extensions": ["container_backup"],
            "environment": {
                "server_name": "scripted", "server_version": "6.0.4",
                "certificate_fingerprint": "ab" * 32,
                "server_clustered": False}}
        self.profiles, self.pools = {"default"}, {"default": "dir"}
        self.space = {"total": 1 << 40, "used": 1 << 30}  # of every pool
        self.projects = {"default": {}, "work": {}}  # their restrictions
        self._news = threading.Condition()
        self._threads, self._sockets = [], set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(16)
        self._start(self._accept)

    def on(self, words, answer):
        """Bend an answer: bytes to send, or a function that is given the
        Exchange. Where either leaves the connection is up to it."""
        self.bent[words] = answer

    def on_wire(self, words, change):
        """Send change(the ordinary answer's bytes), then hang up."""
        def bent(x):
            x.send(change(self._ordinary_wire(x)))
            x.hang_up()
        self.on(words, bent)

    def stall(self, words, after=0):
        """Send so many bytes of the ordinary answer, then nothing more."""
        def bent(x):
            x.send(self._ordinary_wire(x)[:after])
            x.hold()
        self.on(words, bent)

    def _ordinary_wire(self, x):
        kept, real = [], x.send
        x.send = kept.append
        self._ordinary(x)
        x.send = real
        return b"".join(kept)

    def wait_until(self, condition):
        """Wait for something that a request brings about."""
        with self._news:
            assert self._news.wait_for(condition, PATIENCE_S)

    def wait_for(self, words):
        self.wait_until(lambda: words in self.asked)

    def hears(self, words, patience_s):
        """Whether that is asked so soon; for what should not be."""
        with self._news:
            return self._news.wait_for(lambda: words in self.asked, patience_s)

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # ends the accept()
        self._listener.close()
        for sock in list(self._sockets):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(PATIENCE_S)

    # The wire.

    def _start(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.add(sock)
            self._start(self._serve, sock)

    def _serve(self, sock):
        reader = sock.makefile("rb")
        try:
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = reader.readline()
                    if not line:
                        return
                    head += line
                x = Exchange(self, sock, reader, head[:-4])
                self._answer(x)
                if x.over:
                    return
        except OSError:
            pass
        except Exception as fault:  # pylint: disable=broad-except
            self.faults.append(fault)
        finally:
            self._sockets.discard(sock)
            reader.close()
            sock.close()

    def _answer(self, x):
        with self._news:
            self.asked.append(x.words)
            self._news.notify_all()
        answer = self.bent.get(x.words)
        if answer is None:
            self._ordinary(x)
        elif callable(answer):
            answer(x)
        else:
            x.body()
            x.send(answer)
        with self._news:
            self._news.notify_all()

    # What a daemon without faults does.

    def _ordinary(self, x):
        words = [urllib.parse.unquote(part) for part in x.path.split("/")[2:]]
        kind = words[0] if words else ""
        act = getattr(self, "_" + kind.replace("-", "_"), None) \
            if kind else self._root
        if act is None:
            x.body()
            x.send(error("not found", 404))
            return
        act(x, *words[1:])

    def _missing(self, x):
        x.body()
        x.send(error("not found", 404))

    def _root(self, x):
        extensions = list(self.about["api_extensions"])
        if self.direct:
            extensions.append("direct_backup")
        x.send(sync(dict(self.about, api_extensions=extensions)))

    def _projects(self, x, name=None):
        if name is None:
            whole = x.query.get("recursion")
            x.send(sync([self._project(one) if whole else
                         f"/1.0/projects/{one}" for one in self.projects]))
        elif name not in self.projects:
            self._missing(x)
        elif x.method == "DELETE":
            x.body()
            del self.projects[name]
            x.send(sync({}))
        else:
            x.send(sync(self._project(name)))

    def _project(self, name):
        return {"name": name, "config": {"features.profiles": "true",
                                         **self.projects[name]}}

    def _profiles(self, x, name=None):
        if name is None:
            x.send(sync([]))
        else:
            x.send(sync({"name": name}) if name in self.profiles
                   else error("not found", 404))

    def _storage_pools(self, x, name=None, part=None, *rest):
        if name is None:
            whole = x.query.get("recursion")
            x.send(sync([{"name": one, "driver": driver} if whole else
                         f"/1.0/storage-pools/{one}"
                         for one, driver in sorted(self.pools.items())]))
        elif name not in self.pools:
            self._missing(x)
        elif part == "volumes":
            self._volumes(x, name, *rest)
        else:
            x.send(sync({"space": self.space} if part else {
                "name": name, "driver": self.pools[name]}))

    def _volumes(self, x, pool, _kind=None, name=None, part=None, *rest):
        place = x.query.get("project", "default"), pool, name
        if name is None and x.method == "POST":
            self._import_volume(x, *place[:2])
        elif name is None:
            x.send(sync([self._volume(*one) if "recursion" in x.query
                         else x.path + "/" + one[2] for one in self.volumes
                         if one[1] == pool]))
        elif place not in self.volumes:
            self._missing(x)
        elif part == "backups":
            self._exports(x, "volume backup", self.volume_tar,
                          self.volume_backups, *rest)
        elif x.method == "DELETE":
            x.body()
            del self.volumes[place]
            x.send(sync({}))
        else:
            x.send(sync(self._volume(*place)))

    def _volume(self, project, pool, name):
        return {"name": name, "project": project, "pool": pool,
                "type": "custom", "content_type": "filesystem", "config": {},
                "used_by": [], **self.volumes[project, pool, name]}

    def _import_volume(self, x, project, pool):
        if self._take_upload(x) and self.verdicts.get(
                "import volume", SUCCESS)["status_code"] < 400:
            self.volumes[project, pool, x.headers["x-incus-name"]] = \
                self.imported
        if x.whole:
            self.start(x, "import volume")

    def _instances(self, x, name=None, part=None, *rest):
        if name is None:
            if x.method == "POST":
                self._import(x)
            elif x.query.get("recursion") == "1":
                x.send(sync([self._tell(n) for n in self.instances]))
            else:
                x.send(sync([
                    f"/1.0/instances/{n}" +
                    (f"?project={p}" if p != "default" else "")
                    for n, p in self.instances.items()]))
        elif name not in self.instances:
            self._missing(x)
        elif part is None:
            self._instance(x, name)
        elif part == "sftp":
            x.send(SWITCH)
            x.hang_up()
            self.guests[name].serve(x.sock, x.reader)
        elif part == "backups":
            self._exports(x, "backup", self.tar, self.backups, *rest)
        elif part == "snapshots":
            self._snapshots(x, name, *rest)
        elif part == "state":
            self._state(x, name)
        else:
            self._missing(x)

    def _tell(self, name):
        config = self.configs.get(name, {})
        return {
            "name": name, "project": self.instances[name],
            "status": self.statuses.get(name, "Running"),
            "ephemeral": name in self.ephemeral,
            "type": "container", "location": "none",
            "config": config, "expanded_config": config, "expanded_devices": {
                "root": {"type": "disk", "path": "/", "pool": "default"},
                "data": {"type": "disk", "path": "/srv",
                         "source": "/srv/data"},
                **self.devices.get(name, {})}}

    def _instance(self, x, name):
        if x.method == "GET":
            x.send(sync(self._tell(name)))
            return
        x.body()
        if x.method == "DELETE":
            del self.instances[name]
        self.start(x, x.method.lower())

    def _state(self, x, name):
        action = x.json()["action"]
        if action == "freeze":
            self.statuses[name] = "Frozen"
        elif action == "unfreeze":
            self.statuses.pop(name, None)
        with self._news:
            self.actions.append(action)
            self._news.notify_all()
        self.start(x, action)

    def _snapshots(self, x, name, snapshot=None):
        if x.method == "GET" and snapshot is None:
            x.send(sync([{"name": "snap0", "stateful": False,
                          "created_at": "2026-11-22T10:00:00Z"}]))
        elif x.method == "GET":
            self._missing(x)
        else:
            x.body()
            self.start(x, "snapshot", {"instances_snapshots": [
                f"/1.0/instances/{name}/snapshots/s"]})

    def _exports(self, x, kind, tar, held, backup=None, part=None):
        if x.method == "POST":
            self.bodies[x.words] = asked = x.json()
            if x.headers.get("accept") == "application/octet-stream":
                x.send(http(chunk(tar) + LAST_CHUNK,
                            kind="application/octet-stream",
                            Content_Length=None, Transfer_Encoding="chunked"))
                return
            backup = asked["name"] or "backup0"
            held.add(backup)
            self.start(x, kind, {"backups": [f"{x.path}/{backup}"]})
        elif backup is None:
            x.send(sync([{"name": one, "created_at": self.made_at.get(one)}
                         for one in sorted(held)]))
        elif backup not in held:
            self._missing(x)
        elif part == "export":
            self._spooled(x, kind, tar)
        elif x.method == "GET":
            x.send(sync({"name": backup}))
        else:
            x.body()
            held.discard(backup)
            self.start(x, "delete backup")

    def _spooled(self, x, kind, tar):
        """What is in the spool by now, from where it is asked for."""
        runs = any(one["kind"] == kind and one["status_code"] < 200
                   for one in self.operations.values())
        there = tar[:self.spooled] if runs else tar
        begin = int(x.headers.get("range", "bytes=0-")[6:-1])
        kind, size = "application/octet-stream", len(there)
        if runs and not there:
            self._missing(x)
        elif "range" not in x.headers:
            x.send(http(there, kind=kind))
        elif begin >= size:
            x.send(http(b"invalid range", "416 Range Not Satisfiable",
                        "text/plain", Content_Range=f"bytes */{size}"))
        else:
            x.send(http(there[begin:], "206 Partial Content", kind,
                        Content_Range=f"bytes {begin}-{size - 1}/{size}"))

    def _take_upload(self, x):
        """Whether it came to its end; else that is answered."""
        self.uploads.append(x)
        for _ in x.pieces():
            pass
        if not x.whole:
            x.send(error("unexpected EOF", 500))
        return x.whole

    def _import(self, x):
        if not self._take_upload(x):
            return
        name = x.headers["x-incus-name"]
        if self.verdicts.get("import", SUCCESS)["status_code"] < 400:
            self.instances[name] = x.query.get("project", "default")
        self.start(x, "import", {"instances": [f"/1.0/instances/{name}"]})

    def start(self, x, kind, resources=None):
        """Answer with an operation, which ends as `verdicts` says."""
        number = str(uuid.uuid4())
        self.operations[number] = dict(
            self.verdicts.get(kind, SUCCESS), id=number, kind=kind,
            **{"class": "task"}, description=kind, metadata=None,
            updated_at="2026-11-22T10:00:00Z", resources=resources or {})
        x.send(http(json.dumps({
            "type": "async", "status": "Operation created",
            "status_code": 100, "operation": f"/1.0/operations/{number}",
            "metadata": self.operations[number]}).encode(), "202 Accepted"))

    def finish(self, kind, verdict=None):
        """End what is running."""
        with self._news:
            for operation in self.operations.values():
                if operation["kind"] == kind:
                    operation.update(verdict or SUCCESS)
            self._news.notify_all()

    def _operations(self, x, number=None, part=None):
        if number is None:
            x.send(sync({"failure": [
                one for one in self.operations.values()
                if one["status_code"] >= 400]}))
            return
        operation = self.operations.get(number)
        if operation is None:
            self._missing(x)
            return
        if part != "wait":
            x.send(sync(operation))
            return
        # As the daemon does: the head at once, the body in the end.
        x.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n")
        with self._news:
            self._news.wait_for(
                lambda: operation["status_code"] >= 200,
                float(x.query.get("timeout", PATIENCE_S)))
        x.send(chunk(body_of(sync(operation))) + LAST_CHUNK)


def drip(wire, every_s):
    """An answer that comes byte by byte."""
    def slowly(x):
        for i in range(len(wire)):
            x.send(wire[i:i + 1])
            time.sleep(every_s)
    return slowly
