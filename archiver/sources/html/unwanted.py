"""Which pictures are kept as a claim and not fetched: tracking pixels, spacers, icons.

A real picture must never be set aside, so each rule wants what no photograph has.
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote

PIXEL_SIDE = 2  # declared sides up to this are a tracking pixel's
ICON_SIDE = 32
SHOWN_SIDE = 200  # both declared sides from this on are a picture's that is meant to be seen

# Hosts (with all below them) and the beginning of the path there, from the vendors' own instructions for the
# snippet or from EasyPrivacy and DuckDuckGo's Tracker Radar, which list them.
_TRACKERS = (
    ("scorecardresearch.com", ("/",)),
    ("quantserve.com", ("/pixel",)),
    ("facebook.com", ("/tr",)),
    ("pixel.wp.com", ("/",)),
    ("stats.wordpress.com", ("/",)),
    ("google-analytics.com", ("/",)),
    ("doubleclick.net", ("/",)),
    ("googleadservices.com", ("/",)),
    ("googletagmanager.com", ("/",)),
    ("ads.linkedin.com", ("/",)),
    ("bat.bing.com", ("/",)),
    ("analytics.google.com", ("/",)),
    ("analytics.twitter.com", ("/",)),
    ("t.co", ("/i/adsct",)),
    ("ct.pinterest.com", ("/",)),
    ("tr.snapchat.com", ("/",)),
    ("sp.analytics.yahoo.com", ("/",)),
    ("mc.yandex.ru", ("/watch",)),
    ("counter.yadro.ru", ("/",)),
    ("top-fwz1.mail.ru", ("/",)),
    ("hm.baidu.com", ("/",)),
    ("c.cnzz.com", ("/",)),
    ("mmstat.com", ("/",)),
    ("imrworldwide.com", ("/",)),
    ("xiti.com", ("/",)),
    ("ati-host.net", ("/",)),
    ("et.nytimes.com", ("/",)),
    ("logx.optimizely.com", ("/",)),
    ("ivwbox.de", ("/",)),
    ("met.vgwort.de", ("/",)),
    ("c.statcounter.com", ("/",)),
    ("amazon-adsystem.com", ("/e/", "/x/")),
    ("assoc-amazon.com", ("/e/",)),
    ("krxd.net", ("/",)),
    ("demdex.net", ("/",)),
    ("2o7.net", ("/",)),
    ("omtrdc.net", ("/",)),
    ("ping.chartbeat.net", ("/",)),
    ("trc.taboola.com", ("/",)),
    ("feeds.feedburner.com", ("/~r/", "/~ff/")),
    ("feedsportal.com", ("/",)),
    ("rss.nytimes.com", ("/c/",)),
    ("pixel.propublica.org", ("/",)),
    ("counter.theconversation.com", ("/",)),
    ("counter.theconversation.edu.au", ("/",)),
)
# Tracking software that publishers run on their own hosts: Matomo (Piwik), Adobe Analytics, AT Internet,
# Newspack's counter of republished articles.
_TRACKER_PATHS = re.compile(
    r"/(?:piwik|matomo)\.php\b|/b/ss/[\w,.-]++/\d|/hit\.xiti\b|[?&](?:republication-pixel|rec=1&idsite)\b"
)
_HOST = re.compile(r"(?://|[=/?&])((?:[\w-]{1,63}\.){1,8}[a-z]{2,18})(?::\d{1,5})?(/[^?#]{0,50}|(?=[?#])|\Z)")

# Whole names of files that hold a page's columns apart or wait for the real picture.
_SPACER = re.compile(
    r"(?:spacer|blank|pixel|transparent|clear|clearpixel|empty|shim|trans|1x1|1px|grey|dot|cleardot|s)"
    r"(?:[-_.]?(?:1x1|1px|\d{1,2}))?\.(?:gif|png|svg)|"
    r"(?:ajax-?|player-|lazy-?)?(?:loader|loading|spinner|placeholder)\.(?:gif|svg|png)",
    re.IGNORECASE,
)
_EMOJI = re.compile(
    r"//(?:s\.w\.org/images/core/emoji/|s0\.wp\.com/wp-content/mu-plugins/wpcom-smileys/"
    r"|(?:twemoji\.maxcdn\.com|abs(?:-\d)?\.twimg\.com/emoji)/|static\.xx\.fbcdn\.net/images/emoji\.php/"
    r"|(?:cdn\.jsdelivr\.net|cdnjs\.cloudflare\.com)/[^?#]{0,40}twemoji|face\.t\.sinajs\.cn/)"
)
_EMOJI_CLASSES = frozenset(("emoji", "wp-smiley", "twemoji"))
_PHOTOGRAPH = re.compile(r"\.(?:jpe?g|webp|avif|heic|svg)\Z", re.IGNORECASE)  # no pixel is served as one

_LENGTH = re.compile(r"\s{0,9}(\d{1,5})(?:\.\d{0,9})?\s{0,9}(?:px)?\s{0,9}\Z")
_STYLE_SIDE = re.compile(r"(?:^|[;\s])(width|height)\s{0,9}:\s{0,9}(\d{1,5})(?:\.\d{0,9})?px", re.IGNORECASE)
_STYLE_HIDDEN = re.compile(r"(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden)", re.IGNORECASE)
_STYLE_FLUID = re.compile(r"(?:width\s{0,9}:\s{0,9}100%|aspect-ratio|object-fit)", re.IGNORECASE)
# Small sides that are a ratio, of which the browser keeps the place free.
_RATIOS = frozenset(
    ((16, 9), (9, 16), (4, 3), (3, 4), (3, 2), (2, 3), (16, 10), (10, 16), (5, 4), (4, 5), (21, 9), (5, 3))
)
_STYLE_CHARS = 2_000


def by_url(url: str) -> str:
    """Why a picture of this URL, canonical or in a proxy's, is unwanted, or ""."""
    if _EMOJI.search(url):
        return "icon: emoji"
    plain = unquote(url[:2_000]) if "%" in url else url[:2_000]
    if _TRACKER_PATHS.search(plain):
        return "tracker: path of tracking software"
    for found in _HOST.finditer(plain):
        host, path = f".{found[1].lower()}", found[2] or "/"
        for tracker, paths in _TRACKERS:
            if host.endswith(f".{tracker}") and any(_is_below(path, beginning) for beginning in paths):
                return f"tracker: host {tracker}"
    if _SPACER.fullmatch(url.partition("?")[0].rpartition("/")[2]):
        return "spacer"
    return ""


