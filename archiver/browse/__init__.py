"""Datasette over the catalogue: articles as pages, pictures cut from the WARC (docs/browsing.md)."""
