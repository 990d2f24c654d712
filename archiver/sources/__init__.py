"""What to save: bytes of a document, page, feed, sitemap or list → an Article or a Listing.

Pure: nothing here reads a file or asks the network. The bytes are hostile, so the reading functions
are made for `archiver.sandbox.Sandbox.call`: module-level, JSON in and out (docs/sources.md).
"""

from archiver.sources.documents.mirror import is_mirror_document, read_document
from archiver.sources.listings.listing import read_listing
from archiver.sources.pages.links import read_links
from archiver.sources.pages.page import read_page
from archiver.sources.recognise import recognise

__all__ = ["is_mirror_document", "read_document", "read_links", "read_listing", "read_page", "recognise"]
