"""Judge WARC, ARC and WACZ files by the texts that define them. Never touches the network, never writes.

`wacz.judge.wacz_state` tells hashes and signature of a WACZ alone.
"""

from archiver.lint.rules import RULES
from archiver.lint.run import Linting
from archiver.lint.walk import Finding, Tally

__all__ = ["RULES", "Finding", "Linting", "Tally"]
