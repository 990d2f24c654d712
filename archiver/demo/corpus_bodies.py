"""The bodies of the corpus: HTML as seven publishers' feeds give it, and Markdown."""

import html
from email.utils import format_datetime

from archiver.demo.corpus_draft import Draft
from archiver.demo.corpus_pictures import HTML_FORMS, Shown, figure, inner, lead
from archiver.demo.corpus_words import clause, paragraph, person

MENTION = "@harbour"


def story(draft: Draft) -> str:
    """Paragraphs, headings, lists, pictures and what only looks like them, in any order."""
    parts: list[str] = []
    for _ in range(draft.chance.randint(2, 9)):
        parts.append(_passage(draft))
        if draft.chance.random() < 0.35:
            parts.append(draft.picture(draft.chance.choice(HTML_FORMS)))
        if draft.chance.random() < 0.12:
            parts.append(draft.decoy())
    return "".join(parts)


def _passage(draft: Draft) -> str:
    kind = draft.chance.random()
    if kind < 0.4:
        return f"<p>{draft.paragraph()}</p>"
    if kind < 0.7:
        return f"<p>{'<br /><br />'.join(draft.paragraph() for _ in range(draft.chance.randint(2, 4)))}</p>"
    if kind < 0.8:
        return f'<h2 tabindex="-1">{draft.paragraph()}</h2><p>{draft.paragraph()}</p>'
    if kind < 0.86:
        items = [f'<li role="listitem"><a href="/a/1.html">{draft.paragraph()}</a></li>' for _ in range(3)]
        return f"<ul>{''.join(items)}</ul>"
    if kind < 0.92:
        return f"<blockquote><p>{draft.paragraph()}</p></blockquote>"
    return f'<a href="/a/7317251.html"></a><p><strong>{draft.paragraph()}</strong></p>'


def _plain_story(draft: Draft) -> str:
    dated = draft.claim("printed", format_datetime(draft.when, usegmt=True), draft.when)
    return f"<div><i>{dated}</i></div>{draft.picture(lead)}{story(draft)}"


def _signed_story(draft: Draft) -> str:
    stamp = f"{draft.when:%Y-%m-%dT%H:%M:%S}.243Z"
    draft.times.append(("printed", stamp, stamp))
    if draft.chance.random() < 0.5:
        draft.authors = (person(draft.chance, draft.language),)
    by = html.escape("".join(draft.authors))
    top = f"<div><i>{by}<br>{stamp}</i></div>{draft.picture(lead)}{story(draft)}"
    said = draft.said(clause(draft.chance, draft.language))
    return f'{top}<p><a href="https://api.news.example/article/71562126" rel="ArticleRef">{said}</a></p>'


def _addressed_story(draft: Draft) -> str:
    draft.authors = (person(draft.chance, draft.language),)
    stamp = draft.claim("printed", f"{draft.when:%Y-%m-%d %H:%M:%S}", None)
    time = f'<time pudate="{stamp}" datetime="{stamp}">{draft.when:%Y年%m月%d日}</time>'
    top = f"<address>{html.escape(draft.authors[0])}</address>{time}{draft.picture(figure)}"
    return f"{top}<section>{story(draft)}</section><footer><p>{draft.paragraph()}</p></footer>"


def _broadcast_story(draft: Draft) -> str:
    day = draft.claim("printed", f"{draft.when:%Y-%m-%d}", None)
    time = f'<div class="StyledTimestamp"><time dateTime="{day}" class="iENDai">19 分钟前</time></div>'
    return f'<main role="main"><div class="Grid"></div>{time}{story(draft)}</main>'


def _local_story(draft: Draft) -> str:
    day = draft.claim("printed", f"{draft.when:%d/%m/%Y - %H:%M}", None)
    share = '<a href="https://www.facebook.com/dialog/share?app_id=1&amp;locale=zh_CN"><span></span></a>'
    rest = (
        f'<div>{share}<span data-root-share><share-button v-on:open="openModal"></share-button></span></div>'
    )
    return f"<div>{day}</div>{draft.picture(inner)}<div>{story(draft)}</div>{rest}"


STORIES = (
    _plain_story,
    _plain_story,
    _signed_story,
    _addressed_story,
    _broadcast_story,
    _local_story,
    story,
)


# --- Markdown -----------------------------------------------------------------------------------


def markdown(draft: Draft) -> str:
    """A body in Markdown, with pictures in each way that it has."""
    parts: list[str] = []
    definitions: list[str] = []
    for _ in range(draft.chance.randint(3, 9)):
        parts.append(_markdown_passage(draft))
        if draft.chance.random() < 0.4:
            parts.append(_markdown_picture(draft, definitions))
        if draft.chance.random() < 0.15:
            parts.append(_markdown_decoy(draft))
    return "\n\n".join([*parts, *definitions])


def _markdown_text(draft: Draft) -> str:
    text = paragraph(draft.chance, draft.language)
    if draft.chance.random() < 0.1:
        text += draft.chance.choice(
            (f" {MENTION}", " desk@news.example", " https://www.news.example/@desk/1")
        )
    draft.texts.append(text)
    return text.replace("&", "&amp;").replace("-", "\\-")


def _markdown_passage(draft: Draft) -> str:
    kind = draft.chance.random()
    text = _markdown_text(draft)
    if kind < 0.15:
        return f"## {text}"
    if kind < 0.25:
        return f"*   {text}\n*   {_markdown_text(draft)}"
    if kind < 0.35:
        return f"> {text}"
    return f"**{text}**" if kind < 0.4 else text


def _markdown_picture(draft: Draft, definitions: list[str]) -> str:
    shown = draft.address()
    alt = clause(draft.chance, draft.language) if draft.chance.random() < 0.7 else ""
    draft.show(Shown("", [("img-src", shown)], alt))
    kind = draft.chance.random()
    label = alt.replace("&", "&amp;")
    if kind < 0.5:
        return f"![{label}]({shown.written})"
    if kind < 0.6:
        return f'![{label}](<{shown.written}> "{clause(draft.chance, draft.language)}")'
    if kind < 0.7:
        return f"[![{label}]({shown.written})](https://www.news.example/a/1.html)"
    if kind < 0.85:
        definitions.append(f"[p{len(definitions)}]: {shown.written}")
        return f"![{label}][p{len(definitions) - 1}]"
    return f'<p><img src="{html.escape(shown.written)}" alt="{html.escape(alt)}"></p>'


def _markdown_decoy(draft: Draft) -> str:
    link = f"https://pictures.news.example/decoy-{draft.chance.getrandbits(32):x}.jpg"
    kind = draft.chance.random()
    if kind < 0.3:
        draft.texts.append(f"![a]({link})")
        return f"```\n![a]({link})\n```"
    if kind < 0.6:
        draft.texts.append(f'<img src="{link}">')
        return f'`<img src="{link}">`'
    draft.texts.append("!a")
    return f"\\![a]({link})"
