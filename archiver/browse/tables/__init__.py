"""Datasette's own pages of the catalogue: cells, descriptions, queries, SQL functions, search box, CSV."""
