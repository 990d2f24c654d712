"""A Finding about a file as a whole."""

from archiver.model import Finding, Verdict


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
