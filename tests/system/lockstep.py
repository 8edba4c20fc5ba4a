"""A relay that counts round trips, however fast or busy the machine is: what
the server has answered is held back until the program has nothing left to do
but wait for it. Then it is handed over at once, and that is one round."""

import collections
import contextlib
import fcntl
import re
import selectors
import socket
import struct
import termios
import threading

INIT, VERSION = 1, 2
NAMES = {
    1: "init", 3: "open", 4: "close", 5: "read", 6: "write", 7: "lstat",
    8: "fstat", 9: "setstat", 10: "fsetstat", 11: "opendir", 12: "readdir",
    13: "remove", 14: "mkdir", 15: "rmdir", 16: "realpath", 17: "stat",
    18: "rename", 19: "readlink", 20: "symlink", 200: "extended"}

# What is uploaded may have such a line in it, but does not begin with one.
REQUEST = re.compile(rb"([A-Z]+ /\S+) HTTP/1\.1\r\n")

# How often a program is looked at that may be about to wait.
LOOK_S = 0.0002

# Of one recv(2).
ROOM_BYTES = 1 << 18


def _packets(data):
    """Take whole packets off a buffer."""
    while len(data) >= 4:
        end = 4 + struct.unpack_from(">I", data)[0]
        if len(data) < end:
            return
        yield bytes(data[:end])
        del data[:end]


class _Side:
    """One direction's last step: what waits to be sent."""

    def __init__(self, sock):
        sock.setblocking(False)
        self.sock, self.out = sock, bytearray()

    def flush(self):
        with contextlib.suppress(BlockingIOError):
            while self.out:
                del self.out[:self.sock.send(self.out)]

    def taken(self):
        """Whether the other end has read all that it was sent."""
        return not self.out and self._count(termios.TIOCOUTQ) == 0

    def silent(self):
        """Whether we have read all that the other end has sent."""
        return self._count(termios.FIONREAD) == 0

    def _count(self, which):
        return struct.unpack("i", fcntl.ioctl(self.sock, which, bytes(4)))[0]


class _Connection:
    """HTTP, which passes, and becomes SFTP, which is counted."""

    def __init__(self, here, there, counts):
        credentials = here.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        self.pid = struct.unpack("3i", credentials)[0]
        self.client, self.server = _Side(here), _Side(there)
        self.counts = counts
        self.upgraded = self.switched = False
        self.asked, self.answered = bytearray(), bytearray()
        self.unanswered = 0
        self.held = []

    def from_client(self, data):
        self.server.out += data
        if self.switched:
            self.asked += data
            for packet in _packets(self.asked):
                self.counts.packets[NAMES[packet[4]]] += 1
                self.unanswered += 1
        elif found := REQUEST.match(data):
            self.counts.requests.append(found[1].decode())
            self.upgraded = b"\r\nUpgrade: sftp\r\n" in data
            self.unanswered += self.upgraded

    def from_server(self, data):
        if not self.upgraded:
            self.client.out += data
            return
        self.answered += data
        if not self.switched:
            head, end, _ = self.answered.partition(b"\r\n\r\n")
            if not end:
                return
            self.unanswered -= 1
            self.switched = self.upgraded = head.startswith(b"HTTP/1.1 101 ")
            if not self.switched:
                self.client.out += self.answered
                return
            self.held.append(bytes(head + end))
            del self.answered[:len(head + end)]
        for packet in _packets(self.answered):
            self.unanswered -= 1
            self.held.append(packet)

    @property
    def settled(self):
        """Nothing is on its way, in either direction. What a session has been
        given may lie there, and more than fits, while the program waits for
        another one."""
        return (self.unanswered == 0 and not self.server.out
                and self.client.silent()
                and (self.upgraded or self.client.taken()))

    def release(self):
        self.client.out += b"".join(self.held)
        self.held.clear()


def _sleep(pid):
    """How often a process has gone to sleep, if it sleeps now."""
    facts = {}
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status",
                                            encoding="ascii") as status:
        facts = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    if facts.get("State", "").startswith("S"):
        return facts["voluntary_ctxt_switches"]
    return None


class Lockstep:
    """`requests` are those of HTTP, `packets` those of SFTP by their kind."""

    def __init__(self, path, daemon):
        self.path, self.daemon = str(path), daemon
        self.requests, self.packets = [], collections.Counter()
        self.rounds = 0
        self.last_sleep = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.connections = []
        self.wake, self.woken = socket.socketpair()
        self.selector.register(self.woken, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _accept(self):
        here, _ = self.listener.accept()
        there = socket.socket(socket.AF_UNIX)
        there.connect(self.daemon.socket)
        connection = _Connection(here, there, self)
        self.connections.append(connection)
        for side, other, take in (
                (connection.client, connection.server, connection.from_client),
                (connection.server, connection.client, connection.from_server)):
            self.selector.register(side.sock, selectors.EVENT_READ,
                                   (connection, side, other, take))

    def _close(self, connection):
        self.connections.remove(connection)
        for side in (connection.client, connection.server):
            self.selector.unregister(side.sock)
            side.sock.close()

    def _pass(self, connection, side, take):
        try:
            data = side.sock.recv(ROOM_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            take(data)
        else:
            connection.release()
            self._flush(connection)
            self._close(connection)

    def _flush(self, connection):
        """And ask to be told when there is room for the rest."""
        for side in (connection.client, connection.server):
            with contextlib.suppress(OSError):
                side.flush()
            key = self.selector.get_key(side.sock)
            wanted = selectors.EVENT_READ | (
                selectors.EVENT_WRITE if side.out else 0)
            if wanted != key.events:
                self.selector.modify(side.sock, wanted, key.data)

    def _flush_all(self):
        for one in self.connections:
            self._flush(one)

    def _waits_for_us(self):
        """Whether the program sleeps, not since before we spoke last, and has
        slept all along while all was settled: then it waits for us."""
        pid = self.connections[0].pid
        before = _sleep(pid)
        if (before in (None, self.last_sleep)
                or not all(one.settled for one in self.connections)
                or _sleep(pid) != before):
            return False
        self.last_sleep = before
        return True

    def _run(self):
        while True:
            held = any(one.held for one in self.connections)
            for key, events in self.selector.select(LOOK_S if held else None):
                if key.fileobj is self.woken:
                    return
                if key.fileobj is self.listener:
                    self._accept()
                elif events & selectors.EVENT_READ:
                    connection, side, _, take = key.data
                    if connection in self.connections:
                        self._pass(connection, side, take)
            self._flush_all()
            # It may have ended by now, without waiting for all.
            if held and self.connections and self._waits_for_us():
                self.rounds += 1
                for one in self.connections:
                    one.release()
                self._flush_all()

    def close(self):
        self.wake.send(b".")
        self.thread.join()
        for one in list(self.connections):
            self._close(one)
        for sock in (self.wake, self.woken, self.listener):
            sock.close()
        self.selector.close()
