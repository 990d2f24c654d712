"""What the demo's news site tells: three invented stories, with the pictures that belong to them."""

from dataclasses import dataclass
from datetime import UTC, datetime

NEWS = "www.news.example"
PICTURES = "pictures.news.example"
PROXY = "images.weserv.example"


def upload_name(when: datetime, node: str = "0a00") -> str:
    """A picture's name as the Pangea system gives it: a GUID that holds the time of the upload.

    The last group followed by the fourth is the count of 100 ns since 0001-01-01 in hexadecimal.
    """
    since = when - datetime(1, 1, 1, tzinfo=UTC)
    ticks = f"{(since.days * 86_400 + since.seconds) * 10_000_000 + since.microseconds * 10:016x}"
    return f"01000000-{node}-0242-{ticks[12:]}-{ticks[:12]}"


FERRY = upload_name(datetime(2015, 3, 14, 9, 5, 7, 970_000, UTC))
STREET = upload_name(datetime(2015, 3, 14, 9, 5, 7, 781_000, UTC), "c0a8")
BRIDGE = upload_name(datetime(2015, 3, 14, 9, 6, 41, 250_000, UTC), "0aff")  # gone from the site
READING_ROOM = upload_name(datetime(2015, 4, 2, 15, 40, 12, 500_000, UTC))
SPEECH = upload_name(datetime(2015, 4, 2, 15, 41, 3, 125_000, UTC), "c0a8")
FOUNTAIN = upload_name(datetime(2015, 4, 2, 15, 42, 30, 0, UTC), "0aff")  # gone from the site
MARSH = upload_name(datetime(2015, 5, 9, 6, 30, 55, 640_000, UTC))
ROUTE_MAP = "/pictures/ferry-route.png"  # on the news host itself
PLACEHOLDER = "placeholder.png"


@dataclass(frozen=True)
class Photo:
    """A picture in a story: `shown` is the page's src, `mirrored` the mirror document's."""

    shown: str
    mirrored: str
    alt: str
    caption: str
    srcset: str = ""


@dataclass(frozen=True)
class Story:
    """An article. Its first photo leads."""

    name: str  # of its mirror document
    path: str
    language: str
    title: str
    section: str
    author: str
    published: datetime
    modified: datetime
    fed: datetime | None  # the feed's time, which the mirror keeps; None where it was unreadable
    photos: tuple[Photo, ...]
    text: str  # paragraphs between empty lines; `[photo]` is the place of the next photo
    related: str  # path of another story

    @property
    def url(self) -> str:
        return f"http://{NEWS}{self.path}"

    @property
    def body(self) -> tuple[str | Photo, ...]:
        """Paragraphs and photos in reading order."""
        photos = iter(self.photos)
        pieces = (" ".join(piece.split("\n")) for piece in self.text.strip().split("\n\n"))
        return tuple(next(photos) if piece == "[photo]" else piece for piece in pieces)


def _picture(name: str) -> str:
    return f"http://{PICTURES}/{name}"


def _proxied(name: str) -> str:
    """As the mirrors write it: no slash before the question mark, no scheme after it."""
    return f"http://{PROXY}?url={PICTURES}/{name}"


_FERRY_STORY = Story(
    name="harbour-ferry.zh.md",
    path="/a/new-ferry-halves-the-way-across-the-bay-20150314/7400001.html",
    language="zh-Hans",
    title="“海鸥号”渡轮启航，澄湾两岸通勤时间缩短一半",
    section="本地",
    author="林若溪",
    published=datetime(2015, 3, 14, 9, 25, 56, tzinfo=UTC),
    modified=datetime(2015, 3, 14, 11, 2, 10, tzinfo=UTC),
    fed=datetime(2015, 3, 14, 9, 39, 4, tzinfo=UTC),
    photos=(
        Photo(
            shown=_picture(f"{FERRY}_w1200.jpg"),
            mirrored=_proxied(f"{FERRY}_cx28_cy30_cw70_r1_w900.jpg"),
            alt="傍晚的澄湾港，一艘白色渡轮正驶离码头",
            caption="新渡轮“海鸥号”傍晚驶离澄湾港北岸码头。（2015年3月14日）",
            srcset=f"{_picture(f'{FERRY}_w600.jpg')} 600w, {_picture(f'{FERRY}_w1200.jpg')} 1200w",
        ),
        Photo(
            shown=_picture(f"{STREET}_w1200.jpg"),
            mirrored=_proxied(f"{STREET}_w1200.jpg"),
            alt="雨后的码头路，电车轨道两旁亮着路灯",
            caption="通往北岸码头的电车将与渡轮时刻衔接。",
        ),
        Photo(
            shown=ROUTE_MAP,
            mirrored=ROUTE_MAP,
            alt="渡轮航线示意图",
            caption="渡轮航线示意图：虚线为北岸码头至南屿的新航线。",
        ),
        Photo(
            shown=_picture(f"{BRIDGE}_w900.jpg"),
            mirrored=_proxied(f"{BRIDGE}_w900.jpg"),
            alt="乘客走过新建的登船桥",
            caption="首批乘客走过新建的登船桥。",
        ),
    ),
    text="""
[photo]

澄湾市的新渡轮“海鸥号”周六（3月14日）清晨首航。从北岸码头到南屿，原来要坐四十分钟的老船，现在只需十九分钟。

首班船六点半开出，船上两百六十个座位坐了八成。家住南屿的小学教师周敏说，她以前天不亮就得出门，“今天居然还来得及在码头吃一碗馄饨”。

渡轮公司介绍，“海鸥号”由电池驱动，靠岸上下客的八分钟里就能补足一个单程的电量。船身比旧船宽一米半，风浪大时更平稳，轮椅和婴儿车可以直接推上甲板。

[photo]

交通部门同时调整了码头路电车的时刻表，每班船靠岸后五分钟内都有一班电车发出。月票持有人换乘不再另外收费，单程票价维持三元不变。

[photo]

不过，也有人舍不得旧船。在北岸码头卖了二十年报纸的老郭说，旧船的汽笛声一响，整条街都知道该开门了。公司回应说，“海鸥号”保留了同样音调的汽笛，每天早晚各鸣一次。

[photo]

第二艘同型渡轮预计今年秋天交付。届时高峰时段的发船间隔将从二十分钟缩短到十二分钟，末班船也会延长到晚上十一点。
""",
    related="/a/7400002.html",
)

