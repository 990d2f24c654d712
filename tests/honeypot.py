"""A world of its own: every address leads here, and every attempt to connect is seen.

A program for new user, network and mount namespaces, started by `watch`. There all of IPv4 and IPv6
lies on loopback ("AnyIP": a local route for everything), a packet socket sees every TCP SYN and every
datagram, whatever its port, listeners answer on the ports that the scenario names, and names are
what the scenario says.
"""

import contextlib
import json
import os
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

DNS, SOCKS, PROXY = 53, 1080, 3128
_ROUTES = (
    "ip link set lo up",
    "ip route add local 0.0.0.0/0 dev lo",
    "ip -6 route add local ::/0 dev lo",
)
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _picture() -> bytes:
    """A PNG of 96 x 96 pixels (W3C PNG section 11), so large that nobody takes it for an icon."""
    rows = b"".join(b"\0" + bytes(3 * (x * y) % 251 for x in range(96)) for y in range(96))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 96, 96, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


PICTURE = _picture()


@dataclass
class Scenario:
    """What the world holds. `names`: for each name and type of record the answers to one query after another.

    `answers`: for a path, or host and path, its status line, fields and body; pictures need none.
    """

    ports: list[int]
    names: dict[str, dict[str, list[list[str]]]]
    hosts: str  # /etc/hosts
    search: str  # the domain that resolv.conf adds to names
    answers: dict[str, tuple[str, dict[str, str], str]]
    runs: dict[str, list[str]]  # arguments of the archiver


@dataclass
class Event:
    """tcp: a SYN · udp: a datagram · request: what a listener was asked, `text` its first line and host."""

    run: str
    kind: str
    address: str
    port: int
    text: str = ""


@dataclass
class Report:
    events: list[Event] = field(default_factory=list, repr=False)
    codes: dict[str, int] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict, repr=False)
    dropped: int = 0  # packets that the kernel could not show


def hindrance() -> str:
    """Why this machine cannot make such a world; empty when it can."""
    unshare, ip = shutil.which("unshare", path=_PATH), shutil.which("ip", path=_PATH)
    if unshare is None or ip is None:
        return "needs unshare (util-linux) and ip (iproute2)"
    steps = " && ".join([*_ROUTES, "mount --bind /etc/hosts /etc/hosts"])
    tried = subprocess.run(
        [*_namespaces(unshare), "sh", "-c", steps],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": _PATH},
    )
    return f"no such namespaces for this user: {tried.stderr.strip()}" if tried.returncode else ""


def watch(scenario: Scenario, folder: Path) -> Report:
    """Run the scenario in a world of its own; what was seen there."""
    (folder / "scenario.json").write_text(json.dumps(asdict(scenario)))
    inside = [*_namespaces("unshare"), sys.executable, __file__, str(folder)]
    done = subprocess.run(inside, capture_output=True, text=True, check=False, timeout=580)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = json.loads((folder / "report.json").read_text())
    return Report(**(found | {"events": [Event(**event) for event in found["events"]]}))


def _namespaces(unshare: str) -> list[str]:
    return [unshare, "--user", "--map-root-user", "--net", "--mount", "--"]


# --- inside -------------------------------------------------------------------------------------


class World:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.report, self.run = scenario, Report(), ""
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def seen(self, kind: str, address: str, port: int, text: str = "") -> None:
        with self._lock:
            self.report.events.append(Event(self.run, kind, address, port, text))

    def records(self, name: str, kind: str) -> list[str] | None:
        """What DNS says to this query; None for a name that is not there."""
        known = self.scenario.names.get(name.lower())
        if known is None:
            return None
        with self._lock:
            number = self._asked[name.lower(), kind]
            self._asked[name.lower(), kind] += 1
        turns = known.get(kind, [[]])
        return turns[min(number, len(turns) - 1)]

    def answer(self, head: bytes, host: str) -> bytes:
        target = head.split(b" ", 2)[1].decode("latin-1")
        path = "/" + target.split("/", 3)[-1] if target.startswith("http") else target
        known = self.scenario.answers.get(host + path) or self.scenario.answers.get(path)
        if known is not None:
            status, fields, text = known
            body = text.encode()
        elif path.startswith("/?") or path.endswith((".jpg", ".png")):
            status, fields, body = "200 OK", {"Content-Type": "image/png"}, PICTURE
        else:
            status, fields, body = "404 Not Found", {"Content-Type": "text/plain"}, b"nothing\n"
        fields = fields | {"Content-Length": str(len(body)), "Connection": "close"}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        return "\r\n".join(lines).encode() + body


def _listen(world: World, ports: list[int]) -> Iterator[socket.socket]:
    for port in ports:
        yield socket.create_server(("::", port), family=socket.AF_INET6, backlog=64, dualstack_ipv6=True)


def _accept(world: World, listeners: selectors.BaseSelector) -> None:
    while True:
        for key, _ in listeners.select():
            listener = key.fileobj
            if isinstance(listener, socket.socket):
                conn, _ = listener.accept()
                threading.Thread(target=_serve, args=(world, conn), daemon=True).start()


def _serve(world: World, conn: socket.socket) -> None:
    address, port = conn.getsockname()[:2]
    address = address.removeprefix("::ffff:")
    with conn, contextlib.suppress(OSError):
        conn.settimeout(20)
        take = _taker(conn)
        if port == DNS:
            message = take(int.from_bytes(take(2)))
            reply = _resolved(world, message, 65535)
            conn.sendall(len(reply).to_bytes(2) + reply)
            return
        if port == SOCKS:
            world.seen("request", address, port, _socks(conn, take))
        while head := _head(conn):
            lines = head.decode("latin-1").split("\r\n")
            host = next((line[5:].strip() for line in lines if line.lower().startswith("host:")), "")
            world.seen("request", address, port, f"{lines[0]} {host}")
            if not head.startswith(b"CONNECT "):
                conn.sendall(world.answer(head, host))
                conn.shutdown(socket.SHUT_WR)
                return
            conn.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


