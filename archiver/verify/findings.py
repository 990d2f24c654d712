"""A Finding about a file as a whole, or about one of its records."""

from archiver.model import Entry, Finding, Verdict


def of_file(
    file: str,
    code: str,
    message: str,
    *,
    advice: str,
    verdict: Verdict = "failed",
    expected: str | None = None,
    found: str | None = None,
) -> Finding:
    return Finding(
        verdict=verdict,
        code=code,
        file=file,
        message=message,
        expected=expected,
        found=found,
        advice=advice,
    )


def of_record(
    file: str,
    number: int,
    entry: Entry | None,
    code: str,
    message: str,
    *,
    advice: str,
    verdict: Verdict = "failed",
    expected: str | None = None,
    found: str | None = None,
) -> Finding:
    """`number`: of the record in its file, from 0. `entry`: what its line says, if that can be read."""
    return Finding(
        verdict=verdict,
        code=code,
        file=file,
        record=number,
        offset=entry.offset if entry else None,
        id=(entry.id or None) if entry else None,
        uri=entry.uri if entry else None,
        message=message,
        expected=expected,
        found=found,
        advice=advice,
    )
