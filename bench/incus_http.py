"""The daemon's API over its Unix socket, one connection for many requests.

As a program, all that the daemon has to do for backups of some instances:

    incus_http.py SOCKET 6|7 PROJECT INSTANCE..."""

import http.client
import json
import socket
import sys


class Socket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("incus")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None, **headers):
        self.request(method, path, json.dumps(body) if body else None, headers)
        return self.getresponse()

    def answer(self, *words):
        return json.loads(self.ask(*words).read())

    def do(self, *words):
        """An operation, to its end."""
        operation = self.answer(*words)["operation"]
        done = self.answer("GET", f"{operation}/wait")["metadata"]
        if done["status"] != "Success":
            raise RuntimeError(f"{words}: {done}")


def drain(response):
    if response.status != 200:
        raise RuntimeError(response.read())
    while response.read(1 << 18):
        pass


def export(daemon, version, project, name):
    """One backup: 7.0 sends it straight out, 6.0 makes, sends and deletes
    it."""
    base = f"/1.0/instances/{name}/backups"
    query = f"?project={project}"
    if version == "7":
        drain(daemon.ask("POST", base + query,
                         {"compression_algorithm": "none"},
                         Accept="application/octet-stream"))
    else:
        daemon.do("POST", base + query,
                  {"name": "b", "compression_algorithm": "zstd --fast=10"})
        drain(daemon.ask("GET", f"{base}/b/export{query}"))
        daemon.do("DELETE", f"{base}/b{query}")


def main():
    path, version, project, *names = sys.argv[1:]
    daemon = Socket(path)
    for name in names:
        export(daemon, version, project, name)


if __name__ == "__main__":
    main()
