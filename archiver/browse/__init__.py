"""Datasette over the catalogue, with pages of our own beside its tables (docs/browsing.md, ADR 0014).

`server.py` builds and serves it; `plugin.py` has its hooks. A page of ours is in `pages/`, `data/` and
`templates/`; what it reads from the archive's files comes through `disk/`. `tables/` is for Datasette's own
pages. Every answer leaves through `render.py` and `guard.py`.
"""
