"""A small news site and a picture proxy on loopback: a world to archive offline (docs/demo.md)."""
