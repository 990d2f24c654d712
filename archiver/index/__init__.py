"""WARC → catalogue, by the one reader that also writes the record lists."""
