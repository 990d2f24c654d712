"""Asking others for the time: authorities of timestamps, calendars, a public value (docs/timestamps.md)."""

from archiver.stamping.asking import Stamping

__all__ = ["Stamping"]
