"""Every code that `lint` can say: what it is by which section of which text, and whether it is an error.

What a text says with "shall" or in its grammar is an error, what it recommends or what is only unwise a
warning. Sections are those of WARC/1.1 (ISO 28500:2017, as the IIPC publishes it); `section` tells the same of
WARC/1.0 (ISO 28500:2009). ARC is Burner and Kahle's text of 1996; WACZ is 1.1.1, wacz-auth 0.1.0 and CDXJ 0.1.0,
whose sections have titles and no numbers.
"""

from dataclasses import dataclass
from typing import Literal

from archiver.lint.wacz_rules import WACZ_RULES

Severity = Literal["error", "warning"]

_SHIFTED = {  # annexes and clauses whose place is another one in WARC/1.0
    "8": "Annex B",
    "Annex D.2": "Annex A.2",
    "Annex D.3": "Annex A.3",
}


@dataclass(frozen=True)
class Rule:
    """`section`: of WARC/1.1 where it is only a number or an annex, else with the name of its text."""

    severity: Severity
    section: str
    words: str


def _table(severity: Severity, rows: str) -> dict[str, Rule]:
    """Lines `code | section | what is wrong`."""
    cells = ([cell.strip() for cell in line.split("|")] for line in rows.strip().splitlines())
    return {code: Rule(severity, section, words) for code, section, words in cells}


_ERRORS = _table(
    "error",
    """
    not-recognised        | 4          | The file begins as none of WARC, ARC and WACZ does.
    empty                 | 4          | The file holds no record.
    damaged               | 4          | Bytes that belong to no record.
    gzip-damaged          | Annex D.2  | Bytes that are no whole gzip member (RFC 1952).
    mixed                 | Annex D.2  | Compressed and plain records in one file.
    version-unknown       | 4          | The first line names no version of WARC.
    line-ending           | 4          | A header line ends without CRLF.
    header-cut            | 4          | The header has no empty line at its end.
    header-line           | 4          | A header line that is no `name: value`.
    header-encoding       | 4          | A header that is not UTF-8.
    header-control        | 4          | A control character in a header.
    record-end            | 4          | The block is not followed by two CRLF.
    length-mismatch       | 5.3        | The block has another length than Content-Length says.
    field-repeated        | 5.1        | A field that may stand only once stands there again.
    id-missing            | 5.2        | No WARC-Record-ID.
    id-form               | 5.2        | WARC-Record-ID is no `<URI>`.
    id-taken              | 5.2        | Another record of the file has this WARC-Record-ID.
    length-missing        | 5.3        | No Content-Length.
    length-form           | 5.3        | Content-Length is no number.
    date-missing          | 5.4        | No WARC-Date.
    date-form             | 5.4        | A date that is no UTC time as the W3C profile of ISO 8601 writes it.
    date-of-event         | 5.4        | A record of the same capture event has another WARC-Date.
    type-missing          | 5.5        | No WARC-Type.
    type-form             | 5.5        | WARC-Type is no token.
    media-type-form       | 5.6        | Content-Type is no media type.
    msgtype               | 5.6        | The msgtype of application/http (RFC 2616 section 19.1) is not that of the record.
    concurrent-form       | 5.7        | WARC-Concurrent-To is no `<URI>`.
    concurrent-forbidden  | 5.7        | WARC-Concurrent-To on a record that shall not have it.
    block-digest-form     | 5.8        | WARC-Block-Digest is no `algorithm:value` of the algorithm's length.
    block-digest          | 5.8        | The block has another digest.
    payload-digest-form   | 5.9        | WARC-Payload-Digest is no `algorithm:value` of the algorithm's length.
    payload-digest        | 5.9        | The payload has another digest, in every reading of what a payload is.
    payload-forbidden     | 5.9        | WARC-Payload-Digest on a record without a payload.
    ip-form               | 5.10       | WARC-IP-Address is no IPv4 or IPv6 address.
    ip-forbidden          | 5.10       | WARC-IP-Address on a record that shall not have it.
    refers-form           | 5.11       | WARC-Refers-To is no `<URI>`.
    refers-forbidden      | 5.11       | WARC-Refers-To on a record that shall not have it.
    refers-uri-form       | 5.12       | WARC-Refers-To-Target-URI is no URI.
    refers-uri-forbidden  | 5.12       | WARC-Refers-To-Target-URI on a record that is no revisit.
    refers-date-form      | 5.13       | WARC-Refers-To-Date is no UTC time as the W3C profile of ISO 8601 writes it.
    refers-date-forbidden | 5.13       | WARC-Refers-To-Date on a record that is no revisit.
    uri-missing           | 5.14       | No WARC-Target-URI on a record that shall have one.
    uri-form              | 5.14       | WARC-Target-URI is no URI (RFC 3986).
    uri-forbidden         | 5.14       | WARC-Target-URI on a warcinfo record.
    truncated-form        | 5.15       | WARC-Truncated is no token.
    warcinfo-id-form      | 5.16       | WARC-Warcinfo-ID is no `<URI>`.
    warcinfo-id-forbidden | 5.16       | WARC-Warcinfo-ID on a warcinfo record.
    filename-forbidden    | 5.17       | WARC-Filename on a record that is no warcinfo.
    filename-form         | 5.17       | WARC-Filename is empty.
    profile-missing       | 5.18       | A revisit without WARC-Profile.
    profile-form          | 5.18       | WARC-Profile is no URI.
    identified-form       | 5.19       | WARC-Identified-Payload-Type is no media type.
    identified-forbidden  | 5.19       | WARC-Identified-Payload-Type on a record without a payload.
    segment-missing       | 5.20       | A continuation without WARC-Segment-Number.
    segment-form          | 5.20       | WARC-Segment-Number is no number.
    segment-number        | 5.20       | WARC-Segment-Number is 1 on a continuation, or is not 1 elsewhere.
    origin-missing        | 5.21       | A continuation without WARC-Segment-Origin-ID.
    origin-form           | 5.21       | WARC-Segment-Origin-ID is no `<URI>`.
    origin-forbidden      | 5.21       | WARC-Segment-Origin-ID on a record that is no continuation.
    total-form            | 5.22       | WARC-Segment-Total-Length is no number.
    total-forbidden       | 5.22       | WARC-Segment-Total-Length on a record that is no continuation.
    resource-dns          | 6.4.4      | A resource of the scheme dns whose block is not text/dns.
    revisit-digest        | 6.7.2      | A revisit of the profile identical-payload-digest without WARC-Payload-Digest.
    revisit-truncated     | 6.7.2      | Such a revisit leaves out the body, and no `WARC-Truncated: length` says so.
    segment-uri           | 7          | Segments of one record have different WARC-Target-URIs.
    segment-total         | 7          | The segments together have another length than WARC-Segment-Total-Length.
    arc-version           | ARC 1996: The version block      | No version block, or one of another form.
    arc-header            | ARC 1996: The URL record         | A URL record line of another form.
    arc-date              | ARC 1996: The URL record         | An archive date that is not 14 digits of a time.
    arc-ip                | ARC 1996: The URL record         | An IP address that is none.
    arc-damaged           | ARC 1996: The archive file       | Bytes that belong to no record.
    arc-length            | ARC 1996: The URL record         | The file ends before the record's archive length.
    """,
)

