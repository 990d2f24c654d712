"""What is recorded is what was on the wire, for answers of every awkward kind."""

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest
import trustme
from wire_cases import ALL, CUT, PLAIN, SLOW, WHOLE, Case, chunked, sized
from wire_server import Asked, Step, WireServer, server_context

from archiver.capture.wire.exchange import Exchange
from archiver.capture.wire.fetch import Client, Network

HOST = "news.example"


def answer(asked: Asked) -> Iterable[Step]:
    steps = ALL[asked.path.removeprefix("/")].steps
    return steps() if callable(steps) else steps


@pytest.fixture(scope="module")
def server() -> Iterator[WireServer]:
    with WireServer(answer) as server:
        yield server


@pytest.fixture(scope="module")
def secured(authority: trustme.CA) -> Iterator[WireServer]:
    with WireServer(answer, server_context(authority, HOST)) as server:
        yield server


def network(server: WireServer, **settings: object) -> Network:
    return Network(connect_to=(f"::127.0.0.1:{server.port}",), **settings)  # type: ignore[arg-type]


def check(case: Case, exchange: Exchange) -> None:
    if case.response is None and not callable(case.steps):
        sent = b"".join(step for step in case.steps if isinstance(step, bytes))
        assert exchange.response == sent
    elif case.response is not None:
        assert exchange.response == case.response
    assert exchange.status == case.status
    assert exchange.interim == case.interim or callable(case.steps)
    assert exchange.surplus == case.surplus
    assert exchange.truncated == case.truncated
    assert (exchange.error.stage if exchange.error else None) == case.stage
    if case.body is not None:
        assert exchange.entity_body() == case.body
    assert exchange.peer == "127.0.0.1"
    assert exchange.request.startswith(case.method.encode() + b" /")


def test_there_are_enough_awkward_answers() -> None:
    assert len(ALL) >= 100


@pytest.mark.parametrize("name", [*WHOLE, *CUT])
def test_recorded_is_what_was_sent(server: WireServer, name: str) -> None:
    with Client(network(server)) as client:
        check(ALL[name], client.exchange(f"http://{HOST}/{name}", method=ALL[name].method))


@pytest.mark.parametrize("name", [name for name in [*WHOLE, *CUT] if "reset" not in name])
def test_recorded_is_what_was_sent_under_tls(secured: WireServer, pem: str, name: str) -> None:
    with Client(network(secured, cacert=pem)) as client:
        exchange = client.exchange(f"https://{HOST}/{name}", method=ALL[name].method)
    check(ALL[name], exchange)
    assert exchange.tls is not None
    assert exchange.tls.version == "tls/1.3"


@pytest.mark.parametrize("name", SLOW)
def test_limits_of_time_and_size(server: WireServer, name: str) -> None:
    case, words = SLOW[name]
    total = 1 if name.startswith("slow") else 20
    limits = {"first_byte_seconds": 0.4, "read_seconds": 0.4, "total_seconds": total, "max_bytes": 300_000}
    began = time.monotonic()
    with Client(network(server, **limits)) as client:
        exchange = client.exchange(f"http://{HOST}/{name}")
    assert time.monotonic() - began < total + 2
    check(case, exchange)
    assert words in str(exchange.error)
    if callable(case.steps):
        came = b"".join(exchange.interim) + exchange.response
        sent = chain.from_iterable(step for step in case.steps() if isinstance(step, bytes))
        assert came == bytes(byte for byte, _ in zip(sent, came, strict=False))
        assert len(came) <= 300_000


def test_the_size_limit_is_exact(server: WireServer) -> None:
    whole = ALL["a-megabyte"].steps[0]
    for limit in (len(whole) - 1, len(whole)):
        with Client(network(server, max_bytes=limit)) as client:
            exchange = client.exchange(f"http://{HOST}/a-megabyte")
        assert exchange.response == whole[:limit]
        assert exchange.truncated == (None if limit == len(whole) else "length")


def test_all_on_one_client_with_keep_alive(server: WireServer) -> None:
    """Whatever came before on a connection changes nothing in what comes after."""
    before = server.connections
    with Client(network(server)) as client:
        for _ in range(2):
            for name, case in WHOLE.items():
                check(case, client.exchange(f"http://{HOST}/{name}", method=case.method))
    ending = sum(
        1 for case in WHOLE.values() if "close" in case.steps or "hold" in case.steps or case.surplus
    )
    assert server.connections - before <= 2 * (ending + 2)


