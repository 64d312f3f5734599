"""Refuses every connection that leaves this machine, in each Python that starts with this folder on its path.

``tests/conftest.py`` loads it into the test process and hands it, by PYTHONPATH, to the kernels and command lines that
tests start. Loopback and Unix sockets stay open: notebooks talk to their kernel through them. Looking up a name counts
as a connection, because it already tells a name server what is being done.
"""

import ipaddress
import socket


class NetworkRefusedError(RuntimeError):
    """A test tried to leave this machine. Not an OSError, so that no library takes it for a passing failure."""


def is_local(host: object) -> bool:
    """Say whether an address or name means this machine."""
    text = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if text in {"localhost", socket.gethostname(), f"{socket.gethostname()}.local"}:
        return True
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def refuse(host: object) -> None:
    """Raise unless the host is this machine."""
    if not is_local(host):
        message = f"no network in tests, but something asked for {host!r}"
        raise NetworkRefusedError(message)


class GuardedSocket(socket.socket):
    """A socket that reaches this machine only."""

    def _check(self, address: object) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple):
            refuse(address[0])

    def connect(self, address):
        self._check(address)
        return super().connect(address)

    def connect_ex(self, address):
        self._check(address)
        return super().connect_ex(address)

    def sendto(self, data, *rest):
        self._check(rest[-1])
        return super().sendto(data, *rest)


def guarded_lookup(lookup):
    """Wrap a function whose first argument is a host name."""

    def look_up(host, *rest, **options):
        refuse(host)
        return lookup(host, *rest, **options)

    return look_up


def install() -> None:
    """Close the network for this process, once."""
    if socket.socket is GuardedSocket:
        return
    socket.socket = socket.SocketType = GuardedSocket
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        setattr(socket, name, guarded_lookup(getattr(socket, name)))


install()
