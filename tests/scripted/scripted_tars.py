"""Backups as Incus writes them, small, made in memory."""

import io
import tarfile
import textwrap

CONFIG = """\
container:
  architecture: x86_64
  config: {{}}
  devices: {{}}
  ephemeral: false
  profiles:
  - default
  name: {name}
  status: Running
  type: container
  project: default
pool:
  name: default
  driver: dir
profiles:
- name: default
  config: {{}}
  devices: {{}}
volume:
  name: {name}
  config: {{}}
"""

INDEX = """\
name: {name}
backend: dir
pool: default
optimized: false
optimized_header: false
type: container
snapshots: []
config:
""" + textwrap.indent(CONFIG, "  ")


def member(tar, name, data=None, mode=0o644):
    info = tarfile.TarInfo(name)
    info.mode = mode
    if data is None:
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(info)
        return
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def backup(name, padding=0):
    """A whole backup, with a file of `padding` bytes in it."""
    out = io.BytesIO()
    index = INDEX.format(name=name).encode()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        member(tar, "backup/index.yaml", index)
        member(tar, "backup/container")
        member(tar, "backup/container/backup.yaml",
               CONFIG.format(name=name).encode())
        member(tar, "backup/container/rootfs")
        member(tar, "backup/container/rootfs/letter", b"dear reader\n")
        member(tar, "backup/container/rootfs/padding", bytes(padding))
    return out.getvalue()


def boundaries(tar):
    """The offsets at which a member begins, and where the end marker does."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        last = 0
        for info in opened:
            yield info.offset
            last = info.offset_data + (info.size + 511) // 512 * 512
    yield last