def numbered(asked: Asked) -> Iterator[Step]:
    body = asked.path.encode() * 200
    if sum(asked.path.encode()) % 2:
        yield sized(body)
    else:
        message = chunked(*(body[i : i + 300] for i in range(0, len(body), 300)))
        yield message[:100]
        yield message[100:]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_eight_threads_on_one_client(scheme: str, authority: trustme.CA, pem: str) -> None:
    context = server_context(authority, HOST) if scheme == "https" else None
    with (
        WireServer(numbered, context) as server,
        Client(network(server, cacert=pem)) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        paths = [f"/{thread}/{number}" for number in range(40) for thread in range(8)]
        exchanges = list(pool.map(lambda path: client.exchange(f"{scheme}://{HOST}{path}"), paths))
        assert server.connections <= 8
    for path, exchange in zip(paths, exchanges, strict=True):
        asked = Asked(exchange.request, 0, 0)
        assert asked.path == path
        assert exchange.response == b"".join(s for s in numbered(asked) if isinstance(s, bytes))
        assert exchange.error is None


def test_two_answers_open_at_once() -> None:
    """Each sends its second half only after the other's first half has gone."""
    halves = threading.Barrier(2, timeout=10)

    def interleaved(asked: Asked) -> Iterator[Step]:
        message = sized(asked.path.encode() * 5000)
        for piece in (message[:1000], message[1000:20_000], message[20_000:]):
            yield piece
            halves.wait()

    with (
        WireServer(interleaved) as server,
        Client(network(server)) as client,
        ThreadPoolExecutor(2) as pool,
    ):
        left, right = pool.map(lambda p: client.exchange(f"http://{HOST}{p}"), ["/left", "/right"])
    assert left.response == sized(b"/left" * 5000)
    assert right.response == sized(b"/right" * 5000)


@pytest.mark.parametrize("how", ["close", "reset", "drop"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_stale_connection_is_tried_again_on_a_fresh_one(
    how: str, scheme: str, authority: trustme.CA, pem: str
) -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        yield how if asked.number else PLAIN

    context = server_context(authority, HOST) if scheme == "https" else None
    with WireServer(answer, context) as server, Client(network(server, cacert=pem)) as client:
        exchanges = [client.exchange(f"{scheme}://{HOST}/{n}") for n in range(3)]
        posted = client.exchange(f"{scheme}://{HOST}/", method="POST")
    assert [e.response for e in exchanges] == [PLAIN] * 3
    assert [a.number for a in server.asked] == [0, 1, 0, 1, 0, 1]
    assert posted.error is not None  # a method that may change something is never repeated
    assert all(e.request.count(b"GET ") == 1 for e in exchanges)


def test_the_second_try_takes_no_idle_connection() -> None:
    both = threading.Barrier(2, timeout=10)

    def answer(asked: Asked) -> Iterator[Step]:
        if asked.path == "/both":
            both.wait()
        yield "close" if asked.number else PLAIN

    with WireServer(answer) as server, Client(network(server)) as client:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(client.exchange, [f"http://{HOST}/both"] * 2))
        assert client.exchange(f"http://{HOST}/then").response == PLAIN
        assert [asked.connection for asked in server.asked if asked.path == "/then"][1:] == [2]


@pytest.mark.parametrize("surplus", [b"", b"more"])
def test_a_connection_with_surplus_is_not_used_again(surplus: bytes) -> None:
    with WireServer(lambda _: [PLAIN + surplus]) as server, Client(network(server)) as client:
        for _ in range(2):
            assert client.exchange(f"http://{HOST}/").surplus == len(surplus)
        assert server.connections == (2 if surplus else 1)


def test_a_fresh_connection_is_not_tried_again() -> None:
    with WireServer(lambda _: ["close"]) as server, Client(network(server)) as client:
        exchange = client.exchange(f"http://{HOST}/")
        assert exchange.error is not None
        assert len(server.asked) == 1


def test_late_surplus_does_not_become_the_next_answer() -> None:
    def answer(asked: Asked) -> Iterator[Step]:
        yield PLAIN
        yield 0.05
        yield sized(b"smuggled")

    with WireServer(answer) as server, Client(network(server)) as client:
        assert client.exchange(f"http://{HOST}/").response == PLAIN
        time.sleep(0.2)
        assert client.exchange(f"http://{HOST}/").response == PLAIN
        assert server.connections == 2
