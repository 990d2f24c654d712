"""Asking others for the time: authorities of timestamps, calendars, a public value (docs/timestamps.md)."""

from archiver.stamping.asking import Stamping, ask_for_token

__all__ = ["Stamping", "ask_for_token"]
