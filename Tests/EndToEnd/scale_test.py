"""Thousands of connections: all served, none left behind, little memory each.

    pytest -s Tests/EndToEnd/scale_test.py    prints the figures
"""

import resource
import time

import pytest

from conftest import Server
from wire import (
    CLOSE, DEADLINE, HANDLERS, TEXT, Wire, close_body, descriptor_count, frame, handshake,
    idle_descriptor_count, resident_bytes, wait_until)

CONNECTION_COUNT = 5_000
VANISHING_COUNT = 1_000
# Clients that wait for one another: what they are sent meanwhile fits the kernel's buffers.
BATCH = 500


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    """Room for the clients' ends; the server sees to its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTION_COUNT + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"only {hard} descriptors are allowed (ulimit -Hn), {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def host():
    server = Server("--log-level", "warning", handlers=HANDLERS)
    yield server
    assert server.stop() == 0
    assert not [line for line in server.stderr_lines() if " warning " in line or " error " in line]


def open_many(server, count, path):
    wires = []
    while len(wires) < count:
        batch = [Wire.connect(server) for _ in range(min(BATCH, count - len(wires)))]
        for wire in batch:
            wire.send(handshake(path))
        for wire in batch:
            assert wire.head().status == 101
        wires += batch
    return wires


def echo_at_once(wires, size=100):
    """All messages are under way before the first answer is read; each is the client's own."""
    began = time.monotonic()
    for number, wire in enumerate(wires):
        wire.send_frame(TEXT, f"{number:0{size}d}")
    for number, wire in enumerate(wires):
        assert wire.text() == f"{number:0{size}d}"
    return time.monotonic() - began


def running(server):
    with Wire.open(server, "/count") as wire:
        wire.send_frame(TEXT, "")
        return int(wire.text())


def test_five_thousand_connections(host):
    idle = idle_descriptor_count(host)
    before = resident_bytes(host.pid)
    began = time.monotonic()
    wires = open_many(host, CONNECTION_COUNT, "/held")
    opened = time.monotonic() - began
    assert running(host) == CONNECTION_COUNT
    per_connection = (resident_bytes(host.pid) - before) / CONNECTION_COUNT
    seconds = [echo_at_once(wires) for _ in range(3)]
    after_echo = (resident_bytes(host.pid) - before) / CONNECTION_COUNT
    print(
        f"\n{CONNECTION_COUNT} connections opened in {opened:.1f} s, echoes of all in "
        f"{', '.join(f'{each:.2f}' for each in seconds)} s; resident memory per connection: "
        f"{per_connection:.0f} bytes idle, {after_echo:.0f} after the echoes")
    assert after_echo < 8 * 1024

    for wire in wires:
        wire.send_frame(CLOSE, close_body(1000))
    for wire in wires:
        assert wire.close_frame() == (1000, "")
        wire.socket.close()
    wait_until(lambda: running(host) == 0)
    wait_until(lambda: descriptor_count(host.pid) <= idle)


def test_a_thousand_vanish(host):
    """Again and again: no descriptor, no task and no memory is left."""
    idle = idle_descriptor_count(host)
    staying = open_many(host, 100, "/held")
    resident = []
    for _ in range(6):
        wires = open_many(host, VANISHING_COUNT, "/held")
        echo_at_once(wires)
        for number, wire in enumerate(wires):
            if number % 3 == 1:
                wire.send(frame(TEXT, "x" * 1_000)[:500])  # in the middle of a frame
            elif number % 3 == 2:
                wire.send_frame(TEXT, "x" * 50_000)  # with an answer under way
            wire.reset()
        wait_until(lambda: running(host) == len(staying), what="a task is left")
        wait_until(
            lambda: descriptor_count(host.pid) <= idle + len(staying), what="a descriptor is left")
        echo_at_once(staying)
        resident.append(resident_bytes(host.pid))
    print(f"\nresident after each {VANISHING_COUNT} that vanished: "
          + ", ".join(f"{each / 1024:.0f}" for each in resident) + " KiB")
    # What a lost connection left behind, were it but 1 KiB of it, would be 3 MiB here.
    assert resident[-1] - resident[2] < 1.5 * 1024 * 1024
    for wire in staying:
        wire.socket.close()


def test_thousands_of_handshakes_that_vanish(host):
    idle = idle_descriptor_count(host)
    for _ in range(3):
        wires = [Wire.connect(host) for _ in range(BATCH)]
        for number, wire in enumerate(wires):
            wire.send(handshake("/held")[:number])
            wire.reset()
    wait_until(lambda: descriptor_count(host.pid) <= idle)
    assert running(host) == 0


def test_many_connections_with_one_thread_and_with_three():
    for count in 1, 3:
        server = Server("--threads", count, "--log-level", "warning", handlers=HANDLERS)
        try:
            wires = open_many(server, BATCH, "/held")
            for _ in range(5):
                echo_at_once(wires)
            for wire in wires:
                wire.socket.close()
            wait_until(lambda: running(server) == 0, DEADLINE)
        finally:
            assert server.stop() == 0
