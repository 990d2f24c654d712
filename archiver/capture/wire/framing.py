"""Where an HTTP/1 response ends, found in bytes that arrive piece by piece (RFC 9112 sections 2–7).

Only positions are computed: the bytes stay as they came. Lenient where servers need it: bare LF,
lines without a colon, any number of fields. Heads are read by `archiver.warc.http`, so that what is
framed here is what the archive's reader will see.
"""

import io
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

    `interim` are the 1xx messages. Of the final message `size` bytes came; `length` is how many it will
    have, where that is known, and `ended` says that they are there. `received` counts all that came,
    `surplus` what came after the end and is not kept. A message without a length ends with the
    connection: `until_close`. `fault` says in words why the message cannot be framed; then it too is
    read until the connection ends.
    """

    def __init__(self, method: str) -> None:
        self.interim: list[bytes] = []
        self.message: Message | None = None
        self.received = 0
        self.surplus = 0
        self.length: int | None = None
        self.ended = False
        self.until_close = False
        self.fault = ""
        self.not_http = False
        self.head_too_long = False
        self._method = method
        self._head = bytearray()  # of a message whose head has not ended
        self._final = io.BytesIO()  # the final message, from its head on
        self._size = 0
        self._scanned = 0
        self._heads = 0  # bytes of the 1xx messages
        self._chunks: _Chunks | None = None

    @property
    def done(self) -> bool:
        """No further byte can belong to this message, or none is wanted."""
        return self.ended or self.not_http or self.head_too_long

    @property
    def size(self) -> int:
        """How many bytes of the final message came, or of what may become one."""
        return self._size if self.message is not None else len(self._head)

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request (RFC 9112 section 9.3)."""
        if self.message is None or not self.ended or self.surplus or self.message.status == 101:
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
        self.received += len(data)
        if self.message is not None:
            self._take_body(data)
        elif not self.done:
            self._head += data
            self._read_heads()

    def give_up(self) -> None:
        """No more will come: a 1xx message that has begun goes with the others, unfinished."""
        rest = bytes(self._head)
        status = parse_message(rest).status
        if status is not None and 100 <= status < 200 and status != 101:
            self.interim.append(rest)
            self._head.clear()

    def final(self) -> bytes:
        """The final message as it came, or what came instead of one. Call it once, when all is read."""
        # CPython gives the buffer itself away: 100 MiB are not copied.
        return self._final.getvalue() if self.message is not None else bytes(self._head)

    def _read_heads(self) -> None:
        while self.message is None and not self.not_http:
            if not self._head.startswith(b"HTTP/"[: len(self._head)]):
                self.not_http = True
                return
            found = _END_OF_HEAD.search(self._head, max(0, self._scanned - 3))
            self._scanned = len(self._head)
            end = found.end() if found else len(self._head)
            if self._heads + end > HEAD_BYTES:
                self.head_too_long = True
                return
            if not found:
                return
            self._take_head(end)

    def _take_head(self, end: int) -> None:
        head = bytes(self._head[:end])
        message = parse_message(head)
        status = message.status
        if status is None or status < 100:
            self.not_http = True
        elif status < 200 and status != 101:
            self.interim.append(head)
            self._heads += end
            self._scanned = 0
            del self._head[:end]
        else:
            self.message = message
            self._choose_body(message, status)
            rest = bytes(self._head[end:])
            self._final.write(head)
            self._size = end
            self._head.clear()
            self._take_body(rest)

    def _take_body(self, data: bytes) -> None:
        """Keep what belongs to the message, and find its end in it."""
        part = len(data)
        if self.ended:
            part = 0
        elif self._chunks is not None:
            part = self._read_chunks(self._chunks, data)
        elif self.length is not None:
            part = min(part, self.length - self._size)
            self.ended = self._size + part == self.length
        self.surplus += len(data) - part
        self._size += part
        self._final.write(data if part == len(data) else data[:part])

    def _choose_body(self, message: Message, status: int) -> None:
        """RFC 9112 section 6.3, the rules for a client in their order."""
        if self._method == "HEAD" or status in _WITHOUT_BODY:
            self.length = message.body_offset
        elif message.chunked:
            self._chunks = _Chunks()
        elif (message.get("transfer-encoding") or "identity").lower() != "identity":
            self.until_close = True
        else:
            length = self._content_length(message)
            self.length = None if length is None else message.body_offset + length
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

    def _read_chunks(self, chunks: "_Chunks", data: bytes) -> int:
        """How many of these bytes belong to the message."""
        chunks.feed(data)
        if chunks.broken:
            self.fault, self._chunks, self.until_close = chunks.broken, None, True
        elif chunks.ended:
            self.ended = True
            return len(data) - chunks.left_over
        elif chunks.trailer_bytes > HEAD_BYTES:
            self.head_too_long = True
        return len(data)


class _Chunks:
    """A walk over the chunked coding (RFC 9112 section 7.1) that can wait for more bytes."""

    def __init__(self) -> None:
        self.broken = ""
        self.ended = False
        self._trailers = 0
        self._begun = 0
        self._window = bytearray()  # bytes that came and have not been passed, from `_at` on
        self._at = 0
        self._searched = 0  # up to here no line ends
        self._left = 0  # bytes of the chunk still to pass
        self._step = self._size

    @property
    def trailer_bytes(self) -> int:
        """Of the trailer, the line included that has begun."""
        return self._trailers + self._begun

    @property
    def left_over(self) -> int:
        """Bytes after the end of the last chunk and its trailer."""
        return len(self._window) - self._at

    def feed(self, data: bytes) -> None:
        """Read on as far as these bytes go."""
        del self._window[: self._at]
        self._searched = max(0, self._searched - self._at)
        self._at = 0
        self._window += data
        while not self.broken and not self.ended and self._step():
            pass

    def _line(self) -> bytes | None:
        """The next line without its LF, passed; None while it has not ended."""
        end = self._window.find(b"\n", max(self._at, self._searched))
        self._searched = len(self._window) if end < 0 else end + 1
        if end < 0:
            return None
        line = bytes(self._window[self._at : end])
        self._at = end + 1
        return line

    def _size(self) -> bool:
        at = self._at
        line = self._line()
        if (len(self._window) if line is None else self._at) - at > CHUNK_LINE_BYTES:
            self.broken = f"a chunk-size line of more than {CHUNK_LINE_BYTES} bytes"
            return False
        if line is None:
            return False
        digits = line.partition(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(digits):
            self.broken = f"{digits[:20]!r} is not the size of a chunk"
            return False
        self._left = int(digits, 16)
        self._step = self._content if self._left else self._trailer
        return True

    def _content(self) -> bool:
        passed = min(self._left, len(self._window) - self._at)
        self._at += passed
        self._left -= passed
        if self._left:
            return False
        self._step = self._line_end
        return True

    def _line_end(self) -> bool:
        ahead = bytes(self._window[self._at : self._at + 2])
        if ahead in (b"", b"\r"):
            return False
        if not ahead.startswith((b"\n", b"\r\n")):
            self.broken = "a chunk is longer than its size says"
            return False
        self._at += 1 if ahead.startswith(b"\n") else 2
        self._step = self._size
        return True

    def _trailer(self) -> bool:
        at = self._at
        line = self._line()
        if line is None:
            self._begun = len(self._window) - at
            return False
        self._begun = 0
        self._trailers += self._at - at
        self.ended = not line.strip(b"\r")
        return self.trailer_bytes <= HEAD_BYTES
