"""A live page of HTML → an Article, or the Listing of its links."""
