"""Claims held against each other: the times of an article, the text of a mirror and of its page. Pure."""
