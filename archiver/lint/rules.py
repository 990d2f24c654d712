"""What each code of `lint` is, by which section of which text, and whether it is an error: rules.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

Severity = Literal["error", "warning"]

_WARC_1_0 = {  # clauses and annexes that have another place there (ISO 28500:2009)
    "Annex C": "Annex B",
    "Annex D.2": "Annex A.2",
    "Annex D.3": "Annex A.3",
}


@dataclass(frozen=True)
class Rule:
    """`section`: of WARC/1.1 where it is only a number or an annex, else with the name of its text."""

    severity: Severity
    section: str
    words: str


def _read() -> dict[str, Rule]:
    table = tomllib.loads(Path(__file__).with_name("rules.toml").read_text("utf-8"))
    return {
        code: Rule(cast("Severity", severity), section, words)
        for severity, rules in table.items()
        for code, (section, words) in rules.items()
    }


RULES = _read()


def section(code: str, version: str) -> str:
    """Where the text says it: `WARC/1.1 5.4`. For WARC/1.0 and its drafts the section of WARC/1.0."""
    written = RULES[code].section
    if not (written[0].isdigit() or written.startswith("Annex")):
        return written
    if version in ("WARC/1.1", ""):
        return f"WARC/1.1 {written}"
    clause, _, minor = written.partition(".")
    if clause == "5" and minor in ("12", "13"):  # fields that only WARC/1.1 has
        return f"WARC/1.1 {written}"
    if clause == "5" and minor.isdigit() and int(minor) >= 14:
        written = f"5.{int(minor) - 2}"
    return f"WARC/1.0 {_WARC_1_0.get(written, written)}"
