"""One daemon of the lab, and the commands that are measured on it."""

import os
import pathlib
import subprocess

from sides import Side

ROOT = pathlib.Path(__file__).resolve().parents[1]
HERE = ROOT / "bench"
LAB = ROOT / "tests" / "lab" / "lab"
ANKLUME = ROOT / "build" / "src" / "anklume"
BARE_SFTP = ROOT / "build" / "bench" / "bare_sftp"
KEY = "bench@example.org"

# An instance without an init of its own.
NO_INIT = ("-c", "raw.lxc=lxc.init.cmd=/bin/sleep infinity")

# The client of the daemon's own root, run by that root's loader: on this side
# of the socket, as anklume is.
CLIENT = """
incus() {
    "$LAB_ROOT/lib64/ld-linux-x86-64.so.2" --library-path \
        "$LAB_ROOT/usr/lib/x86_64-linux-gnu:$LAB_ROOT/lib/x86_64-linux-gnu" \
        "$LAB_ROOT/usr/bin/incus" "$@"
}
"""

# The daemon's API by curl alone: the least that can be done to ask it.
API = """
api() { curl -sS --fail --unix-socket "$INCUS_SOCKET" -H Expect: "$@"; }
finish() {
    local word='"operation":"([^"]+)"' answer
    [[ $1 =~ $word ]]
    answer=$(api "http://incus${BASH_REMATCH[1]}/wait")
    [[ ${answer#*metadata} == *'"status":"Success"'* ]]
}
"""

# 6.0 writes a backup to its disk, compressed lightly as anklume wants it,
# sends it, and deletes it.
SPOOLED_DRAIN = API + """
backups=http://incus/1.0/instances/$NAME/backups
finish "$(api -d '{"name":"drain","compression_algorithm":"zstd --fast=10"}' \
    "$backups")"
api -o /dev/null "$backups/drain/export"
finish "$(api -X DELETE "$backups/drain")"
"""


class Lab:
    """One daemon of the lab; `work` is a directory for what it brings."""

    def __init__(self, version, work):
        self.version = version
        self.work = work / version
        self.work.mkdir()
        out = subprocess.run([LAB, "env", version], check=True,
                             capture_output=True, text=True).stdout
        self.facts = dict(line.split("=", 1) for line in out.splitlines())
        self.shared = pathlib.Path(self.facts["LAB_SHARED"])
        self.socket = self.facts["INCUS_SOCKET"]
        self.cgroup = pathlib.Path(self.facts["LAB_CGROUP"])
        self.env = dict(os.environ, **self.facts, WORK=str(self.work), KEY=KEY,
                        INCUS_CONF=self.facts["LAB_CONF"])

    def incus(self, *words, check=True):
        return subprocess.run([LAB, "incus", self.version, *words],
                              check=check, capture_output=True, text=True)

    def anklume(self, *words, good=(0,)):
        return Side([ANKLUME, "-q", *words], self.env, good)

    def script(self, text, **variables):
        """A shell script; in it, $N is new at every run."""
        return Side(["bash", "-euo", "pipefail", "-c", text],
                    dict(self.env, **variables))

    def drain(self, name):
        """The bytes of a backup, asked of the daemon and thrown away."""
        if self.version == "6":
            return self.script(SPOOLED_DRAIN, NAME=name)
        return Side(
            ["curl", "-sS", "--fail", "--unix-socket", self.socket, "-o",
             "/dev/null", "-H", "Accept: application/octet-stream", "-d",
             '{"compression_algorithm":"none"}',
             f"http://incus/1.0/instances/{name}/backups"], self.env)

    def bare_sftp(self, source, target):
        """A copy of one file, each given as (instance, project, path)."""
        return Side([BARE_SFTP, self.socket, *source, *target], self.env)

    def disk(self, size_bytes):
        """So many bytes written to where archives go."""
        target = self.work / "dd"
        return Side(["dd", "if=/dev/zero", f"of={target}", "bs=1M",
                     "iflag=count_bytes", f"count={size_bytes}", "conv=fsync",
                     "status=none"], self.env)

    def run(self, side):
        """Once, unmeasured."""
        subprocess.run(side.words(0), env=side.environment(0), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def inside(self, name):
        """Where the root of an instance of the project default lies."""
        return (pathlib.Path(self.facts["INCUS_DIR"]) / "storage-pools"
                / "default" / "containers" / name / "rootfs")

    def make(self, image, name, *words):
        """A stopped instance, made anew; its root."""
        self.incus("delete", "-f", name, check=False)
        self.incus("init", image, name, *words)
        return self.inside(name)

    def prepare(self):
        """What all figures share: a Debian, and a target elsewhere."""
        subprocess.run([LAB, "image", "debian", self.version], check=True,
                       capture_output=True)
        self.make("debian", "bench", *NO_INIT)
        self.incus("delete", "-f", "bench-target", "--project", "work",
                   check=False)
        self.incus("launch", "busybox", "bench-target", "--project", "work")

    def server(self):
        """The version, as it says itself."""
        out = self.incus("query", "/1.0").stdout
        return out.partition('"server_version": "')[2].partition('"')[0]
