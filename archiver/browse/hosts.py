"""By which names a server is asked."""

import ipaddress
import re

_NAME = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(:[0-9]{1,5})?")


def host_name(host: str) -> str:
    """`[::1]:8001` → `::1`, `Localhost:8001` → `localhost`; "" for what is no host."""
    found = _NAME.fullmatch(host.strip())
    return found["host"].strip("[]").lower().rstrip(".") if found else ""


def is_address(host: str) -> bool:
    """Whether a host name is an IP address, which no name server can point elsewhere."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine's own."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)
