"""Figures → SVG pictures, drawn by matplotlib. The same figures give the same bytes.

Nothing of an article gets into a plot but hosts and months, and none of it is read as mathematical text.
"""

import io
import threading
from functools import lru_cache
from typing import Any, Literal

from archiver.browse.data.timeline import Series

Scheme = Literal["light", "dark"]
_CACHED = 64
_INCHES = 9.6, 4.6  # wide, and for a phone
_LABELS = 8, 4  # on the axis of time
_HOST_CHARS = 40, 22
_COLOURS = {  # --soft, --line, --link and --lost of static/archive.css and overview.css
    "light": ("#66645e", "#e5e2da", "#0b5d74", "#d59a5b"),
    "dark": ("#9f9b92", "#34363a", "#7cc4da", "#e0a15c"),
}
_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.size": 11.0,
    "svg.fonttype": "none",
    "svg.hashsalt": "archiver",
    "text.parse_math": False,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_drawing = threading.Lock()  # matplotlib's settings are the process's


@lru_cache(maxsize=_CACHED)
def draw(name: str, series: Series, scheme: Scheme, narrow: bool) -> bytes:
    """The plot of one of timeline.NAMES as SVG, for a wide window or a phone; the first takes a second."""
    import matplotlib as mpl  # noqa: PLC0415 - heavy
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    out = io.BytesIO()
    with _drawing, mpl.rc_context(_SETTINGS):
        tall = 0.9 + 0.32 * len(series.bars) if name == "hosts" else 3.0
        figure = Figure(figsize=(_INCHES[narrow], tall), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        (_across if name == "hosts" else _upright)(axes, series, scheme, narrow)
        _quiet(axes, scheme)
        figure.savefig(out, format="svg", transparent=True, metadata=_NO_METADATA)
    return out.getvalue()


def _upright(axes: Any, series: Series, scheme: Scheme, narrow: bool) -> None:
    """Bars over time, what did not come whole above what did."""
    _, line, main, warn = _COLOURS[scheme]
    places = range(len(series.bars))
    counts = [bar.count for bar in series.bars]
    axes.bar(places, counts, color=main, width=0.8)
    axes.bar(places, [bar.lacking for bar in series.bars], bottom=counts, color=warn, width=0.8)
    every = -(-len(series.bars) // _LABELS[narrow]) or 1
    axes.set_xticks(places[::every], [bar.name for bar in series.bars[::every]])
    axes.grid(axis="y", color=line, linewidth=0.8)
    axes.set_xlim(-0.6, max(5, len(series.bars)) - 0.4)
    _whole_numbers(axes.yaxis)


def _across(axes: Any, series: Series, scheme: Scheme, narrow: bool) -> None:
    """A bar for each host, the largest above."""
    _, line, main, _ = _COLOURS[scheme]
    places = range(len(series.bars))
    axes.barh(places, [bar.count for bar in series.bars], color=main, height=0.7)
    axes.set_yticks(places, [_label(bar.name, _HOST_CHARS[narrow]) for bar in series.bars])
    axes.set_ylim(len(series.bars) - 0.4, -0.6)
    axes.grid(axis="x", color=line, linewidth=0.8)
    _whole_numbers(axes.xaxis)


def _label(host: str, most: int) -> str:
    """A host in the characters of one font, and not longer than there is room."""
    text = host.encode("ascii", "backslashreplace").decode() or "–"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _whole_numbers(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter  # noqa: PLC0415

    axis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=1))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _quiet(axes: Any, scheme: Scheme) -> None:
    ink, line, *_ = _COLOURS[scheme]
    axes.set_axisbelow(True)
    axes.tick_params(colors=ink, length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("bottom", "left"))
        spine.set_color(line)
