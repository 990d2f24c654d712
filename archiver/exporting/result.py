"""What came of an export into a folder."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

Report = Callable[[dict[str, Any]], None]  # takes a problem


@dataclass
class Exported:
    """`articles` and `pictures` that went out, `rows` by table; what did not, in `problems`.

    A problem has a `type`: `missing` (it never came), `left-out` (it cannot be written so) or `damaged` (its
    stored bytes are not those that were archived), with `article`, `picture`, `url` as far as there are, and
    `reason`.
    """

    files: int = 0
    bytes: int = 0
    articles: int = 0
    pictures: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)

    def filled(self, files: int, size: int) -> Self:
        """The same with what was written."""
        self.files, self.bytes = files, size
        return self

    def count(self, problem: dict[str, Any]) -> None:
        kind = problem["type"]
        self.problems[kind] = self.problems.get(kind, 0) + 1

    @property
    def exit_code(self) -> int:
        """4 when something is damaged, 3 when something is not there or cannot be written so, else 0."""
        return 4 if "damaged" in self.problems else 3 if self.problems else 0
