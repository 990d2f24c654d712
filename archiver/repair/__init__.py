"""Mend an archive by bytes that hash to what it commits, whoever gives them (docs/repair.md)."""

from archiver.repair.run import Repair

__all__ = ["Repair"]
