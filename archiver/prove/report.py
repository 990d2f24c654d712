"""The report of a bundle for people: one HTML page that prints well, in English and Chinese.

Everything in it that comes from a record is hostile text: escaped, and what changes the direction of
writing made visible. No script, nothing from elsewhere; pictures are re-encoded by us.
"""

import base64
import html
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template

from archiver.manifest.manifest import Checkpoint
from archiver.model import Article, ArticleNote, FetchNote
from archiver.prove import verify
from archiver.prove.exhibits import Exhibit, Print
from archiver.sandbox import Sandbox
from archiver.warc.warcinfo import values

PRINTS = 300  # pictures shown; the rest are only named
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_FORMS = {
    "proxied": "as an image proxy served it 图片代理提供",
    "origin": "from the publisher 发布者提供",
    "rendition": "another size from the publisher 发布者的另一尺寸",
    "memento": "another archive's copy 其他存档的副本",
}
_OPENSSL_TS = (
    "openssl ts -verify -in timestamps/{0}.tsr -data timestamps/{0}.txt -CAfile timestamps/roots.pem"
)
# The DER before an Ed25519 key (RFC 8410, section 4), as octal escapes that every printf knows.
_OPENSSL_KEY = r"""head -n 3 checkpoint.txt > note.txt
sed -n 5p checkpoint.txt | cut -d' ' -f3 | base64 -d | tail -c 64 > signature.bin
printf '\060\052\060\005\006\003\053\145\160\003\041\000' > key.der
head -n 1 keys.txt | cut -d+ -f3- | base64 -d | tail -c 32 >> key.der
openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in note.txt -sigfile signature.bin"""


_HEADS = (
    '<th>Date <span lang="zh">时间</span></th><th>Address <span lang="zh">网址</span></th>'
    '<th>How <span lang="zh">方式</span></th>'
)


@dataclass(frozen=True)
class Case:
    """What the report tells of. `root`: of the checkpoint's tree, which has `size` records."""

    subject: str
    origin: str
    size: int
    root: bytes
    checkpoint: Checkpoint
    keys: Sequence[str]
    exhibits: Sequence[Exhibit]


def shown(text: object) -> str:
    """Text of others as HTML: escaped, and characters that are not seen made visible."""
    escaped = html.escape(str(text))
    return _UNSEEN.sub(lambda found: f'<b class="mark">U+{ord(found[0]):04X}</b>', escaped)


def write_report(case: Case, sandbox: Sandbox) -> bytes:
    """The page, UTF-8."""
    prints = _prints(case.exhibits, sandbox)
    dates = sorted(exhibit.date for exhibit in case.exhibits)
    stamps = list(_stamps(case.checkpoint))
    signers = [line.split(" ")[1] for line in case.checkpoint.signatures]
    names = ", ".join(map(shown, signers))
    times = ", ".join(f"{shown(when)} ({shown(who)})" for when, who in stamps)
    first = f"{shown(min(stamps)[0])}" if stamps else ""
    template = Template(files("archiver.prove").joinpath("report.html").read_text("utf-8"))
    numbers = [n for n, stamp in enumerate(case.checkpoint.timestamps, 1) if stamp.kind == "rfc3161"]
    page = template.substitute(
        subject=shown(case.subject),
        origin=shown(case.origin),
        size=case.size,
        root=case.root.hex(),
        records=len(case.exhibits),
        pictures=len(prints),
        first=shown(dates[0]),
        last=shown(dates[-1]),
        software=_warcinfo(case.exhibits, "software"),
        agent=_warcinfo(case.exhibits, "http-header-user-agent"),
        since_en=f"They have been unaltered since {first}, as a time authority attests."
        if stamps
        else "They have been unaltered since the checkpoint was made; no authority attests when that was.",
        since_zh=f"时间戳机构证明：自 {first} 起未经改动。"
        if stamps
        else "自检查点生成以来未经改动。没有机构证明检查点生成于何时。",
        signed_en=f"The checkpoint is signed by {names}." if signers else "The checkpoint has no signature.",
        signed_zh=f"检查点由 {names} 签名。" if signers else "检查点没有签名。",
        stamped_en=f"Attested by authorities: {times}." if stamps else "No authority attests a time.",
        stamped_zh=f"机构证明的时间：{times}。" if stamps else "没有机构证明的时间。",
        openssl_ts="\n".join(map(_OPENSSL_TS.format, numbers)) or "(no timestamp 没有时间戳)",
        openssl_key=html.escape(_OPENSSL_KEY) if signers else "(no signature 没有签名)",
        cards="\n".join(_cards(case.exhibits, prints)) or "<p>–</p>",
        answers="\n".join(_answers(case.exhibits, prints.keys())),
        rows="\n".join(map(_row, case.exhibits)),
        checkpoint=shown(case.checkpoint.note + "\n" + "\n".join(case.checkpoint.signatures)),
        keys=shown("\n".join(case.keys)) or "–",
    )
    return page.encode()


