"""Numbers and outcomes as people read them."""

from collections.abc import Mapping

# In this order: what was saved, what was not, what nobody asked for.
OUTCOMES = {
    "captured": "captured",
    "unchanged": "unchanged",
    "partial": "partial",
    "refused": "refused",
    "substituted": "substituted",
    "failed": "failed",
    "robots": "skipped by robots.txt",
    "dead": "known dead",
    "deferred": "left for the next run",
}


def one_line(text: str) -> str:
    """Texts of others may hold line feeds: none of them may look like a line of ours."""
    return text.replace("\n", " ")


def counted(outcomes: Mapping[str, int]) -> str:
    """`12 captured, 3 failed`; empty when nothing was counted."""
    order = [*OUTCOMES, *sorted(outcomes.keys() - OUTCOMES.keys())]
    counts = ((outcomes.get(name, 0), OUTCOMES.get(name, name)) for name in order)
    return ", ".join(f"{count:,} {words}" for count, words in counts if count)


def many(count: int, what: str) -> str:
    """`1 URL`, `1,200 URLs`."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def size(count: float) -> str:
    """Bytes, in powers of 1000: `999 B`, `1.2 MB`."""
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while count >= 999.5 and unit != "TB":
        count, unit = count / 1000, next(units)
    return f"{count:.0f} {unit}" if unit == "B" or count >= 99.95 else f"{count:.1f} {unit}"


def duration(seconds: float) -> str:
    """`12 s`, `3 min`, `26 h`, `4 days`: the largest unit of which there are two."""
    for length, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0, seconds):.0f} s"


def moment(time: str) -> str:
    """A time of ours without its fraction of a second."""
    return time.partition(".")[0] + "Z" if "." in time else time
