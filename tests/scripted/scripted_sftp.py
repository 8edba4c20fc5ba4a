"""The other end of SFTP: files in memory, and a test bends whichever packet it
likes (draft-ietf-secsh-filexfer-02, with OpenSSH's extensions)."""

import stat
import struct
from dataclasses import dataclass

INIT, VERSION = 1, 2
OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT = 3, 4, 5, 6, 7, 8
SETSTAT, FSETSTAT, OPENDIR, READDIR = 9, 10, 11, 12
REMOVE, MKDIR, STAT, READLINK, SYMLINK = 13, 14, 17, 19, 20
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
EXTENDED = 200

OK, EOF, NO_SUCH_FILE, FAILURE, UNSUPPORTED = 0, 1, 2, 4, 8

HAS_SIZE, HAS_OWNER, HAS_MODE, HAS_TIMES, HAS_EXTENDED = 1, 2, 4, 8, 1 << 31


def u32(value):
    return struct.pack(">I", value)


def u64(value):
    return struct.pack(">Q", value)


def text(data):
    return u32(len(data)) + (data.encode() if isinstance(data, str) else data)


def packet(kind, payload):
    return u32(1 + len(payload)) + bytes([kind]) + payload


def status(number, code, message="failure"):
    return packet(STATUS, u32(number) + u32(code) + text(message) + text("en"))


def attributes(size=None, uid=None, gid=None, mode=None, times=None):
    """The fields that are given, and the flags that say so."""
    flags, out = 0, b""
    if size is not None:
        flags, out = flags | HAS_SIZE, out + u64(size)
    if uid is not None:
        flags, out = flags | HAS_OWNER, out + u32(uid) + u32(gid)
    if mode is not None:
        flags, out = flags | HAS_MODE, out + u32(mode)
    if times is not None:
        flags, out = flags | HAS_TIMES, out + u32(times[0]) + u32(times[1])
    return u32(flags) + out


def names_of(entries):
    """What a NAME packet holds behind its id, of pairs of name and node."""
    return u32(len(entries)) + b"".join(
        text(name) + text("") + node.attributes() for name, node in entries)


@dataclass
class Node:
    """What lies at a path."""

    data: bytearray = None
    mode: int = stat.S_IFREG | 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 1700000000
    target: str = None

    def attributes(self):
        size = len(self.data) if self.data is not None else 0
        return attributes(size, self.uid, self.gid, self.mode,
                          (self.mtime, self.mtime))


def regular(data=b"", mode=0o644, **more):
    return Node(bytearray(data), stat.S_IFREG | mode, **more)


def directory(**more):
    return Node(mode=stat.S_IFDIR | 0o755, **more)


def link(target):
    return Node(mode=stat.S_IFLNK | 0o777, target=target)


class Request:
    """One packet that came; its fields are read in their order."""

    def __init__(self, raw):
        self.kind, self.rest = raw[0], raw[1:]
        self.id = self.u32()

    def take(self, size):
        taken, self.rest = self.rest[:size], self.rest[size:]
        assert len(taken) == size, "a request is shorter than it says"
        return taken

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def u64(self):
        return struct.unpack(">Q", self.take(8))[0]

    def bytes(self):
        return self.take(self.u32())

    def text(self):
        return self.bytes().decode()


