"""Mirror documents of the demo's stories, as the mirrors of news feeds write them.

The grammar (docs/sources.md): a comment with the feed's time in milliseconds since 1970 or `NaN`, the title
unescaped, the link, a rule of six hyphens, and the body on one line.
"""

import html
from email.utils import format_datetime

from archiver.demo.stories import STORIES, Photo, Story


def mirror_documents() -> dict[str, bytes]:
    """Name → bytes of one mirror document for each story."""
    return {story.name: _document(story).encode() for story in STORIES}


def _document(story: Story) -> str:
    comment = "NaN" if story.fed is None else str(int(story.fed.timestamp() * 1000))
    return f"<!--{comment}-->\n[{story.title}]({story.url})\n------\n\n{_body(story)}\n"


def _body(story: Story) -> str:
    lead, *rest = story.body
    parts = [f"<div><i>{format_datetime(story.published, usegmt=True)}</i></div>"]
    if isinstance(lead, Photo):
        parts.append(f'<img src="{lead.mirrored}" width="100%">{_caption(lead)}')
    paragraphs: list[str] = []
    for piece in rest:
        if isinstance(piece, str):
            paragraphs.append(html.escape(piece, quote=False))
        else:
            parts += [_run(paragraphs), _inner(piece)]
            paragraphs = []
    parts += [f'<a href="{story.related}"></a>', _run(paragraphs)]
    return "".join(parts)


def _run(paragraphs: list[str]) -> str:
    """Paragraphs between two pictures share one element."""
    return f"<p>{'<br /><br />'.join(paragraphs)}</p>" if paragraphs else ""


def _inner(photo: Photo) -> str:
    alt = html.escape(photo.alt)
    return f'<div ><img  src="{photo.mirrored}" alt="{alt}" border="0"/>{_caption(photo)}</div>'


def _caption(photo: Photo) -> str:
    return f'<div><small style="color: #999;">{html.escape(photo.caption)}</small></div>'
