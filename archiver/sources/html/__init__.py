"""What documents, pages and feeds share: bytes of HTML → text in reading order, and pictures."""
