"""An exchange, a source, a note → the WARC records that keep it (docs/formats.md)."""

import re
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from archiver.capture.revisits import Revisit
from archiver.capture.wire.exchange import Exchange
from archiver.digests import digest
from archiver.model import MERGED_URI, NOTE_FIELD, NOTE_URI, SOURCE_URI, FetchNote, Hop, Note, Record
from archiver.pictures.decode import sniff
from archiver.warc.http import parse_message
from archiver.warc.write import record_id, warc_date

NOTE_BYTES = 4096  # a longer note has a record of its own: not every tool reads header lines of any length
_NOT_ASCII = re.compile(r"[^ -~]")
_COMPRESSED = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")


class ExchangeRecords:
    """The records of one exchange: the answer as received, or that it came again, and the request as sent."""

    def __init__(self, exchange: Exchange, attempt: str, revisit: Revisit | None = None) -> None:
        self._exchange, self._revisit = exchange, revisit
        self._date = warc_date(exchange.started)
        self._head = ""  # of the answer, where its record has none
        self._response = self._received() if exchange.response else None
        self._request = self._sent() if exchange.request else None
        self._attempt = attempt

    @property
    def records(self) -> list[Record]:
        return [record for record in (self._response, self._request) if record]

    def carry(self, note: FetchNote) -> bool:
        """Let the request's record say what came of it; False without one, or for a note that is too long."""
        field = _NOT_ASCII.sub(_escaped, msgspec.json.encode(note).decode())
        if self._request is None or len(field) > NOTE_BYTES:
            return False
        self._request.headers += ((NOTE_FIELD, field),)
        return True

    def hop(self, certificates: str | None) -> Hop:
        """The exchange in the words of a FetchNote; `certificates` is the id of their record."""
        exchange = self._exchange
        return Hop(
            url=exchange.url,
            request=self._request.id if self._request else None,
            response=self._response.id if self._response else None,
            status=exchange.status,
            protocol=exchange.tls.version if exchange.tls else None,
            truncated=exchange.truncated,
            interim=tuple(message.decode("latin-1") for message in exchange.interim),
            surplus=exchange.surplus,
            redacted=exchange.redacted,
            through=exchange.through,
            certificates=certificates,
            head=self._head,
            attempt=self._attempt,
        )

    def _received(self) -> Record:
        """What came: a response, or bytes that are no HTTP answer, kept as they are."""
        exchange = self._exchange
        cut = (("WARC-Truncated", exchange.truncated),) if exchange.truncated else ()
        headers = [("WARC-IP-Address", exchange.peer)] if exchange.peer else []
        if exchange.tls:
            headers += [("WARC-Protocol", exchange.tls.version), ("WARC-Cipher-Suite", exchange.tls.cipher)]
        message = parse_message(exchange.response)
        if message.status is None:
            return Record(
                type="metadata",
                id=record_id(),
                date=self._date,
                uri=f"urn:archiver:received:{record_id().removeprefix('urn:')}",
                content_type="application/octet-stream",
                headers=cut,
                block=exchange.response,
            )
        body = exchange.response[message.body_offset :]
        if self._revisit is not None:
            return self._repeated(self._revisit, headers, chunked=message.chunked)
        return Record(
            type="response",
            id=record_id(),
            date=self._date,
            uri=exchange.url,
            content_type="application/http; msgtype=response",
            headers=(*headers, *cut),
            block=exchange.response,
            # No value over a chunked body passes every validator; the record list has the entity-body's.
            payload_digest=None if message.chunked else digest(body),
            store=sniff(body) in _COMPRESSED,
        )

    def _repeated(self, revisit: Revisit, headers: list[tuple[str, str]], *, chunked: bool) -> Record:
        """The head as received; what followed it lies in the original.

        Replay puts the head of the revisit before the body of the original. Where that would be no answer
        with a body (a 304), or one framed otherwise, the block is left empty and the head goes to the note.
        """
        exchange, original = self._exchange, revisit.original
        head = exchange.response[: exchange.body_offset]
        if exchange.status == 304 or chunked != original.chunked:
            self._head, head = head.decode("latin-1"), b""
        digested = "Archiver-Payload-Digest" if original.chunked else "WARC-Payload-Digest"
        cut = [("WARC-Truncated", "length")] if len(exchange.response) > exchange.body_offset else []
        return Record(
            type="revisit",
            id=record_id(),
            date=self._date,
            uri=exchange.url,
            content_type="application/http; msgtype=response",
            headers=(*headers, *revisit.headers, *cut, (digested, original.payload_digest)),
            block=head,
        )

    def _sent(self) -> Record:
        concurrent = (("WARC-Concurrent-To", f"<{self._response.id}>"),) if self._response else ()
        return Record(
            type="request",
            id=record_id(),
            date=self._date,
            uri=self._exchange.url,
            content_type="application/http; msgtype=request",
            headers=concurrent,
            block=self._exchange.request,
        )


def _escaped(found: re.Match[str]) -> str:
    """A character as JSON escapes it (RFC 8259 section 7)."""
    return "".join(f"\\u{unit:04x}" for unit in memoryview(found[0].encode("utf-16")[2:]).cast("H"))


def source_record(data: bytes, content_type: str) -> Record:
    """A source that the person gave as a file, byte for byte."""
    return _resource(SOURCE_URI, data, content_type)


def manifest_record(data: bytes) -> Record:
    """The manifest of another archive whose files were taken in: its word on them, with its signatures."""
    return _resource(MERGED_URI, data, "application/json")


def _resource(uri: str, data: bytes, content_type: str) -> Record:
    found = digest(data)
    return Record(
        type="resource",
        id=record_id(),
        date=warc_date(datetime.now(UTC)),
        uri=uri + found,
        content_type=content_type,
        block=data,
        payload_digest=found,
    )


def note_record(note: Note, refers_to: str | None) -> Record:
    """A note about another record: metadata with a target of its own, never the page's."""
    identifier = record_id()
    return Record(
        type="metadata",
        id=identifier,
        date=warc_date(datetime.now(UTC)),
        uri=NOTE_URI + identifier.removeprefix("urn:"),
        content_type="application/json",
        headers=(("WARC-Refers-To", f"<{refers_to}>"),) if refers_to else (),
        block=msgspec.json.encode(note),
    )


def chain_record(host: str, chain: Iterable[bytes], refers_to: str | None) -> Record:
    """A server's certificates as PEM (RFC 8555 section 9.1), in the order in which it sent them."""
    return Record(
        type="metadata",
        id=record_id(),
        date=warc_date(datetime.now(UTC)),
        uri=f"urn:archiver:certificates:{host}",
        content_type="application/pem-certificate-chain",
        headers=(("WARC-Refers-To", f"<{refers_to}>"),) if refers_to else (),
        block="".join(ssl.DER_cert_to_PEM_cert(certificate) for certificate in chain).encode(),
    )
