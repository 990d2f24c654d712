"""Evidence for one capture: a bundle that proves without this software what the archive held (docs/evidence.md)."""
