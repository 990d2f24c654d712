"""Keys of a person, outside their archives, and signing with them while sealing (docs/keys.md)."""

from archiver.keys.folder import KeyFolder, OwnKey, verifier_key
from archiver.keys.sealing import Signing

__all__ = ["KeyFolder", "OwnKey", "Signing", "verifier_key"]
