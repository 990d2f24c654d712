"""The archiver."""

__version__ = "0.1.0"
