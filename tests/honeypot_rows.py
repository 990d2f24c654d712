"""What the guard must see through: each row a way to a private address, as somebody hostile writes it.

Each row has a port of its own, or an address of its own, and `hidden-NAME.` in the path of what must not
be reached, so that whatever is seen of it names it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PUBLIC, PROXIES, PUBLIC6 = "93.184.216.34", "93.184.216.35", "2606:4700::1111"
SELF_HOSTED = "127.0.0.7"  # an image proxy that the person named
FIRST_PORT = 20000
SITE = "http://site.test"

# refused: a note says so, and its stage is address or dns · silent: nobody would ask for it ·
# reached: the guard must let it through
Expected = Literal["refused", "silent", "reached"]


@dataclass(frozen=True)
class Row:
    """`where` is what must not be reached, as somebody hostile writes it; {port} is the row's own."""

    name: str
    run: str
    way: str  # how the archiver comes to know it
    where: str
    expected: Expected = "refused"

    @property
    def through(self) -> str:
        """The public URL that leads there, where one does."""
        if self.name == "rescue-redirect":
            return f"http://timegate.test/{SITE}/dead.jpg"
        return f"{SITE}/r/{self.name}" if self.way == "redirect" else ""


SPELLINGS = [
    ("plain", "127.0.0.1"),
    ("short", "127.1"),
    ("three-parts", "127.0.1"),
    ("hex-part", "0x7f.1"),
    ("octal-part", "0177.0.0.1"),
    ("decimal", "2130706433"),
    ("hex", "0x7f000001"),
    ("octal", "017700000001"),
    ("final-dot", "127.0.0.1."),
    ("circled", "①②⑦.0.0.1"),
    ("ideographic-dots", "127。0。0。1"),
    ("percent", "%31%32%37.0.0.1"),
    ("percent-dots", "127%2e0%2E0.1"),
    ("soft-hyphen", "127.0.0\u00ad.1"),
    ("zero", "0"),
    ("zeros", "0.0.0.0"),
    ("other-loopback", "127.255.255.254"),
    ("localhost", "localhost"),
    ("localhost-dot", "LOCALHOST."),
    ("below-localhost", "a.b.localhost"),
    ("localhost-wide", "ｌｏｃａｌｈｏｓｔ"),
    ("v6-loopback", "[::1]"),
    ("v6-loopback-long", "[0:0:0:0:0:0:0:1]"),
    ("v6-none", "[::]"),
    ("v6-mapped", "[::ffff:127.0.0.1]"),
    ("v6-mapped-hex", "[::ffff:7f00:1]"),
    ("v6-mapped-private", "[::ffff:a00:1]"),
    ("v6-compatible", "[::127.0.0.1]"),
    ("v6-translated", "[::ffff:0:127.0.0.1]"),
    ("v6-nat64", "[64:ff9b::7f00:1]"),
    ("v6-nat64-local", "[64:ff9b:1::a00:1]"),
    ("v6-6to4", "[2002:7f00:1::]"),
    ("v6-teredo", "[2001:0:7f00:1::80ff:fffe]"),
    ("v6-unique-local", "[fc00::1]"),
    ("v6-metadata", "[fd00:ec2::254]"),
    ("v6-link-local", "[fe80::1]"),
    ("v6-site-local", "[fec0::1]"),
    ("v6-multicast", "[ff02::1]"),
    ("v6-documentation", "[2001:db8::1]"),
    ("v6-documentation-new", "[3fff::1]"),
    ("v6-discard", "[100::1]"),
    ("v6-dummy", "[100:0:0:1::1]"),
    ("v6-orchid", "[2001:20::1]"),
    ("v6-srv6", "[5f00::1]"),
    ("metadata", "169.254.169.254"),
    ("metadata-hex", "0xa9fea9fe"),
    ("metadata-octal", "0251.0376.0251.0376"),
    ("metadata-mixed", "169.0xfe.43518"),
    ("metadata-alibaba", "100.100.100.200"),
    ("metadata-oracle", "192.0.0.192"),
    ("metadata-azure", "168.63.129.16"),
    ("ten", "10.0.0.1"),
    ("ten-decimal", "167772161"),
    ("one-seven-two", "172.31.255.255"),
    ("one-nine-two", "192.168.0.1"),
    ("one-nine-two-decimal", "3232235521"),
    ("carrier", "100.64.0.1"),
    ("benchmarking", "198.18.0.1"),
    ("relay", "192.88.99.1"),
    ("test-net", "203.0.113.9"),
    ("multicast", "224.0.0.1"),
    ("reserved", "240.0.0.1"),
    ("broadcast", "255.255.255.255"),
]
# Whole URLs; those without a port have an address of their own.
WRITTEN = [
    ("port-80", "http://10.1.0.80/HIDDEN"),
    ("port-443", "https://10.1.0.81/HIDDEN"),
    ("port-ssh", f"http://{PUBLIC}:22/HIDDEN"),
    ("port-redis", "http://10.1.0.82:6379/HIDDEN"),
    ("port-docker", "http://10.1.0.83:2375/HIDDEN"),
    ("port-elastic", "http://10.1.0.84:9200/HIDDEN"),
    ("https", "https://127.0.0.1:{port}/HIDDEN"),
    ("no-scheme", "//10.0.0.2:{port}/HIDDEN"),
    ("backslashes", "http:\\\\10.0.0.2:{port}\\HIDDEN"),
    ("one-slash", "http:/\t/10.0.0.2:{port}/HIDDEN"),
    ("capitals", "HTTP://LocalHost:{port}/HIDDEN"),
    ("user", "http://site.test@10.0.0.2:{port}/HIDDEN"),
    ("user-and-password", "http://site.test:80@10.0.0.2:{port}/HIDDEN"),
    ("hash-and-at", "http://10.0.0.2:{port}/HIDDEN#@site.test/"),
    ("backslash-and-at", "http://10.0.0.2:{port}\\@site.test/HIDDEN"),
    ("new-line", "http://10.0.\n0.2:{port}/HIDDEN"),
]
CLAIMED = ("user", "user-and-password")  # no URL that anybody asks for: kept as what the document says
Turns = dict[str, list[list[str]]]
NAMES: dict[str, Turns] = {
    "private": {"A": [["10.0.0.3"]]},
    "loopback": {"A": [["127.0.0.1"]]},
    "zero": {"A": [["0.0.0.0"]]},
    "metadata": {"A": [["169.254.169.254"]]},
    "mixed": {"A": [[PUBLIC, "192.168.0.3"]]},
    "mixed-families": {"A": [[PUBLIC]], "AAAA": [["fd00::3"]]},
    "mixed-families-too": {"A": [["10.0.0.3"]], "AAAA": [[PUBLIC6]]},
    "one-of-many": {"A": [[f"93.184.216.{n}" for n in range(40, 90)] + ["10.0.0.3"]]},  # by TCP
    "alias-localhost": {"CNAME": [["localhost"]], "A": [["127.0.0.1"]]},
    "alias-private": {"CNAME": [["inside.corp"]], "A": [["10.0.0.3"]]},
    "v6-loopback": {"AAAA": [["::1"]]},
    "v6-none": {"AAAA": [["::"]]},
    "v6-mapped": {"AAAA": [["::ffff:127.0.0.1"]]},
    "v6-mapped-public": {"AAAA": [["::ffff:93.184.216.34"]]},
    "v6-link-local": {"AAAA": [["fe80::1"]]},
    "v6-nat64": {"AAAA": [["64:ff9b::a00:3"]]},
    "v6-6to4": {"AAAA": [["2002:a00:3::"]]},
    "v6-unique-local": {"AAAA": [["fc00::3"]]},
    "no-addresses": {},
}
FOUND_ELSEWHERE = [
    ("no-such-name", "no-such-name.test"),
    ("hosts-file", "hosts-file.test"),
    ("hosts-file-v6", "hosts-file-v6.test"),
    ("search-domain", "router"),
]
# A status, and where it sends us. site.test/r/NAME answers it.
REDIRECTS = [
    ("301", "301", "http://127.0.0.1:{port}/HIDDEN"),
    ("302", "302", "http://10.0.0.4:{port}/HIDDEN"),
    ("303", "303", "http://10.0.0.4:{port}/HIDDEN"),
    ("307", "307", "http://10.0.0.4:{port}/HIDDEN"),
    ("308", "308", "http://10.0.0.4:{port}/HIDDEN"),
    ("decimal", "302", "http://2130706433:{port}/HIDDEN"),
    ("no-scheme", "302", "//10.0.0.4:{port}/HIDDEN"),
    ("backslashes", "302", "\\\\10.0.0.4:{port}\\HIDDEN"),
    ("https", "302", "https://10.0.0.4:{port}/HIDDEN"),
    ("localhost", "302", "http://localhost.:{port}/HIDDEN"),
    ("mapped", "302", "http://[::ffff:a00:4]:{port}/HIDDEN"),
    ("name", "302", "http://private.test:{port}/HIDDEN"),
    ("port-80", "302", "http://10.2.0.80/HIDDEN"),
    ("user", "302", "http://site.test@10.0.0.4:{port}/HIDDEN"),
    ("weserv", "302", "http://images.weserv.nl/?url=10.0.0.4:{port}/HIDDEN"),
]
# What image proxies are asked to fetch. They are public here; `INSTANCE` asks one on the person's machine.
ASKED = [
    ("weserv", "http://images.weserv.nl/?url=127.0.0.1:{port}/HIDDEN"),
    ("weserv-decimal", "http://images.weserv.nl/?url=2130706433:{port}/HIDDEN"),
    ("weserv-v6", "http://images.weserv.nl/?url=[::1]:{port}/HIDDEN"),
    ("weserv-metadata", "http://wsrv.nl/?w=300&url=http%3A%2F%2F169.254.169.254%3A{port}%2FHIDDEN"),
    ("weserv-nested", "http://wsrv.nl/?url=images.weserv.nl/%3Furl=10.0.0.7:{port}/HIDDEN"),
    ("photon", "http://i0.wp.com/10.0.0.7:{port}/HIDDEN"),
    ("cloudinary", "http://res.cloudinary.com/demo/image/fetch/w_400/http://10.0.0.7:{port}/HIDDEN"),
    ("duckduckgo", "http://proxy.duckduckgo.com/iu/?u=http%3A%2F%2F10.0.0.7%3A{port}%2FHIDDEN"),
    ("corsproxy", "http://corsproxy.io/?url=http%3A%2F%2Flocalhost%3A{port}%2FHIDDEN"),
]
INSTANCE = [
    ("plain", "picture", "http://proxy.self/?url=127.0.0.1:{port}/HIDDEN"),
    ("localhost", "picture", "http://proxy.self/?url=localhost:{port}/HIDDEN"),
    ("localhost-dot", "picture", "http://proxy.self/?url=LOCALHOST.:{port}/HIDDEN"),
    ("decimal", "picture", "http://proxy.self/?url=2130706433:{port}/HIDDEN"),
    ("hex", "picture", "http://proxy.self/?url=0x7f.1:{port}/HIDDEN"),
    ("octal", "picture", "http://proxy.self/?url=0177.0.0.1:{port}/HIDDEN"),
    ("v6", "picture", "http://proxy.self/?url=[::1]:{port}/HIDDEN"),
    ("v6-mapped", "picture", "http://proxy.self/?url=[::ffff:10.0.0.8]:{port}/HIDDEN"),
    ("ssl", "picture", "http://proxy.self/?url=ssl:10.0.0.8:{port}/HIDDEN"),
    ("two-slashes", "picture", "http://proxy.self/?url=//10.0.0.8:{port}/HIDDEN"),
    ("percent", "picture", "http://proxy.self/?url=http%3A%2F%2F169.254.169.254%3A{port}%2FHIDDEN"),
    ("percent-host", "picture", "http://proxy.self/?url=%31%30.0.0.8:{port}/HIDDEN"),
    ("dots", "picture", "http://proxy.self/?url=10。0。0。8:{port}/HIDDEN"),
    ("nested", "picture", "http://proxy.self/?url=proxy.self/%3Furl=10.0.0.8:{port}/HIDDEN"),
    ("container", "picture", "http://proxy.self/?url=redis:{port}/HIDDEN"),
    ("lan", "picture", "http://proxy.self/?url=nas.lan:{port}/HIDDEN"),
    ("internal", "picture", "http://proxy.self/?url=metadata.google.internal:{port}/HIDDEN"),
    ("capital-key", "picture", "http://proxy.self/?URL=10.0.0.8:{port}/HIDDEN"),
    ("path", "picture", "http://proxy.self/any/path?url=10.0.0.8:{port}/HIDDEN"),
    ("named", "named", "http://proxy.self/?url=10.0.0.8:{port}/HIDDEN"),
    ("listed", "listed", "http://proxy.self/?url=10.0.0.8:{port}/HIDDEN"),
    ("redirect", "redirect", "http://proxy.self/?url=10.0.0.8:{port}/HIDDEN"),
]
# Where a page names it, and whether anybody would take it for a picture of the page.
PLACES: list[tuple[str, Expected]] = [
    ("img-src", "refused"),
    ("img-srcset", "refused"),
    ("img-data-src", "refused"),
    ("source-srcset", "refused"),
    ("video-poster", "refused"),
    ("meta-og-image", "refused"),
    ("json-ld", "refused"),
    ("noscript", "refused"),
    ("base-href", "refused"),
    ("link-stylesheet", "silent"),
    ("link-preload", "silent"),
    ("script-src", "silent"),
    ("iframe-src", "silent"),
    ("meta-refresh", "silent"),
    ("link-canonical", "silent"),
    ("field-link", "silent"),
    ("field-refresh", "silent"),
    ("field-content-location", "silent"),
]
SOURCES: list[tuple[str, Expected]] = [
    ("named", "refused"),
    ("document-url", "refused"),
    ("list", "refused"),
    ("feed-link", "refused"),
    ("feed-enclosure", "refused"),
    ("feed-text", "refused"),
    ("feed-base", "refused"),
    ("feed-of-one-url", "silent"),
    ("feed-entity", "silent"),
    ("feed-stylesheet", "silent"),
    ("sitemap", "refused"),
    ("sitemap-index", "refused"),
    ("sitemap-entity", "silent"),
    ("sitemap-include", "silent"),
    ("opml", "refused"),
    ("robots-redirect", "silent"),
    ("robots-sitemap", "silent"),
]
RESCUED = [
    ("redirect", "http://10.0.0.9:{port}/HIDDEN"),
    ("original", "http://10.0.0.9:{port}/HIDDEN"),
]
# Through proxies that look names up for us, or (socks5) do not.
THROUGH_RUNS = ("http", "socks5", "socks5h")
THROUGH = [
    ("plain", "picture", "http://127.0.0.1:{port}/HIDDEN"),
    ("https", "picture", "https://127.0.0.1:{port}/HIDDEN"),
    ("decimal", "picture", "http://167772161:{port}/HIDDEN"),
    ("mapped", "picture", "http://[::ffff:10.0.0.1]:{port}/HIDDEN"),
    ("localhost", "picture", "http://x.localhost:{port}/HIDDEN"),
    ("no-dot", "picture", "http://router:{port}/HIDDEN"),
    ("lan", "picture", "http://nas.lan:{port}/HIDDEN"),
    ("redirect", "redirect", "http://10.0.0.10:{port}/HIDDEN"),
]
# With --resolve '*:80:…' and a proxy that looks names up itself: the star names none of these.
STARRED = [
    ("metadata", "http://169.254.169.254/HIDDEN"),
    ("localhost", "http://localhost/HIDDEN"),
    ("lan", "http://nas.lan/HIDDEN"),
]
OPENED: list[tuple[str, str, str, Expected]] = [
    ("block", "opened", "http://10.0.0.11:{port}/HIDDEN", "reached"),
    ("block-by-name", "opened", "http://ten.test:{port}/HIDDEN", "reached"),
    ("block-v6", "opened", "http://[fd00::11]:{port}/HIDDEN", "reached"),
    ("outside-the-block", "opened", "http://10.0.1.11:{port}/HIDDEN", "refused"),
    ("block-but-loopback", "opened", "http://127.0.0.1:{port}/HIDDEN", "refused"),
    ("resolve", "opened", "http://resolved.test:20999/HIDDEN", "reached"),
    ("connect-to", "opened", "http://connected.test/HIDDEN", "reached"),
    ("connect-to-localhost", "opened", "http://localhost/HIDDEN", "reached"),
    ("asked-in-block", "instance", "http://proxy.self/?url=10.4.0.1:{port}/HIDDEN", "reached"),
    ("asked-by-name", "instance", "http://proxy.self/?url=nas.home/HIDDEN", "reached"),
]


