"""Tars block by block: as Incus writes them, and as nobody should."""

BLOCK = 512

FILE, HARD, SYMLINK, CHAR, DEVICE, DIR, FIFO = "0123456"


def _pad(data):
    return data + bytes(-len(data) % BLOCK)


def header(name, kind=FILE, size=0, link="", *, change=None, resum=True):
    """One header; `change` maps offsets to bytes that are put there."""
    block = bytearray(BLOCK)

    def put(at, data):
        block[at:at + len(data)] = data
    put(0, _bytes(name)[:100])
    put(100, b"0000755\0" if kind == DIR else b"0000644\0")
    put(108, b"0000000\0")
    put(116, b"0000000\0")
    put(124, b"%011o\0" % size)
    put(136, b"14733471412\0")
    put(156, kind.encode("latin-1"))
    put(157, _bytes(link)[:100])
    put(257, b"ustar\x0000")
    for at, data in (change or {}).items():
        put(at, data)
    if resum:
        put(148, b"        ")
        put(148, b"%06o\0 " % sum(block))
    return bytes(block)


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode(
        "utf-8", "surrogateescape")


def record(key, value):
    """A pax record, which counts its own length."""
    body = b" " + _bytes(key) + b"=" + _bytes(value) + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length += 1
    return str(length).encode() + body


def pax(*records, kind="x"):
    data = b"".join(records)
    return header("PaxHeaders.0/x", kind, len(data)) + _pad(data)


def member(name, data=b"", kind=FILE, link="", records=(), **more):
    """A member as Go's archive/tar writes it: what its header cannot hold goes
    into pax records."""
    records = dict(records)
    data = _bytes(data)
    raw = _bytes(name)
    if len(raw) > 100 or not raw.isascii():
        records["path"] = raw
    if len(_bytes(link)) > 100 or not _bytes(link).isascii():
        records["linkpath"] = _bytes(link)
    size = more.pop("size", len(data))
    out = b""
    if records:
        out = pax(*(record(key, records[key]) for key in sorted(records)))
    ascii_name = raw if raw.isascii() else b"x"
    ascii_link = _bytes(link) if _bytes(link).isascii() else b"x"
    return out + header(ascii_name, kind, size, ascii_link,
                        **more) + _pad(data)


END = bytes(2 * BLOCK)
