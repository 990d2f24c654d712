"""manifest + stored bytes → Findings. The judge is the manifest and hashlib, never a WARC parser."""

from archiver.verify.run import Verification
from archiver.verify.schedule import Limits
from archiver.verify.trust import Trust

__all__ = ["Limits", "Trust", "Verification"]
