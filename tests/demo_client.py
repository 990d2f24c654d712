"""A client for the demo's servers: one request, its target exactly as written, under a virtual host."""

import socket
import ssl
from contextlib import closing
from http.client import HTTPConnection, HTTPMessage
from typing import NamedTuple


class Answer(NamedTuple):
    status: int
    fields: HTTPMessage
    body: bytes


def ask(
    address: tuple[str, int],
    host: str,
    target: str,
    method: str = "GET",
    tls: ssl.SSLContext | None = None,
    **fields: str,
) -> Answer:
    """Send one request and read its answer; a `_` in a field's name stands for `-`."""
    connection = HTTPConnection(*address, timeout=20)
    if tls:  # the name in the handshake is the virtual host's, not the address
        connection.sock = tls.wrap_socket(socket.create_connection(address, 20), server_hostname=host)
    with closing(connection):
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        for name, value in fields.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        with connection.getresponse() as response:
            return Answer(response.status, response.headers, response.read())
