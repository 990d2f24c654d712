"""Mend an archive by bytes that hash to what it commits, whoever gives them (docs/repair.md)."""

from archiver.repair.opening import protect, repair

__all__ = ["protect", "repair"]
