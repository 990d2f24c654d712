"""The commitment: record lists, the tree over all members, checkpoints, manifest.json (docs/manifest.md)."""
