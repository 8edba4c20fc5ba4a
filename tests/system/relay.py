"""A socket in front of a daemon's, to see or to change who may ask what."""

import contextlib
import socket
import threading


class Relay:
    """Passes everything on, and writes down what is asked."""

    def __init__(self, path, daemon):
        self.path = str(path)
        self.daemon, self.requests = daemon, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                here, _ = self.listener.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(self.daemon.socket)
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=self._pass, daemon=True,
                                     args=(*ends, ends[0] is here)).start()

    def _pass(self, source, sink, heard):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if heard and b" HTTP/1.1\r\n" in data:
                    line = data.split(b"\r\n", 1)[0].decode()
                    self.requests.append(line.removesuffix(" HTTP/1.1"))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def asked_for(self, *words):
        """What a run asked the daemon, by its end."""
        del self.requests[:]
        result = self.daemon.anklume(*words, env={"INCUS_SOCKET": self.path})
        return result, list(self.requests)

    def close(self):
        # close() alone would not wake the thread that accepts.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
