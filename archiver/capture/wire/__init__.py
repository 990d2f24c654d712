"""One request and its answer, byte for byte: guarded, bounded, recorded."""