_WARNINGS = _table(
    "warning",
    """
    version-draft         | 4          | A draft of WARC before 1.0: judged by the rules of 1.0.
    version-case          | 4          | The first line has `WARC` in small letters.
    folded                | 4          | Header fields over several lines, which many programs do not read.
    between-records       | 4          | Line ends between two records that no record has.
    record-repeated       | 5.2        | The same record stands in the file again, with the same WARC-Record-ID.
    references-unjudged   | 5.2        | Too many records for their ids to be held against each other.
    date-case             | 5.4        | A date with a small t or z.
    type-unknown          | 5.5        | A type of record that the text does not define.
    warcinfo-first        | 5.5        | The file does not begin with a warcinfo record, as is recommended.
    media-type-missing    | 5.6        | A block without Content-Type.
    concurrent-uri        | 5.7        | A record of the same capture event has another WARC-Target-URI.
    digest-algorithm      | 5.8        | A digest by an algorithm that is not known here: not judged.
    digest-encoding       | 5.8        | A digest that is right, written as most programs do not read it.
    payload-reading       | 5.9        | WARC-Payload-Digest is not of the entity-body, but of what the message names.
    ip-not-canonical      | 5.10       | An IPv6 address that is not in the form of RFC 5952.
    reference-missing     | 5.11       | A record that is referred to is not in the file.
    reference-type        | 5.11       | A record that is referred to has a type that it cannot have there.
    uri-brackets          | 5.14       | WARC-Target-URI or WARC-Profile in angle brackets.
    truncated-unknown     | 5.15       | A reason of truncation that the text does not define.
    filename-other        | 5.17       | WARC-Filename is not the name of the file.
    profile-unknown       | 5.18       | A profile that the text does not define.
    profile-undefined     | 5.18       | WARC-Profile on a record that is no revisit means nothing.
    warcinfo-type         | 6.2        | A warcinfo record that is not application/warc-fields.
    fields-block          | 6.2        | A block of application/warc-fields that is no list of `name: value`.
    http-type             | 6.3.2      | A response or request of http whose Content-Type is not application/http.
    http-message          | 6.3.2      | A block of application/http that begins as no HTTP message.
    http-cut              | 6.3.2      | The body is shorter than the HTTP message says, and no WARC-Truncated says so.
    ip-missing            | 6.3.2      | A response or request of http without WARC-IP-Address.
    resource-http         | 6.4.2      | A resource of http whose block is said to be an HTTP message.
    revisit-refers        | 6.7.2      | A revisit that does not name the record it repeats.
    conversion-refers     | 6.8        | A conversion that does not name the record it was made from.
    segment-gap           | 7          | Segments before this one are not in the file.
    segment-discouraged   | 7          | A segmented warcinfo, request, metadata or revisit record.
    too-large             | Annex C    | A record too large to be held: its digests were not computed.
    compression           | Annex D.2  | Records that are not each a gzip member of their own.
    suffix                | Annex D.3  | The name's ending does not say how the file is compressed.
    arc-newline           | ARC 1996: The archive file       | A record that no newline follows.
    """,
)

RULES: dict[str, Rule] = {**_ERRORS, **_WARNINGS, **{code: Rule(*rest) for code, rest in WACZ_RULES.items()}}


def section(code: str, version: str) -> str:
    """Where the text says it: `WARC/1.1 5.4`. For WARC/1.0 and its drafts the section of WARC/1.0."""
    written = RULES[code].section
    if not (written[0].isdigit() or written.startswith("Annex")):
        return written
    if version in ("WARC/1.1", ""):
        return f"WARC/1.1 {written}"
    major, _, minor = written.partition(".")
    if major == "5" and minor in ("12", "13"):  # fields that only WARC/1.1 has
        return f"WARC/1.1 {written}"
    if major == "5" and minor.isdigit() and int(minor) >= 14:
        written = f"5.{int(minor) - 2}"
    return f"WARC/1.0 {_SHIFTED.get(written, written)}"
