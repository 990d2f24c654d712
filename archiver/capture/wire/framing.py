"""Where an HTTP/1 response ends, found in bytes that arrive piece by piece (RFC 9112 sections 2–7).

Only positions are computed: the bytes stay as they came. Lenient where servers need it: bare LF,
lines without a colon, any number of fields. Heads are read by `archiver.warc.http`, so that what is
framed here is what the archive's reader will see.
"""

import re

from archiver.warc.http import Message, parse_message

HEAD_BYTES = 256 << 10  # of all heads together, 1xx included; trailers have the same bound again
CHUNK_LINE_BYTES = 8192

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_LENGTH = re.compile(r"[0-9]{1,18}")
_WITHOUT_BODY = (101, 204, 304)


class Framing:
    """Feed it what the socket gives until `done`.

    `data` holds every byte that came. `interim` are the 1xx messages, `start` is where the final
    message begins and `end` where it ends, None while that is not known. A message without a length
    ends with the connection: `until_close`. `fault` says in words why the message cannot be framed;
    then it too is read until the connection ends.
    """

    def __init__(self, method: str) -> None:
        self.data = bytearray()
        self.interim: list[bytes] = []
        self.start = 0
        self.end: int | None = None
        self.message: Message | None = None
        self.until_close = False
        self.fault = ""
        self.not_http = False
        self.head_too_long = False
        self._method = method
        self._scanned = 0
        self._chunks: _Chunks | None = None
        self._length: int | None = None  # where the message will end

    @property
    def done(self) -> bool:
        """No further byte can belong to this message, or none is wanted."""
        return self.end is not None or self.not_http or self.head_too_long

    @property
    def surplus(self) -> int:
        """How many bytes came after the end of the message."""
        return len(self.data) - self.end if self.end is not None else 0

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request (RFC 9112 section 9.3)."""
        if self.message is None or self.end is None or self.surplus or self.message.status == 101:
            return False
        options = {
            part.strip().lower()
            for name, value in self.message.fields
            if name == "connection"
            for part in value.split(",")
        }
        if "close" in options:
            return False
        return self.message.start.startswith(b"HTTP/1.1") or "keep-alive" in options

    def feed(self, data: bytes) -> None:
        """Take what one read gave."""
        self.data += data
        if self.message is None and not self.done:
            self._read_heads()
        if self._chunks is not None and self.end is None:
            self._read_chunks(self._chunks)
        elif self._length is not None and self.end is None and len(self.data) >= self._length:
            self.end = self._length

    def give_up(self) -> None:
        """No more will come: a 1xx message that has begun goes with the others, unfinished."""
        rest = bytes(self.data[self.start :]) if self.message is None else b""
        status = parse_message(rest).status
        if status is not None and 100 <= status < 200 and status != 101:
            self.interim.append(rest)
            self.start = len(self.data)

    def _read_heads(self) -> None:
        while self.message is None and not self.not_http:
            opening = bytes(self.data[self.start : self.start + 5])
            if opening != b"HTTP/"[: len(opening)]:
                self.not_http = True
                return
            found = _END_OF_HEAD.search(self.data, max(self.start, self._scanned - 3))
            self._scanned = len(self.data)
            end = found.end() if found else len(self.data)
            if end > HEAD_BYTES:
                self.head_too_long = True
                return
            if not found:
                return
            self._scanned = end
            self._take_head(bytes(self.data[self.start : end]))

    def _take_head(self, head: bytes) -> None:
        message = parse_message(head)
        status = message.status
        if status is None or status < 100:
            self.not_http = True
        elif status < 200 and status != 101:
            self.interim.append(head)
            self.start += len(head)
        else:
            self.message = message
            self._choose_body(message, status)

    def _choose_body(self, message: Message, status: int) -> None:
        """RFC 9112 section 6.3, the rules for a client in their order."""
        body = self.start + message.body_offset
        if self._method == "HEAD" or status in _WITHOUT_BODY:
            self.end = body
        elif message.chunked:
            self._chunks = _Chunks(body)
        elif (message.get("transfer-encoding") or "identity").lower() != "identity":
            self.until_close = True
        else:
            length = self._content_length(message)
            self._length = None if length is None else body + length
            self.until_close = length is None

    def _content_length(self, message: Message) -> int | None:
        values = {
            part.strip()
            for name, value in message.fields
            if name == "content-length"
            for part in value.split(",")
        }
        if len(values) > 1:
            self.fault = f"the server gave {len(values)} different values of Content-Length"
            return None
        value = values.pop() if values else ""
        return int(value) if _LENGTH.fullmatch(value) else None

    def _read_chunks(self, chunks: "_Chunks") -> None:
        chunks.advance(self.data)
        if chunks.broken:
            self.fault, self._chunks, self.until_close = chunks.broken, None, True
        elif chunks.ended:
            self.end = chunks.at
        elif chunks.trailer_bytes > HEAD_BYTES:
            self.head_too_long = True


class _Chunks:
    """A walk over the chunked coding (RFC 9112 section 7.1) that can wait for more bytes."""

    def __init__(self, at: int) -> None:
        self.at = at  # everything before it has been read
        self.broken = ""
        self.ended = False
        self.trailer_bytes = 0
        self._left = 0  # bytes of the chunk still to pass
        self._step = self._size

    def advance(self, data: bytearray) -> None:
        """Read on as far as `data` goes."""
        while not self.broken and not self.ended and self._step(data):
            pass

    def _size(self, data: bytearray) -> bool:
        end = data.find(b"\n", self.at, self.at + CHUNK_LINE_BYTES)
        if end < 0:
            if len(data) - self.at >= CHUNK_LINE_BYTES:
                self.broken = f"a chunk-size line of more than {CHUNK_LINE_BYTES} bytes"
            return False
        digits = bytes(data[self.at : end]).partition(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(digits):
            self.broken = f"{digits[:20]!r} is not the size of a chunk"
            return False
        self.at = end + 1
        self._left = int(digits, 16)
        self._step = self._content if self._left else self._trailer
        return True

    def _content(self, data: bytearray) -> bool:
        passed = min(self._left, len(data) - self.at)
        self.at += passed
        self._left -= passed
        if self._left:
            return False
        self._step = self._line_end
        return True

    def _line_end(self, data: bytearray) -> bool:
        ahead = bytes(data[self.at : self.at + 2])
        if ahead in (b"", b"\r"):
            return False
        if not ahead.startswith((b"\n", b"\r\n")):
            self.broken = "a chunk is longer than its size says"
            return False
        self.at += 1 if ahead.startswith(b"\n") else 2
        self._step = self._size
        return True

    def _trailer(self, data: bytearray) -> bool:
        end = data.find(b"\n", self.at)
        if end < 0:
            self.trailer_bytes = max(self.trailer_bytes, len(data) - self.at)
            return False
        line = bytes(data[self.at : end]).strip(b"\r")
        self.trailer_bytes += end + 1 - self.at
        self.at = end + 1
        self.ended = not line
        return self.trailer_bytes <= HEAD_BYTES
