"""From the world to WARC: exact bytes on the wire, and which addresses may be asked."""
