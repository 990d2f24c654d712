"""Which links of a section page belong to it."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from archiver.errors import UsageError

PATTERN_CHARS = 1_000


@dataclass(frozen=True)
class Scope:
    """What `--follow` names: `host`, `prefix`, or a pattern.

    host: links to the page's own host. prefix: links that begin with the page's URL up to its last
    slash. Anything else is a regular expression (Python's `re`) that must be found in the link.
    """

    written: str
    pattern: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, written: str) -> "Scope":
        """Raises UsageError for a pattern that is none."""
        if written in ("host", "prefix"):
            return cls(written)
        try:
            if not written or len(written) > PATTERN_CHARS:
                raise ValueError(f"not of 1 to {PATTERN_CHARS} characters")
            return cls(written, re.compile(written))
        except (ValueError, OverflowError, RecursionError, re.error) as error:
            raise UsageError(
                f"--follow {written[:100]!r}: {error}", "Name host, prefix, or a regular expression."
            ) from error

    def admits(self, url: str, page: str) -> bool:
        """Whether a link from the page at `page` is followed. Both are canonical URLs."""
        if self.pattern is not None:
            return self.pattern.search(url) is not None
        if self.written == "prefix":
            return url.startswith(urljoin(page.partition("?")[0], "."))
        return urlsplit(url).netloc == urlsplit(page).netloc
