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
    """A finding about all of a file."""
    return of_record(
        file, None, None, code, message, advice=advice, verdict=verdict, expected=expected, found=found
    )


def of_record(
    file: str,
    number: int | None,
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