def _taker(conn: socket.socket) -> Callable[[int], bytes]:
    def take(size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = conn.recv(size - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    return take


def _head(conn: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = conn.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def _socks(conn: socket.socket, take: Callable[[int], bytes]) -> str:
    """RFC 1928 up to the reply; where the client wants to go."""
    take(take(2)[1])
    conn.sendall(b"\x05\x00")
    kind = take(4)[3]
    if kind == 3:
        host = take(take(1)[0]).decode("latin-1")
    else:
        family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
        host = socket.inet_ntop(family, take(size))
    port = int.from_bytes(take(2))
    conn.sendall(b"\x05\x00\x00\x01" + bytes(6))
    return f"SOCKS {host} {port}"


def _datagrams(world: World, sock: socket.socket) -> None:
    while True:
        message, client = sock.recvfrom(4096)
        sock.sendto(_resolved(world, message, 512), client)


def _resolved(world: World, message: bytes, room: int) -> bytes:
    """The reply to a DNS query (RFC 1035 section 4): one question, TTL 0, cut short beyond `room` bytes."""
    labels, at = [], 12
    while size := message[at]:
        labels.append(message[at + 1 : at + 1 + size].decode("latin-1"))
        at += 1 + size
    question, kind = message[12 : at + 5], int.from_bytes(message[at + 1 : at + 3])
    name, wanted = ".".join(labels), {1: "A", 28: "AAAA"}.get(kind, "")
    found = world.records(name, wanted)
    alias = (world.records(name, "CNAME") or []) if found is not None else []
    rows = [_record(b"\xc0\x0c", 5, _name(target)) for target in alias]
    owner = _name(alias[0]) if alias else b"\xc0\x0c"
    family = socket.AF_INET if wanted == "A" else socket.AF_INET6
    rows += [_record(owner, kind, socket.inet_pton(family, address)) for address in found or []]
    code, data = (3 if found is None else 0), b"".join(rows)
    cut = 0x0200 if 12 + len(question) + len(data) > room else 0
    head = message[:2] + struct.pack(">HHHHH", 0x8580 | cut | code, 1, 0 if cut else len(rows), 0, 0)
    return head + question + (b"" if cut else data)


def _record(owner: bytes, kind: int, data: bytes) -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, 0, len(data)) + data


def _name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _sniff(world: World, sock: socket.socket) -> None:
    """Note every TCP SYN and every datagram on loopback, by where it was meant to go."""
    while True:
        packet, (_, protocol, direction, *_) = sock.recvfrom(128)
        if direction == socket.PACKET_OUTGOING:  # type: ignore[attr-defined,unused-ignore] # seen again when it arrives
            continue
        if protocol == 0x0800:
            start, kind, address = (packet[0] & 15) * 4, packet[9], packet[16:20]
        elif protocol == 0x86DD:
            start, kind, address = 40, packet[6], packet[24:40]
        else:
            continue
        where = socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
        source, port = struct.unpack_from(">HH", packet, start) if kind in (6, 17) else (0, 0)
        if kind == 6 and packet[start + 13] & 0x12 == 0x02:
            world.seen("tcp", where, port)
        elif kind == 17 and source != DNS:
            world.seen("udp", where, port)


def _furnish(scenario: Scenario, folder: Path) -> None:
    """Routes, and the files that name lookups read."""
    for line in _ROUTES:
        subprocess.run(line.split(), check=True, env={"PATH": _PATH})
    files = {
        "resolv.conf": f"nameserver 127.0.0.1\nsearch {scenario.search}\noptions timeout:2 attempts:2\n",
        "hosts": scenario.hosts,
        "nsswitch.conf": "hosts: files dns\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
        subprocess.run(["mount", "--bind", str(folder / name), f"/etc/{name}"], check=True)
    if Path("/run/nscd").is_dir():  # it would look names up outside
        subprocess.run(["mount", "-t", "tmpfs", "none", "/run/nscd"], check=True)


def _main(folder: Path) -> None:
    scenario = Scenario(**json.loads((folder / "scenario.json").read_text()))
    _furnish(scenario, folder)
    world = World(scenario)
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    packets.bind(("lo", 0))
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", DNS))
    listeners = selectors.DefaultSelector()
    for listener in _listen(world, [DNS, SOCKS, PROXY, *scenario.ports]):
        listeners.register(listener, selectors.EVENT_READ)
    for work, what in ((_sniff, packets), (_datagrams, names), (_accept, listeners)):
        threading.Thread(target=work, args=(world, what), daemon=True).start()
    for run, arguments in scenario.runs.items():
        world.run = run
        done = subprocess.run(
            [sys.executable, "-m", "archiver", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        time.sleep(0.2)  # for packets on their way
        world.report.codes[run] = done.returncode
        world.report.said[run] = done.stdout + done.stderr
    statistics: Any = struct.unpack("II", packets.getsockopt(263, 6, 8))  # SOL_PACKET, PACKET_STATISTICS
    world.report.dropped = statistics[1]
    (folder / "report.json").write_text(json.dumps(asdict(world.report)))
    sys.stdout.flush()
    os._exit(0)  # its threads wait for ever


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
