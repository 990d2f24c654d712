"""Templates → the pages of a site, whose links are relative: it works below any path, and from a disk."""

from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from archiver.browse import words
from archiver.browse.language import Language

# No script, nothing from elsewhere. From a disk, `'self'` alone matches nothing in some browsers.
POLICY = (
    "default-src 'none'; img-src 'self' file:; style-src 'self' file:; base-uri 'none'; form-action 'none'"
)
_STATIC = files("archiver.browse").joinpath("static")
_STYLES = ("archive.css", "article.css", "site.css")


class Pages:
    """Renders in one language. `shared` is what every template is given besides."""

    def __init__(self, language: Language, **shared: Any) -> None:
        self._environment = Environment(
            loader=PackageLoader("archiver.browse", "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._shared = {
            "words": words,
            "say": language.say,
            "plural": language.plural,
            "lang": language.tag,
            "policy": POLICY,
            **shared,
        }

    def render(self, template: str, up: str, **context: Any) -> bytes:
        """`up` leads from the page's folder to the site's: "" or "../"."""
        made = self._environment.get_template(template).render(self._shared | context | {"up": up})
        return made.encode("utf-8", "replace")


def styles() -> bytes:
    """The one style sheet."""
    return b"\n".join(_STATIC.joinpath(name).read_bytes() for name in _STYLES)


def icon() -> bytes:
    """What a browser shows beside the title."""
    return _STATIC.joinpath("icon.svg").read_bytes()
