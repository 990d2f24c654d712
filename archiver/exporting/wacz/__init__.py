"""A WACZ: the package of records, its pages, the proof of its records, and who signed it."""
