"""Evidence for one capture: a bundle that proves itself, without the archive (docs/evidence.md)."""
