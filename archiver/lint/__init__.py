"""Judge WARC, ARC and WACZ files by the texts that define them. Never touches the network, never writes."""

from archiver.lint.rules import RULES
from archiver.lint.run import Linting
from archiver.lint.wacz import WaczState, wacz_state
from archiver.lint.walk import Finding, Tally

__all__ = ["RULES", "Finding", "Linting", "Tally", "WaczState", "wacz_state"]
