"""WACZ files judged: the ZIP, what it says of itself, index, pages, signature, and a proof of ours."""