def _stamps(made: Checkpoint) -> Iterator[tuple[str, str]]:
    """Of each RFC 3161 token its time, and whose it is. What cannot be read is left to the verifier."""
    for stamp in made.timestamps:
        if stamp.kind == "rfc3161":
            try:
                _, when, who = verify.token(base64.b64decode(stamp.token))
            except (verify.Wrong, ValueError, IndexError):
                continue
            yield f"{when:%Y-%m-%dT%H:%M:%SZ}", f"{who}, {stamp.authority}"


def _warcinfo(exhibits: Sequence[Exhibit], field: str) -> str:
    """What the warcinfo records say in a field, as HTML; each value once."""
    said = (values(each.record.block, field) for each in exhibits if each.record.type == "warcinfo")
    return ", ".join(dict.fromkeys(shown(value) for found in said for value in found)) or "–"


def _prints(exhibits: Sequence[Exhibit], sandbox: Sandbox) -> dict[str, Print | str]:
    """Each different picture by its payload's digest: made small, or why it is not shown."""
    prints: dict[str, Print | str] = {}
    for exhibit in exhibits:
        digest = exhibit.payload
        if exhibit.record.type in ("response", "resource") and digest and digest not in prints:
            made = exhibit.print(sandbox) if len(prints) < PRINTS else f"only the first {PRINTS} are shown"
            if made is not None:
                prints[digest] = made
    return prints


def _cards(exhibits: Sequence[Exhibit], prints: dict[str, Print | str]) -> Iterator[str]:
    """A card for each picture, with every capture of it."""
    told = _Told(exhibits)
    for digest, made in prints.items():
        captures = [each for each in exhibits if each.payload == digest]
        size = next(len(each.record.payload) for each in captures if each.record.type != "revisit")
        image, what = "", f"cannot be shown 无法显示: {shown(made)}"
        if isinstance(made, Print):
            image = f'<img alt="" src="data:image/jpeg;base64,{made.jpeg}">'
            what = f"{shown(made.format)}, {made.width} × {made.height} pixels as stored 像素（存储时）"
        said = "".join(f"<p>{line}</p>" for line in dict.fromkeys(told.captions(captures)))
        rows = "".join(map(told.capture, captures))
        yield (
            f'<div class="card">{image}{said}<p>{what}; {size:,} bytes 字节</p>'
            f'<p class="mono">{shown(digest)}</p><table><tr>{_HEADS}</tr>{rows}</table></div>'
        )


class _Told:
    """What notes say of captures: for which article they were made, and under which form."""

    def __init__(self, exhibits: Sequence[Exhibit]) -> None:
        self._fetches: dict[str, FetchNote] = {}
        self._articles: dict[str, Article] = {}
        for exhibit in exhibits:
            note = exhibit.note
            if isinstance(note, FetchNote):
                self._fetches.update({hop.response: note for hop in note.hops if hop.response})
            elif isinstance(note, ArticleNote):
                self._articles[exhibit.entry.id] = note.article

    def captions(self, captures: Sequence[Exhibit]) -> Iterator[str]:
        """In which articles the picture stood, with the caption there."""
        for each in captures:
            fetch = self._fetches.get(each.entry.id)
            article = self._articles.get(fetch.article or "") if fetch else None
            if fetch and article:
                wanted = [one for one in article.references if one.number in fetch.references]
                caption = next((one.caption or one.alt for one in wanted if one.caption or one.alt), "")
                yield (
                    f"In the article 文章: <strong>{shown(article.title)}</strong>"
                    + (f" <span class='small'>{shown(article.url)}</span>" if article.url else "")
                    + (f"<br>Caption 说明: {shown(caption)}" if caption else "")
                )

    def capture(self, exhibit: Exhibit) -> str:
        """A row of a picture's captures."""
        fetch, record = self._fetches.get(exhibit.entry.id), exhibit.record
        repeats, server = record.type == "revisit", record.get("warc-ip-address")
        words = (
            _FORMS.get(fetch.form or "") if fetch else "",
            f"HTTP {exhibit.status}" if exhibit.status else "",
            "repeats an earlier answer 与先前应答相同" if repeats else "",
            "the transfer was cut 传输中断" if record.get("warc-truncated") and not repeats else "",
            f"server 服务器 {shown(server)}" if server else "",
        )
        return _tr(shown(exhibit.date), shown(exhibit.uri), "; ".join(filter(None, words)))


def _answers(exhibits: Sequence[Exhibit], pictures: Collection[str]) -> Iterator[str]:
    """A row for each answer and source that is no picture."""
    for each in exhibits:
        if each.payload and each.payload not in pictures:
            mime = each.record.http.media_type if each.record.http else each.record.get("content-type")
            yield _tr(*map(shown, (each.date, each.uri, each.status or "–", mime or "–", each.payload)))


def _row(exhibit: Exhibit) -> str:
    what = f'{shown(exhibit.uri or exhibit.entry.id)}<br><span class="small">{shown(exhibit.role)}</span>'
    return _tr(shown(exhibit.date), str(exhibit.leaf), what, shown(exhibit.entry.digest))


def _tr(*cells: str) -> str:
    """A row of cells that are HTML; the first is a date."""
    first, *rest = cells
    return f'<tr><td class="date">{first}</td>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
