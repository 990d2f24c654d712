"""Other archives, of which nothing is merged that is not as it was committed."""

from collections.abc import Iterable
from pathlib import Path

from archiver.errors import RecordError
from archiver.index.catalogue import DIGEST_NAME, NAME
from archiver.manifest import manifest as commitment
from archiver.verify import Verification

_DERIVED = (NAME, DIGEST_NAME)


def check_whole(others: Iterable[Path]) -> None:
    """Verify archives that are to be merged. Raises NotAnArchive, ManifestError; RecordError names damage."""
    for other in others:
        commitment.load(other)
        for finding in Verification(other).findings():
            if finding.verdict in ("failed", "incomplete") and finding.file not in _DERIVED:
                raise RecordError(
                    f"{other}: {finding.file}: {finding.message}",
                    f"Nothing was merged. 'archiver verify {other}' has all, 'archiver repair' mends it.",
                )
