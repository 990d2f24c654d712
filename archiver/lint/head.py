"""The header of a WARC record, line by line (WARC/1.1 section 4)."""

from dataclasses import dataclass, field

from archiver.lint.forms import is_token

_PRINTABLE = bytes(range(32, 127)) + bytes(range(128, 256)) + b"\r\n\t"
_VERSIONS = (b"WARC/1.1", b"WARC/1.0")
_DRAFTS = (b"WARC/0.17", b"WARC/0.18")
_MANY = b"warc-concurrent-to"
_KNOWN = {  # names as they are mostly written
    name: name.lower()
    for name in (
        b"WARC-Type",
        b"WARC-Record-ID",
        b"WARC-Date",
        b"WARC-Target-URI",
        b"WARC-IP-Address",
        b"WARC-Block-Digest",
        b"WARC-Payload-Digest",
        b"WARC-Warcinfo-ID",
        b"WARC-Identified-Payload-Type",
        b"Content-Type",
        b"Content-Length",
    )
}

Said = list[tuple[str, str]]  # codes, each with what is wrong here


@dataclass(slots=True)
class Head:
    """The fields of a header: the first value of each name in lower case, without white space around it."""

    version: str = ""
    kind: bytes = (
        b""  # WARC-Type in small letters: literals of the grammar have no case (RFC 2616 section 2.1)
    )
    fields: dict[bytes, bytes] = field(default_factory=dict)
    concurrent: list[bytes] = field(default_factory=list)
    said: Said = field(default_factory=list)

    @property
    def first(self) -> bool:
        """Whether the rules of WARC/1.0 apply."""
        return self.version != "WARC/1.1"


def shown(value: bytes) -> str:
    """A value of others in a message: as text, and not without end."""
    text = value[:200].decode("utf-8", "backslashreplace")
    return repr(text) + ("…" if len(value) > 200 else "")


def parse_head(raw: bytes, *, ordinary: bool = False) -> Head:
    """`raw`: from the version up to the empty line, with it. What cannot be read is said, and left out.

    `ordinary`: its lines are known to be whole, of printable ASCII, and end in CRLF.
    """
    head = Head()
    if not ordinary:
        raw = _bytes(raw, head)
    lines = raw.split(b"\r\n")
    _version(lines[0], head)
    if lines[-2:] != [b"", b""]:
        head.said.append(("header-cut", "no empty line ends the header"))
    _fields(lines, head)
    head.kind = head.fields.get(b"warc-type", b"").lower()
    return head


def _bytes(raw: bytes, head: Head) -> bytes:
    """The header with CRLF at the end of each line."""
    if raw.count(b"\n") != raw.count(b"\r\n") or raw.count(b"\r") != raw.count(b"\r\n"):
        head.said.append(("line-ending", "a line of the header does not end with CRLF, or has a CR within"))
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if raw.translate(None, _PRINTABLE):
        head.said.append(("header-control", "a control character in the header"))
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            head.said.append(("header-encoding", f"byte {error.start} of the header is not UTF-8"))
    return raw


def _version(line: bytes, head: Head) -> None:
    upper = line.upper()
    if upper in _VERSIONS:
        head.version = upper.decode()
        if line != upper:
            head.said.append(("version-case", f"{shown(line)}"))
    elif upper in _DRAFTS:
        head.version = upper.decode()
        head.said.append(("version-draft", f"{shown(line)} is a draft"))
    else:
        head.said.append(("version-unknown", f"{shown(line)} is no version of WARC"))


def _fields(lines: list[bytes], head: Head) -> None:
    fields, folded, name = head.fields, False, b""
    for line in lines[1:]:
        if not line:
            continue
        written, colon, value = line.partition(b":")
        known = _KNOWN.get(written) if colon else None
        if known and known not in fields and known != _MANY:  # as most lines are
            name = known
            fields[name] = value.strip(b" \t")
            continue
        if line[0] in b" \t":
            folded = True
            if name in fields:
                fields[name] = (fields[name] + b" " + line.strip(b" \t")).strip()
                if name == _MANY and head.concurrent:
                    head.concurrent[-1] = (head.concurrent[-1] + b" " + line.strip(b" \t")).strip()
            continue
        if not colon or not is_token(written):
            head.said.append(("header-line", f"{shown(line)} is no `name: value`"))
            name = b""
            continue
        name, value = written.lower(), value.strip(b" \t")
        if name == _MANY:
            head.concurrent.append(value)
        elif name in fields:
            if name.startswith((b"warc-", b"content-")):
                head.said.append(("field-repeated", f"{written.decode()} stands there again"))
            name = b""
            continue
        fields.setdefault(name, value)
    if folded:
        head.said.append(("folded", "a field goes over several lines"))