class Guest:
    """The files of one instance, and its server.

    `on` bends: when a packet of that kind comes, a function of the ordinary
    answer and the request gives the bytes that are sent instead. `log` tells
    what was asked, in words."""

    def __init__(self, **files):
        self.files = {"/": directory(), "/root": directory(),
                      "/root/file": regular(b"content\n")}
        self.extensions = ["hardlink@openssh.com", "posix-rename@openssh.com"]
        self.read_most = 32768
        self.first_mode = 0o600     # of a new file; 6.0.4: 0644
        self.first_gid = 0          # its parent's, where that has setgid
        self.cut_after = None   # bytes that a session sends before it closes
        self.dribble = False    # send them one by one
        self.sent = 0
        self.log = []
        self.bent = {}
        self.handles = {}
        self.listings = {}      # of open directories: what is still to come
        self.opened = 0         # handles, ever
        self.files.update(files)

    def on(self, kind, change):
        self.bent[kind] = change

    def nth(self, kind, n, change):
        """Bend only the nth packet of a kind, from 1."""
        seen = []

        def bent(answer, request):
            seen.append(request.id)
            return change(answer, request) if len(seen) == n else answer
        self.on(kind, bent)

    @property
    def temporaries(self):
        return [path for path in self.files if ".anklume-" in path]

    def serve(self, sock, reader):
        self.sent = 0
        while (answer := self._next(reader)) is not None:
            if self.cut_after is not None:
                answer = answer[:self.cut_after - self.sent]
            for piece in (bytes([byte]) for byte in answer) \
                    if self.dribble else [answer]:
                sock.sendall(piece)
            self.sent += len(answer)
            if self.sent == self.cut_after:
                return

    def _next(self, reader):
        head = reader.read(4)
        if len(head) < 4:
            return None
        size = struct.unpack(">I", head)[0]
        raw = reader.read(size)
        # Whoever was told nonsense may hang up in the middle of a packet.
        if len(raw) < size and self.bent:
            return None
        if raw[0] == INIT:
            answer = packet(VERSION, u32(3) + b"".join(
                text(name) + text("1") for name in self.extensions))
            return self.bent.get(INIT, lambda a, r: a)(answer, None)
        request = Request(raw)
        answer = self._act(Request(raw))
        bent = self.bent.get(request.kind)
        return bent(answer, request) if bent is not None else answer

    def _act(self, request):
        acts = {OPEN: self._open, CLOSE: self._close, READ: self._read,
                WRITE: self._write, LSTAT: self._lstat, FSTAT: self._fstat,
                FSETSTAT: self._fsetstat, OPENDIR: self._opendir,
                READDIR: self._readdir, REMOVE: self._remove,
                MKDIR: self._mkdir, STAT: self._stat,
                READLINK: self._readlink, SYMLINK: self._symlink,
                SETSTAT: self._setstat, EXTENDED: self._extended}
        return acts[request.kind](request)

    def _ok(self, request):
        return status(request.id, OK, "ok")

    def _absent(self, request):
        return status(request.id, NO_SUCH_FILE, "file does not exist")

    def _resolve(self, path):
        """Follow links, as a kernel would."""
        path = path.removesuffix("/.")
        for _ in range(40):
            node = self.files.get(path)
            if node is None or node.target is None:
                return path
            path = node.target
        return path

    def _open(self, request):
        path, flags = request.text(), request.u32()
        self.log.append(f"open {path}")
        if flags & 0x08:
            self.files[path] = regular(mode=self.first_mode,
                                       gid=self.first_gid)
        elif self._resolve(path) not in self.files:
            return self._absent(request)
        handle = self._handle(self.files[self._resolve(path)])
        return packet(HANDLE, u32(request.id) + text(handle))

    def _handle(self, node):
        self.opened += 1
        handle = str(self.opened).encode()
        self.handles[handle] = node
        return handle

    def _children(self, path):
        start = path.rstrip("/") + "/"
        return [(name.removeprefix(start), node)
                for name, node in sorted(self.files.items())
                if name.startswith(start) and name != start
                and "/" not in name.removeprefix(start)]

    def _opendir(self, request):
        path = self._resolve(request.text())
        self.log.append(f"opendir {path}")
        if path not in self.files:
            return self._absent(request)
        handle = self._handle(self.files[path])
        self.listings[handle] = self._children(path)
        return packet(HANDLE, u32(request.id) + text(handle))

    def _readdir(self, request):
        handle = request.bytes()
        names, self.listings[handle] = self.listings[handle], []
        if not names:
            return status(request.id, EOF, "EOF")
        return packet(NAME, u32(request.id) + names_of(names))

    def _close(self, request):
        del self.handles[request.bytes()]
        self.log.append("close")
        return self._ok(request)

    def _read(self, request):
        node = self.handles[request.bytes()]
        offset, size = request.u64(), request.u32()
        data = bytes(node.data[offset:offset + min(size, self.read_most)])
        self.log.append(f"read {offset} {size}")
        if not data:
            return status(request.id, EOF, "EOF")
        return packet(DATA, u32(request.id) + text(data))

    def _write(self, request):
        node = self.handles[request.bytes()]
        offset, data = request.u64(), request.bytes()
        node.data.extend(bytes(max(0, offset - len(node.data))))
        node.data[offset:offset + len(data)] = data
        self.log.append(f"write {offset} {len(data)}")
        return self._ok(request)

    def _attributes(self, request, node):
        if node is None:
            return self._absent(request)
        return packet(ATTRS, u32(request.id) + node.attributes())

    def _lstat(self, request):
        return self._attributes(request, self.files.get(request.text()))

    def _stat(self, request):
        return self._attributes(
            request, self.files.get(self._resolve(request.text())))

    def _fstat(self, request):
        return self._attributes(request, self.handles[request.bytes()])

    def _fsetstat(self, request):
        node, flags = self.handles[request.bytes()], request.u32()
        if flags & HAS_SIZE:
            size = request.u64()
            self.log.append(f"truncate {size}")
            del node.data[size:]
            node.data.extend(bytes(size - len(node.data)))
        if flags & HAS_OWNER:
            node.uid, node.gid = request.u32(), request.u32()
        if flags & HAS_MODE:
            node.mode = stat.S_IFMT(node.mode) | request.u32()
        if flags & HAS_TIMES:
            node.mtime = (request.u32(), request.u32())[1]
        return self._ok(request)

    def _setstat(self, request):
        node, flags = self.files[self._resolve(request.text())], request.u32()
        if flags & HAS_OWNER:
            node.uid, node.gid = request.u32(), request.u32()
        if flags & HAS_MODE:
            node.mode = stat.S_IFMT(node.mode) | request.u32()
        if flags & HAS_TIMES:
            node.mtime = (request.u32(), request.u32())[1]
        return self._ok(request)

    def _symlink(self, request):
        target, path = request.text(), request.text()
        self.log.append(f"symlink {path}")
        self.files[path] = link(target)
        return self._ok(request)

    def _remove(self, request):
        path = request.text()
        self.log.append(f"remove {path}")
        if self.files.pop(path, None) is None:
            return self._absent(request)
        return self._ok(request)

    def _mkdir(self, request):
        path = request.text()
        self.log.append(f"mkdir {path}")
        if path in self.files:
            return status(request.id, FAILURE, "file exists")
        self.files[path] = directory()
        return self._ok(request)

    def _readlink(self, request):
        path = request.text()
        return packet(NAME, u32(request.id) + u32(1) + text(
            self.files[path].target) + text("") + attributes())

    def _extended(self, request):
        name, old, new = request.text(), request.text(), request.text()
        self.log.append(f"{name.split('@')[0]} {new}")
        if name == "hardlink@openssh.com":
            if new in self.files:
                return status(request.id, FAILURE, "file exists")
            self.files[new] = self.files[old]
        else:
            self.files[new] = self.files.pop(old)
        return self._ok(request)
