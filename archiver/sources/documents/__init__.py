"""A mirror document → an Article."""