def by_element(attributes: Mapping[str, str | None], url: str, *, late: bool) -> str:
    """Why the picture of an element with these attributes, or of this URL, is unwanted, or "".

    `late`: the element has a srcset or names pictures to be loaded late. Then its declared size is that of
    a stand-in or a ratio.
    """
    sides = _sides(attributes)
    shown = not late and len(sides) == 2 and min(sides.values()) >= SHOWN_SIDE
    why = by_url(url)
    if why and not (shown and why == "spacer"):
        return why
    if _EMOJI_CLASSES.intersection((attributes.get("class") or "")[:_STYLE_CHARS].split()):
        return "icon: emoji"
    if late or "sizes" in attributes or "layout" in attributes:
        return ""
    style = (attributes.get("style") or "")[:_STYLE_CHARS]
    if _PHOTOGRAPH.search(url.partition("?")[0]):
        return _small(sides, style, PIXEL_SIDE + 1)
    if not shown and ("hidden" in attributes or _STYLE_HIDDEN.search(style)):
        return "tracking pixel: hidden"
    return _small(sides, style, 0)


def _is_below(path: str, beginning: str) -> bool:
    """`/tr?id=1` and `/tr/` are below `/tr`; `/trending.jpg` is not."""
    rest = path[len(beginning) :]
    return path.startswith(beginning) and not (beginning[-1].isalnum() and rest[:1].isalnum())


def _sides(attributes: Mapping[str, str | None]) -> dict[str, int]:
    """The declared width and height in pixels; what the style says comes first."""
    style = (attributes.get("style") or "")[:_STYLE_CHARS]
    sides = {name.lower(): int(side) for name, side in _STYLE_SIDE.findall(style)}
    for name in ("width", "height"):
        if found := _LENGTH.match(attributes.get(name) or ""):
            sides.setdefault(name, int(found[1]))
    return sides


def _small(sides: Mapping[str, int], style: str, least: int) -> str:
    """What the declared size says, where both sides are and the larger is `least` or more."""
    if len(sides) < 2 or _STYLE_FLUID.search(style) or max(sides.values()) < least:
        return ""
    width, height = sides["width"], sides["height"]
    if max(width, height) <= PIXEL_SIDE:
        return f"tracking pixel: {width}x{height}"
    if max(width, height) <= ICON_SIDE and (width, height) not in _RATIOS and min(width, height) > PIXEL_SIDE:
        return f"icon: {width}x{height} declared"
    return ""
