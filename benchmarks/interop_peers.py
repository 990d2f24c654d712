"""What warcio and FastWARC read of files, run by the Python of .venv-peers: `interop_peers.py PEER < NAMES`.

For each name a line of JSON: `file`; `records`, in order, each [type, id, URI, bytes of the block, whether
its block digest holds, whether its payload digest does]; and `error`, what ended the reading.
"""

import json
import signal
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

SECONDS = 20  # of a file
Read = tuple[str, str, str, int, bool | None, bool | None]


def warcio(file: BinaryIO) -> Iterator[Read]:
    """It says of both digests together whether one failed, and checks none of a revisit's."""
    from warcio.archiveiterator import ArchiveIterator  # noqa: PLC0415

    for record in ArchiveIterator(file, check_digests=True):
        fields = record.rec_headers
        length = record.http_headers.total_len if record.http_headers else 0
        while data := record.raw_stream.read(1 << 20):
            length += len(data)
        checker = record.digest_checker
        holds = [
            f"{kind.lower()} digest" not in " ".join(checker.problems)
            if fields.get_header(f"WARC-{kind}-Digest") and checker.passed is not None
            else None
            for kind in ("Block", "Payload")
        ]
        name, uri = (fields.get_header(name) or "" for name in ("WARC-Record-ID", "WARC-Target-URI"))
        yield record.rec_type or "", name, uri, length, *holds


def fastwarc(file: BinaryIO) -> Iterator[Read]:
    """It reads no ARC."""
    from fastwarc.warc import ArchiveIterator  # type: ignore[import-not-found] # noqa: PLC0415

    lengths = [len(record.reader.read()) for record in ArchiveIterator(file, parse_http=False)]
    file.seek(0)
    for record, length in zip(ArchiveIterator(file, parse_http=False), lengths, strict=False):
        fields = {name.lower(): value for name, value in record.headers.astuples()}
        block = record.verify_block_digest(False) if "warc-block-digest" in fields else None
        payload = None
        if "warc-payload-digest" in fields:
            if record.is_http:
                record.parse_http()
            payload = record.verify_payload_digest(False)
        names = (fields.get(f"warc-{name}", "") for name in ("type", "record-id", "target-uri"))
        kind, name, uri = names
        yield kind, name, uri, length, block, payload


def parts(name: str) -> Iterator[Any]:
    """The file, or the WARC files in a WACZ."""
    with Path(name).open("rb") as file:
        if file.read(4) != b"PK\3\4":
            file.seek(0)
            yield file
            return
        with zipfile.ZipFile(file) as whole:
            for member in whole.namelist():
                if member.startswith("archive/") and not member.endswith("/"):
                    with whole.open(member) as part:
                        yield part


def stop(*_: object) -> None:
    raise TimeoutError(f"{SECONDS} s")


def main() -> None:
    peer: Callable[[BinaryIO], Iterator[Read]] = {"warcio": warcio, "fastwarc": fastwarc}[sys.argv[1]]
    signal.signal(signal.SIGALRM, stop)
    for name in sys.stdin.read().splitlines():
        records: list[Read] = []
        error = ""
        signal.alarm(SECONDS)
        try:
            for part in parts(name):
                records.extend(peer(part))
        except BaseException as thrown:  # noqa: BLE001 - whatever it throws is its answer
            error = f"{type(thrown).__name__}: {thrown}"[:200]
        signal.alarm(0)
        print(json.dumps({"file": name, "records": records, "error": error}), flush=True)


if __name__ == "__main__":
    main()
