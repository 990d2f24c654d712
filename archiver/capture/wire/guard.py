"""Which addresses may be asked: public ones, and those that the person named.

The table follows the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its
updates) and the multicast and unassigned space around them. It is our own because the standard
library's differs between Python versions. A block is refused also where its registry calls it
globally reachable: none of them serves web pages.
"""

import ipaddress
from collections.abc import Sequence

from archiver.errors import FetchError, UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Block = ipaddress.IPv4Network | ipaddress.IPv6Network

_SPECIAL: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private use"),
    ("100.64.0.0/10", "shared by a provider's customers"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "a cloud's inside"),  # Azure's WireServer: public space, answers only from within
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private use"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "AS112"),
    ("192.52.193.0/24", "AMT relays"),
    ("192.88.99.0/24", "6to4 relays"),
    ("192.168.0.0/16", "private use"),
    ("192.175.48.0/24", "AS112"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::1/128", "loopback"),
    ("::/128", "no address"),
    ("::ffff:0:0/96", "an IPv4 address in IPv6"),
    ("64:ff9b::/96", "an IPv4 address in IPv6"),
    ("64:ff9b:1::/48", "an IPv4 address in IPv6"),
    ("fc00::/7", "private use"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
    ("2001::/23", "protocol assignments"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("2620:4f:8000::/48", "AS112"),
    ("3fff::/20", "documentation"),
)
_TABLE: tuple[tuple[Block, str], ...] = tuple((ipaddress.ip_network(block), use) for block, use in _SPECIAL)
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # the only IPv6 space that IANA gives out for it

# What names of one's own network end in: RFC 6762 section 3 and appendix G, RFC 8375, and hosts files.
_OWN_NETWORK = (
    *(".local", ".localdomain", ".internal", ".intranet", ".private", ".corp", ".home", ".lan"),
    ".home.arpa",
)

# Ports of other protocols, to which an HTTP request could speak: the WHATWG Fetch Standard's
# "port blocking" list.
_OTHER_PROTOCOLS = frozenset(
    (
        *(0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95),
        *(101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179),
        *(389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601),
        *(636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566),
        *(6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    )
)


def special_use(address: Address) -> str | None:
    """What an address is set aside for; None for a public one."""
    for block, use in _TABLE:
        if address.version == block.version and address in block:
            return use
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return "not public unicast space"
    return None


def literal(host: str) -> Address | None:
    """The address that a host is, when it is one and not a name. IPv6 with or without brackets."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


class Guard:
    """The rule for one run. `allow` are CIDR blocks that the person opened; UsageError if one is none."""

    def __init__(self, allow: Sequence[str]) -> None:
        self._allowed: list[Block] = []
        for text in allow:
            try:
                self._allowed.append(ipaddress.ip_network(text))
            except ValueError as error:
                raise UsageError(
                    f"--allow-private {text}: {error}", "Write a block such as 192.168.1.0/24."
                ) from error

    def check(self, host: str, address: Address) -> None:
        """Raise FetchError (stage address) when `address`, to which `host` leads, may not be asked."""
        use = special_use(address)
        if use is None or any(address.version == b.version and address in b for b in self._allowed):
            return
        where = f"{host} is" if literal(host) == address else f"{host} leads to {address.compressed},"
        raise FetchError(
            f"{where} an address that is not public ({use}): not asked",
            "address",
            f"If you trust it, allow it by name: --allow-private {address.compressed}",
        )

    def check_name(self, host: str) -> None:
        """The same for what a host says of itself, before, or without, looking it up."""
        name = host.rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
            self.check(host, ipaddress.ip_address("127.0.0.1"))
        address = literal(host)
        if address is not None:
            self.check(host, address)

    def check_name_elsewhere(self, host: str) -> None:
        """The same for a host that a proxy will look up: nobody here sees to which address it leads.

        So a name that only a network of its own can know is refused, too: one without a dot, or with
        an ending that public DNS does not hold.
        """
        self.check_name(host)
        name = host.rstrip(".").lower()
        if literal(host) is not None or name == "localhost" or name.endswith(".localhost"):
            return
        if "." not in name or name.endswith(_OWN_NETWORK):
            raise FetchError(
                f"{host} is a name of somebody's own network: no proxy is asked for it",
                "address",
                f"If you trust it, name it, with its port: --connect-to {host}:80:{host}:80",
            )

    def check_port(self, host: str, port: int) -> None:
        """Raise FetchError (stage address) for a port on which another protocol listens."""
        if port in _OTHER_PROTOCOLS:
            raise FetchError(
                f"{host}: port {port} is not for web servers (WHATWG Fetch, port blocking): not asked",
                "address",
            )
