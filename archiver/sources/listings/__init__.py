"""Feeds, sitemaps, OPML and lists → a Listing."""