_LIBRARY_STORY = Story(
    name="library-opening.en.md",
    path="/a/7400002.html",
    language="en",
    title="Old customs house opens again as a public library",
    section="Culture",
    author="Ada Merrow",
    published=datetime(2015, 4, 2, 16, 0, 30, tzinfo=UTC),
    modified=datetime(2015, 4, 3, 7, 15, 0, tzinfo=UTC),
    fed=datetime(2015, 4, 2, 16, 21, 45, tzinfo=UTC),
    photos=(
        Photo(
            shown=_picture(f"{READING_ROOM}_w1200.webp"),
            mirrored=_proxied(f"{READING_ROOM}_w1200.webp"),
            alt="A reading room with three tall windows and full shelves",
            caption="The reading room under the old clock hall, an hour before the doors opened.",
        ),
        Photo(
            shown=_picture(f"{SPEECH}_w1200.jpg"),
            mirrored=_proxied(f"{SPEECH}_w1200.jpg"),
            alt="A speaker at a wooden stand before a red curtain",
            caption="The mayor kept her speech to four minutes & promised longer opening hours.",
        ),
        Photo(
            shown=_picture(f"{FERRY}_w1200.jpg"),
            mirrored=_proxied(f"{FERRY}_w1200.jpg"),
            alt="A ferry in the harbour at dusk",
            caption="The view from the upper gallery: the ferry that began its service in March.",
        ),
        Photo(
            shown=_picture(f"{FOUNTAIN}_w900.jpg"),
            mirrored=f"{_proxied(f'{FOUNTAIN}_w900.jpg')}&default={PICTURES}/{PLACEHOLDER}",
            alt="The restored fountain in the courtyard",
            caption="The restored fountain in the courtyard.",
        ),
    ),
    text="""
[photo]

For eleven years the customs house on Harbour Street stood empty. On Thursday its doors opened
again, and by noon more than nine hundred people had walked through what is now Saltmere’s public
library.

The long counters where captains once declared salt and timber have become reading tables. The
strong room in the cellar, with walls a metre thick, holds the town’s newspapers back to 1874.

[photo]

“We did not build a quiet museum,” the mayor said at the opening. “There is a room for homework, a
room for sewing machines and a room in which you may talk as loudly as you like.”

The library lends books without a fee and without a limit of time; whoever keeps one for longer than
a month gets a friendly letter. Fines were dropped after a trial in which more books came back, not
fewer.

[photo]

The upper gallery looks over the harbour. Its window seats were the first places taken, and a list
for them now hangs at the entrance: half an hour for each reader, longer when it rains.

[photo]

Work on the courtyard will go on until summer. The library is open every day from eight to ten, on
Sundays from noon.
""",
    related="/a/new-ferry-halves-the-way-across-the-bay-20150314/7400001.html",
)

_MARSH_STORY = Story(
    name="crane-count.en.md",
    path="/a/crane-count/7400003.html",
    language="en",
    title="Cranes return to Alder Marsh [in pictures](and in numbers)",
    section="Nature",
    author="Tomas Reed",
    published=datetime(2015, 5, 9, 7, 10, 0, tzinfo=UTC),
    modified=datetime(2015, 5, 9, 7, 10, 0, tzinfo=UTC),
    fed=None,
    photos=(
        Photo(
            shown=_picture(f"{MARSH}_w1200.jpg"),
            mirrored=f"http://{PROXY}/?w=600&amp;output=webp&amp;url={PICTURES}/{MARSH}_w1200.jpg",
            alt="Cranes in flight over a marsh in the morning",
            caption="The first flock of the season over Alder Marsh.",
        ),
        Photo(
            shown=_picture(f"{MARSH}_w600.jpg"),
            mirrored=_picture(f"{MARSH}_w600.jpg"),
            alt="The same flock, smaller",
            caption="The flock as the volunteers’ own small print shows it.",
        ),
    ),
    text="""
[photo]

Volunteers counted 412 cranes over Alder Marsh on Saturday morning, the most since the count began.

Forty people with field glasses and flasks of tea stood on the dyke from five o’clock. Each wrote
down what passed over one church tower or one mast, so that no bird was counted twice.

Two winters ago the ditches were closed and the meadows left to the water. Since then the reeds have
grown back, and with them the frogs on which the young cranes live.

[photo]

The next count is in October, when the birds leave. Anyone may join; boots are needed, experience is
not.
""",
    related="/a/7400002.html",
)

STORIES = (_FERRY_STORY, _LIBRARY_STORY, _MARSH_STORY)
