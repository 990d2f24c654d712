"""WARC/1.1 on disk: write members, read one at its location, walk a file. The only room that knows warcio."""
