"""Host names under which a browser may reach this console."""

import ipaddress


def host_name(header: str) -> str:
    """The name in a Host header, without its port."""
    name = header.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.rpartition(":")[0] if name.count(":") == 1 else name


def is_loopback(host: str) -> bool:
    """Whether a host is the local machine."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether the page that sends this Origin came from this Host; no Origin is accepted."""
    return origin is None or origin.partition("://")[2] == host


def is_address(host: str) -> bool:
    """Whether it is an IP address; hostile pages can only have names."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
