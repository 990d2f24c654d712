"""What came of a URL stands in the record of its last request, or else in a record of its own."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from commands import query
from hypothesis import given
from hypothesis import strategies as st
from manners_server import Town, Visit, moved, reply
from revisit_site import stored, warcs
from wire_server import Step

from archiver.capture.manners import Manners
from archiver.capture.records import NOTE_BYTES, ExchangeRecords, note_record
from archiver.capture.wire.exchange import Exchange
from archiver.config import Settings
from archiver.errors import RecordError
from archiver.index.reader import describe, note_of
from archiver.keep import keep
from archiver.model import NOTE_FIELD, FetchNote, Hop, Note, Record
from archiver.sandbox import Sandbox
from archiver.verify import Verification
from archiver.warc.read import Member, read_stored
from archiver.warc.write import WarcFile

ASKED = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def a_note(reason: str = "", hops: int = 1) -> FetchNote:
    return FetchNote(
        url="http://a/",
        purpose="page",
        outcome="refused",
        started="2026-11-23T00:00:00.000000Z",
        hops=(Hop(url="http://a/"),) * hops,
        reason=reason,
    )


def a_request() -> ExchangeRecords:
    return ExchangeRecords(Exchange("http://a/", "GET", datetime.now(UTC), request=ASKED), "")


def read_back(folder: Path, record: Record) -> Note | None:
    """The note in a record that was written and described."""
    path = folder / "one.warc.gz"
    path.unlink(missing_ok=True)
    with WarcFile(path, path.name) as warc, Sandbox() as sandbox:
        location, _ = warc.append(record)
        warc.sync()
        member = Member(0, read_stored(folder, location))
        return note_of(describe(member, sandbox), member.stored)


@given(reason=st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, reason: str) -> None:
    kept, note = a_request(), a_note(reason)
    assert kept.carry(note)
    (record,) = kept.records
    assert record.block == ASKED
    ((name, value),) = record.headers
    assert name == NOTE_FIELD
    assert value.isascii()
    assert value.isprintable()
    assert read_back(tmp_path_factory.getbasetemp(), record) == note


@pytest.mark.parametrize(
    "note", [a_note("x" * NOTE_BYTES), a_note("渡" * 700), a_note(hops=200)], ids=["long", "escaped", "hops"]
)
def test_a_long_note_has_a_record_of_its_own(tmp_path: Path, note: FetchNote) -> None:
    kept = a_request()
    assert not kept.carry(note)
    assert kept.records[0].headers == ()
    assert read_back(tmp_path, note_record(note, None)) == note
    assert read_back(tmp_path, kept.records[0]) is None


def test_nothing_sent_carries_nothing() -> None:
    assert not ExchangeRecords(Exchange("http://a/", "GET", datetime.now(UTC)), "").carry(a_note())


@pytest.mark.parametrize("value", ["", "{}", "[" * 2000, '{"type":"fetch","url":1}', "渡"])
def test_a_field_that_holds_no_note(tmp_path: Path, value: str) -> None:
    (record,) = a_request().records
    with pytest.raises(RecordError, match="not a note"):
        read_back(tmp_path, msgspec.structs.replace(record, headers=((NOTE_FIELD, value),)))


def way(visit: Visit) -> list[Step]:
    """`/far/N` leads to `/far/N-1`, with names so long that no header has room for all of them."""
    _, kind, *rest = visit.path.split("/")
    if kind == "far" and rest[0] != "0":
        return [moved(f"http://a.example/far/{int(rest[0]) - 1}/{'x' * 500}")]
    steps: dict[str, Step] = {"moved": moved("http://b.example/there"), "reset": "reset"}
    return [steps.get(kind, reply("here"))]


def test_each_note_is_in_one_place_and_after_what_it_names(tmp_path: Path) -> None:
    urls = {
        "http://a.example/moved": "request",
        "http://a.example/far/8": "metadata",
        "http://a.example/reset": "request",
        "http://a.example/private/1": "metadata",  # never asked for
    }
    with Town(way, {"a.example": [reply("User-agent: *\nDisallow: /private/")]}) as town:
        kept = keep(
            tmp_path,
            [*urls],
            town.network,
            Settings(),
            manners=Manners(retries=0),
            report=lambda _: None,
            say=lambda _: None,
        )
    assert kept.outcomes == {"captured": 2, "failed": 1, "robots": 1}
    (warc,) = warcs(tmp_path)
    seen: set[str] = set()
    places: dict[str, str] = {}
    for _, fields, block in stored(warc):
        seen.add(fields["WARC-Record-ID"].strip("<>"))
        written = fields.get(NOTE_FIELD) or (block if b'"type":"fetch"' in block else None)
        if written is None:
            continue
        note = msgspec.json.decode(written, type=FetchNote)
        assert note.url not in places
        places[note.url] = fields["WARC-Type"]
        assert {each for hop in note.hops for each in (hop.request, hop.response) if each} <= seen
        if fields["WARC-Type"] == "request":
            assert fields["WARC-Record-ID"] == f"<{note.hops[-1].request}>"
    robots = {f"http://{host}.example/robots.txt": "request" for host in "ab"}
    assert places == urls | robots
    assert query(tmp_path, "SELECT count(*) FROM fetches") == [(len(places),)]
    assert not list(Verification(tmp_path, thorough=True).findings())
