"""What to save: bytes of a mirror document or of a news page → an Article with its References.

Pure: nothing here reads a file or asks the network. The bytes are hostile, so the reading functions
are made for `archiver.sandbox.Sandbox.call`: module-level, JSON in and out (docs/sources.md).
"""

from archiver.sources.mirror import is_mirror_document, read_document
from archiver.sources.page import read_page

__all__ = ["is_mirror_document", "read_document", "read_page"]
