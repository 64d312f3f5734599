"""The guard that keeps all other tests off the network does what it says."""

import asyncio
import os
import socket
import subprocess
import sys

import pytest

ELSEWHERE = "192.0.2.1"  # set aside for documentation: no machine has it
MESSAGE = "no network in tests, but something asked for '192.0.2.1'"


def raises_refusal(call):
    with pytest.raises(RuntimeError) as caught:
        call()
    assert type(caught.value).__name__ == "NetworkRefusedError"
    return str(caught.value)


def test_connections_and_lookups_are_refused():
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
        assert raises_refusal(lambda: stream.connect((ELSEWHERE, 80))) == MESSAGE
        assert raises_refusal(lambda: stream.connect_ex((ELSEWHERE, 80))) == MESSAGE
        assert raises_refusal(lambda: datagram.sendto(b"", (ELSEWHERE, 53))) == MESSAGE
    assert raises_refusal(lambda: socket.create_connection((ELSEWHERE, 80), timeout=1)) == MESSAGE
    assert "'example.org'" in raises_refusal(lambda: socket.getaddrinfo("example.org", 443))
    assert "'example.org'" in raises_refusal(lambda: socket.gethostbyname("example.org"))


def test_event_loops_and_web_clients_are_refused():
    import requests

    raises_refusal(lambda: asyncio.run(asyncio.open_connection(ELSEWHERE, 80)))
    raises_refusal(lambda: requests.get("https://example.org", timeout=1))


def test_a_python_that_a_test_starts_is_refused_too():
    program = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 1
    assert done.stderr.endswith(f"NetworkRefusedError: {MESSAGE}\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached(host):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection((host, server.getsockname()[1]), timeout=5) as client,
    ):
        assert client.getpeername()[0] == "127.0.0.1"
