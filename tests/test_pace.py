"""What exchanges may take of time, of bytes a second, and of memory."""

import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from wire_cases import HEAD_OPEN, PLAIN, chunked, sized
from wire_server import Asked, Step, WireServer

from archiver.capture.wire.fetch import Client, Network
from archiver.capture.wire.pace import BURST_SECONDS, LARGE_BYTES, Rate, Room
from archiver.capture.wire.recording import RECEIVE_BYTES, REDIRECT_BYTES
from archiver.errors import UsageError

HOST = "news.example"
LARGE = sized(bytes(6 << 20))


def client_of(server: WireServer, **settings: float) -> Client:
    return Client(Network(connect_to=(f"::127.0.0.1:{server.port}",), **settings))  # type: ignore[arg-type]


# --- time ---------------------------------------------------------------------------------------


def test_the_first_byte_has_a_limit_of_its_own() -> None:
    def answer(_: Asked) -> Iterator[Step]:
        yield 0.6
        yield PLAIN

    with WireServer(answer) as server:
        with client_of(server, first_byte_seconds=0.2, read_seconds=9) as client:
            late = client.exchange(f"http://{HOST}/")
        with client_of(server, first_byte_seconds=9, read_seconds=0.2) as client:
            whole = client.exchange(f"http://{HOST}/")
    assert str(late.error) == f"{HOST}: nothing came for 0.2 s, before any answer"
    assert whole.error is None
    assert whole.response == PLAIN


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", HEAD_OPEN], ids=["head", "body"])
def test_slow_senders_are_cut(head: bytes) -> None:
    def answer(_: Asked) -> Iterator[Step]:
        yield head
        while True:
            yield b"0123456789"
            yield 0.05

    with WireServer(answer) as server, client_of(server, slow_bytes=2000, slow_seconds=0.5) as client:
        began = time.monotonic()
        exchange = client.exchange(f"http://{HOST}/")
    assert time.monotonic() - began < 2
    assert "slower than 2000 bytes in 0.5 s, after " in str(exchange.error)
    assert exchange.truncated == "time"
    assert 0 < len(exchange.response) - len(head) < 2000
    assert (head + b"0123456789" * 200).startswith(exchange.response)


def test_who_sends_in_bursts_is_not_slow() -> None:
    def answer(_: Asked) -> Iterator[Step]:
        message = sized(bytes(6000))
        for at in range(0, len(message), 1000):
            yield message[at : at + 1000]
            yield 0.2

    with WireServer(answer) as server, client_of(server, slow_bytes=1000, slow_seconds=0.5) as client:
        assert client.exchange(f"http://{HOST}/").error is None


# --- bytes a second -----------------------------------------------------------------------------


def test_all_downloads_together_keep_to_the_rate() -> None:
    """Our own waiting counts against no limit: 0.6 s in all, and the bytes take 2."""
    with (
        WireServer(lambda _: [sized(bytes(60_000))]) as server,
        client_of(
            server,
            limit_rate=200_000,
            total_seconds=0.6,
            read_seconds=0.5,
            slow_bytes=60_000,
            slow_seconds=0.6,
        ) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        began = time.monotonic()
        exchanges = list(pool.map(client.exchange, [f"http://{HOST}/{n}" for n in range(8)]))
        took = time.monotonic() - began
    assert [exchange.error for exchange in exchanges] == [None] * 8
    received = sum(len(exchange.response) for exchange in exchanges)
    assert received / 200_000 - BURST_SECONDS <= took < received / 200_000 + 2


def test_no_more_than_a_burst_at_once() -> None:
    rate = Rate(100_000)
    began = time.monotonic()
    taken = [(rate.take(1 << 20), time.monotonic() - began) for _ in range(20)]
    total = 0
    for count, when in taken:
        total += count
        assert total <= 100_000 * (BURST_SECONDS + when) + 1
    assert taken[0][1] < 0.1


def test_a_slow_server_does_not_take_the_rate_from_others() -> None:
    rate = Rate(100_000)
    began = time.monotonic()
    for _ in range(200):
        rate.give_back(rate.take(1 << 20) - 1)
    assert time.monotonic() - began < 1


def test_a_rate_of_one_byte_a_second() -> None:
    assert Rate(1).take(1 << 16) == 1


@pytest.mark.parametrize("rate", [0, -5])
def test_a_rate_that_is_none(rate: int) -> None:
    with pytest.raises(UsageError, match="--limit-rate"):
        Client(Network(limit_rate=rate))


# --- memory -------------------------------------------------------------------------------------


def test_large_answers_wait_for_one_another() -> None:
    """While one waits, no limit of time runs."""
    with (
        WireServer(lambda _: [LARGE]) as server,
        client_of(server, total_seconds=2, read_seconds=0.3) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        client._memory = Room(8 << 20)
        first = client.exchange(f"http://{HOST}/")
        small = pool.submit(client.exchange, f"http://{HOST}/")
        time.sleep(0.8)
        assert not small.done()
        first.release()
        first.release()
        second = small.result(10)
        assert first.response == second.response == LARGE
        assert second.error is None
        assert second.seconds > 0.7
        assert client._memory._free == (8 << 20) - len(LARGE)
        del second, small
        gc.collect()
        assert client._memory._free == 8 << 20


@pytest.mark.parametrize("sent", [LARGE, chunked(bytes(6 << 20))], ids=["length", "chunked"])
def test_where_nobody_makes_room_the_answer_is_cut(sent: bytes) -> None:
    with WireServer(lambda _: [sent]) as server, client_of(server, total_seconds=0.5) as client:
        client._memory = Room(8 << 20)
        first = client.exchange(f"http://{HOST}/")
        second = client.exchange(f"http://{HOST}/")
    assert first.response == sent
    assert (second.truncated, second.error and second.error.stage) == ("length", "body")
    assert "no memory for another large answer" in str(second.error)
    assert LARGE_BYTES <= len(second.response) < LARGE_BYTES + (1 << 16)
    assert sent.startswith(second.response)


def test_room_is_given_in_turn() -> None:
    room = Room(10)
    assert room.reserve(99, 1) is not None  # all there is; and free again, as nobody keeps it
    kept = room.reserve(6, 1)
    with ThreadPoolExecutor(2) as pool:
        large = pool.submit(room.reserve, 10, 5)
        time.sleep(0.2)
        small = pool.submit(room.reserve, 1, 0.2)  # there would be room, but the large one came before
        assert small.result() is None
        assert kept is not None
        kept.release()
        assert large.result() is not None


def test_what_is_no_success_is_kept_to_a_little() -> None:
    message = sized(bytes(6 << 20), b"Location: /x", start=b"HTTP/1.1 302 Found")
    with WireServer(lambda _: [message]) as server, client_of(server) as client:
        exchange = client.exchange(f"http://{HOST}/")
    assert message.startswith(exchange.response)
    assert REDIRECT_BYTES <= len(exchange.response) <= RECEIVE_BYTES  # what the read with its head brought
    assert (exchange.truncated, exchange.held) == ("length", None)
