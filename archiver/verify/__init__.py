"""manifest + stored bytes → Findings. The judge is the manifest and hashlib, never a WARC parser."""

from archiver.verify.run import Verification
from archiver.verify.schedule import Limits

__all__ = ["Limits", "Verification"]