def _rows() -> Iterator[Row]:
    for name, host in [*SPELLINGS, *FOUND_ELSEWHERE, *((f"dns-{name}", f"{name}.test") for name in NAMES)]:
        yield Row(name, "plain", "picture", f"http://{host}:{{port}}/hidden-{name}.jpg")
    for name, expected in PLACES:
        address = f"http://10.0.0.5:{{port}}/hidden-on-{name}.jpg"
        yield Row(f"on-{name}", "plain", "place", address, expected)
    for name, expected in SOURCES:
        yield Row(f"in-{name}", "plain", "source", f"http://10.0.0.6:{{port}}/hidden-in-{name}.jpg", expected)
    through = [(run, f"{run}-{name}", way, where) for run in THROUGH_RUNS for name, way, where in THROUGH]
    for run, name, way, where in [
        *(("plain", name, "picture", where) for name, where in WRITTEN),
        *(("plain", f"to-{name}", "redirect", where) for name, _, where in REDIRECTS),
        *(("plain", f"asked-{name}", "picture", where) for name, where in ASKED),
        *(("rescue", f"rescue-{name}", "rescue", where) for name, where in RESCUED),
        *(("instance", f"self-{name}", way, where) for name, way, where in INSTANCE),
        *(("star", f"star-{name}", "picture", where) for name, where in STARRED),
        *through,
    ]:
        expected = "silent" if name in CLAIMED else "refused"
        yield Row(name, run, way, where.replace("HIDDEN", f"hidden-{name}.jpg"), expected)
    for name, run, where, expected in OPENED:
        yield Row(
            f"open-{name}", run, "picture", where.replace("HIDDEN", f"hidden-open-{name}.jpg"), expected
        )


# Names whose answers change. Many pictures lie there; those that come, come from the public address.
REBOUND: dict[str, Turns] = {
    "rebound": {"A": [[PUBLIC], ["127.0.0.1"]]},
    "rebound-later": {"A": [[PUBLIC]] * 3 + [["10.0.0.12"]]},
    "rebound-v6": {"A": [[PUBLIC], []], "AAAA": [[], ["::1"]]},
    "flipping": {"A": [[PUBLIC], ["10.0.0.12"]] * 20},
}
CONTROLS = [
    f"{SITE}/control.jpg",
    "http://site6.test/control-v6.jpg",
    "http://both.test/control-both.jpg",
    "http://wsrv.nl/?url=site.test/control-asked.jpg",
]
CONTROL_ASKED = "http://proxy.self/?url=site.test/control-instance.jpg"
ROWS = list(_rows())
PORTS = {row.name: FIRST_PORT + number for number, row in enumerate(ROWS)}
URLS = {row.name: row.where.replace("{port}", str(PORTS[row.name])) for row in ROWS}
OWN_ADDRESS = re.compile(r"\b10\.[1-3]\.0\.[0-9]+")
