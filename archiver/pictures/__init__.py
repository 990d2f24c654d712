"""What the bytes of a picture are and show: recognised by the bytes, decoded safely, compared by pixels.

`fingerprint`, `compare`, `change_map` and `Index` are for use from Python (docs/pictures.md); `Comparison`,
`Box` and `Evidence` are in `archiver.model`. Bytes are decoded in child processes with limits of time and
memory, which are kept between calls.
"""

from typing import TYPE_CHECKING, Any

# first: what imports this submodule later leaves the function of its name alone
from archiver.pictures.fingerprint import Fingerprint

if TYPE_CHECKING:
    from archiver.model import Comparison
    from archiver.pictures.index import Index

__all__ = ["Fingerprint", "Index", "change_map", "compare", "fingerprint"]


def fingerprint(data: bytes) -> Fingerprint:
    """What finds a picture's look-alikes. Raises SandboxError when the bytes cannot be decoded."""
    from archiver.pictures import child  # noqa: PLC0415 - few users of this package need a child process

    return child.fingerprint(data)


def compare(first: bytes, second: bytes) -> "Comparison":
    """What two pictures have to do with each other. Whatever the bytes are, a Comparison comes out."""
    from archiver.pictures import child  # noqa: PLC0415

    return child.compare(first, second)


def change_map(first: bytes, second: bytes) -> bytes:
    """A PNG of the first picture in greys, at most 1600 pixels a side.

    Red is what changed, blue what was laid over, green what the second shows of it. Empty when there is
    nothing to show: the two are the same, no map takes one to the other, or one is undecodable. Raises
    SandboxError when the comparison was stopped.
    """
    from archiver.pictures import child  # noqa: PLC0415

    return child.draw(first, second).png


def __getattr__(name: str) -> Any:
    """`Index` needs numpy: only who asks for it pays for that."""
    if name == "Index":
        from archiver.pictures.index import Index  # noqa: PLC0415

        return Index
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
