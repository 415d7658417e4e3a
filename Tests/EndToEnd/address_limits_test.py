"""Limits of one client's address: over all processes, however connections end, behind proxies."""

import contextlib
import signal
import socket
import ssl
import struct

import pytest

from authoring import CRASH, echo, save, wait_for_answer
from wire import CLOSE, DEADLINE, HANDLERS, PING, TEXT, Wire, close_body, handshake, wait_until

# All of 127.0.0.0/8 is this machine.
OTHER = "127.0.0.2"
OPEN_OPTION, RATE_OPTION = "--max-connections-per-address", "--handshakes-per-minute"


@pytest.fixture
def start(start_server):
    return lambda *options, handlers=HANDLERS: start_server("-H", "127.0.0.1", *options, handlers=handlers)


def tcp(server, source="127.0.0.1"):
    connection = socket.create_connection(("127.0.0.1", server.port), DEADLINE, (source, 0))
    connection.settimeout(DEADLINE)
    return Wire(connection)


def attempt(server, path="/echo", source="127.0.0.1", extra=(), before=b"", **changes):
    """A connection and the answer to its handshake. A refused one gets its answer without being heard."""
    wire = tcp(server, source)
    with contextlib.suppress(ConnectionError):
        wire.send(before + handshake(path, extra=extra, **changes))
    answer = wire.head()
    if answer.status != 101:
        answer.body = wire.read(int(answer.fields["content-length"]))
        wire.socket.close()
    return wire, answer


def opened(server, **options):
    wire, answer = attempt(server, **options)
    assert answer.status == 101, answer
    return wire


def is_admitted(server, **options):
    """Whether one more is; it is closed at once, behind a Close, and counts until the server has seen that."""
    wire, answer = attempt(server, **options)
    if answer.status == 101:
        wire.send_frame(CLOSE, close_body(1000))
        wire.close_frame()
        wire.assert_end()
        wire.socket.close()
        return True
    assert answer.status == 429, answer
    return False


def assert_refused(server, option=OPEN_OPTION, **options):
    _, answer = attempt(server, **options)
    assert answer.status == 429 and option in answer.text, answer
    assert int(answer.fields["retry-after"]) >= 1
    return int(answer.fields["retry-after"])


def eventually_opened(server, **options):
    """When a connection's end has come through: it is refused at most until then."""
    def opens():
        wire, answer = attempt(server, **options)
        return wire if answer.status == 101 else None
    return wait_until(opens)


# --- Open connections --------------------------------------------------------------------------------

def test_connections_count_whatever_they_send(start):
    server = start(OPEN_OPTION, 3)
    silent, half, client = tcp(server), tcp(server), opened(server)
    half.send(b"GET /echo HTTP/1.1\r\nHost: a\r\n")
    client.echo()
    assert assert_refused(server) == 10
    line = server.wait_for_line("refused 127.0.0.1:")
    assert "it has 3 connections open (--max-connections-per-address)" in line
    with opened(server, source=OTHER) as other:
        other.echo()
    client.echo()
    silent.socket.close()
    with eventually_opened(server):
        assert_refused(server)
    half.socket.close()


def closing(server):
    with opened(server) as wire:
        wire.send_frame(CLOSE, close_body(1000))
        wire.close_frame()


def reset(server):
    opened(server).reset()


def reset_before_the_handshake(server):
    tcp(server).reset()


def half_a_head(server):
    with tcp(server) as wire:
        wire.send(b"GET /echo HTT")


def ended_by_the_handler(server):
    with opened(server, path="/throw") as wire:
        wire.send_frame(TEXT, "x")
        wire.close_frame()


def broken(server):
    with opened(server) as wire:
        wire.send(b"\xff" * 20)
        wire.assert_failed(1002)


def refused_by(path, status, **changes):
    def end(server):
        _, answer = attempt(server, path=path, **changes)
        assert answer.status == status, answer
    return end


def bad_request(server):
    with tcp(server) as wire:
        wire.send(b"GET\r\n\r\n")
        assert wire.answer().status == 400


def slow_head(server):
    with tcp(server) as wire:
        wire.send(b"GET /")
        wire.assert_end()


def without_pong(server):
    with opened(server) as wire:
        assert wire.frame().opcode == PING
        wire.assert_end()


def half_closed(server):
    with opened(server) as wire:
        wire.socket.shutdown(socket.SHUT_WR)
        wire.assert_end()


def two_requests(server):
    with tcp(server) as wire:
        for _ in range(2):
            wire.send(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
            assert wire.answer().status == 404


@pytest.mark.parametrize("end", [
    closing, reset, reset_before_the_handshake, half_a_head, ended_by_the_handler, broken, bad_request, slow_head,
    without_pong, half_closed, two_requests, refused_by("/none", 404),
    refused_by("/echo", 400, Sec_WebSocket_Version="7"), refused_by("/echo", 403, extra=["Origin: http://evil"]),
], ids=lambda end: end.__name__)
def test_each_way_to_end_gives_back_one_connection(start, end):
    """Neither none, or all would be refused in the end; nor two, or there would be more than the limit."""
    pings = ["--ping-interval", "1", "--ping-timeout", "1"] if end is without_pong else []
    server = start(OPEN_OPTION, 3, "--handshake-timeout", "0.3", "--origin", "https://good", *pings)
    for _ in range(4):
        wait_until(lambda: is_admitted(server))
        end(server)
    three = [eventually_opened(server) for _ in range(3)]
    assert_refused(server)
    for wire in three:
        wire.socket.close()


def test_a_handler_that_goes_on_keeps_its_place(start, tmp_path):
    save(tmp_path, "stay_wsh.swift", """import Foundation
import WebSocketHost

public let handler = WebSocketHandler { socket in
    try await socket.send("begun")
    while !FileManager.default.fileExists(atPath: "%s") { try? await Task.sleep(for: .milliseconds(10)) }
}
""" % (tmp_path / "end"))
    server = start(OPEN_OPTION, 1, handlers=tmp_path)
    with opened(server, path="/stay") as wire:
        assert wire.text() == "begun"
    assert_refused(server, path="/stay")
    (tmp_path / "end").touch()
    eventually_opened(server, path="/stay").socket.close()


def test_with_tls(start):
    server = start(OPEN_OPTION, 1, "--tls-self-signed")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def secure():
        wire = tcp(server)
        wire.socket = context.wrap_socket(wire.socket)
        with contextlib.suppress(ConnectionError):
            wire.send(handshake())
        return wire, wire.head()
    first, answer = secure()
    assert answer.status == 101
    assert secure()[1].status == 429
    first.socket.close()
    wait_until(lambda: secure()[1].status == 101)


# --- Handshakes --------------------------------------------------------------------------------------

def test_handshakes_in_a_minute(start):
    server = start(RATE_OPTION, 5)
    for _ in range(5):
        opened(server).socket.close()
    assert 1 <= assert_refused(server, RATE_OPTION) <= 12
    line = server.wait_for_line("refused /echo 127.0.0.1:")
    assert "429: too many handshakes of its address (--handshakes-per-minute)" in line
    opened(server, source=OTHER).socket.close()
    with tcp(server) as wire:  # other requests go on
        wire.send(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        assert wire.answer().status == 404


def test_handshakes_count_before_passwords_are_looked_at(start):
    server = start(RATE_OPTION, 3, "--basic-auth", "--basic-auth-credential", "a:b")
    statuses = [attempt(server, extra=["Authorization: Basic eDp5"])[1].status for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    # A password that is computed has the responders asked again: one handshake all the same.
    statuses = [attempt(server, source=OTHER, extra=["Authorization: Basic YTpi"])[1].status for _ in range(4)]
    assert statuses == [101, 101, 101, 429]


# --- Over all processes ------------------------------------------------------------------------------

def test_over_a_change_of_the_handlers(start, tmp_path):
    """Connections of the old version, and its handshakes, count for the new one."""
    save(tmp_path, "echo_wsh.swift", echo(1))
    server = start(OPEN_OPTION, 3, "--watch", handlers=tmp_path)
    old = [opened(server, source=OTHER) for _ in range(2)]
    save(tmp_path, "echo_wsh.swift", echo(2))
    wait_for_answer(server, "2 x")
    new = opened(server, source=OTHER)
    assert_refused(server, source=OTHER)
    old[0].send_frame(TEXT, "x")
    assert old[0].text() == "1 x"
    old[0].socket.close()
    with eventually_opened(server, source=OTHER):
        assert_refused(server, source=OTHER)
    new.socket.close()


def take_over(server):
    count = len(server.stderr_lines())
    server.signal(signal.SIGHUP)
    server.wait_for_line("live after", 60, start=count)


def test_a_new_start_takes_new_values(start, tmp_path):
    path = tmp_path / "server.ini"

    def write(limit, rate):
        path.write_text(f"[websockethost]\nmax_connections_per_address = {limit}\nhandshakes_per_minute = {rate}\n")
    write(2, 0)
    server = start("--config", path)
    first = [opened(server) for _ in range(2)]
    assert_refused(server)
    write(3, 0)
    take_over(server)
    first.append(opened(server))
    assert_refused(server)
    write(0, 4)
    take_over(server)
    first += [opened(server) for _ in range(4)]
    assert_refused(server, RATE_OPTION)
    write(7, 0)
    take_over(server)
    # Connections are counted while a limit asks for it: the last four were not.
    first += [opened(server) for _ in range(4)]
    assert_refused(server)
    for wire in first:
        wire.echo()
        wire.socket.close()


def test_a_process_that_traps_takes_its_connections_along_but_no_handshakes(start, tmp_path):
    save(tmp_path, "crash_wsh.swift", CRASH)
    save(tmp_path, "echo_wsh.swift", echo(1))
    server = start(OPEN_OPTION, 3, RATE_OPTION, 8, handlers=tmp_path)
    idle, silent = opened(server), tcp(server)
    with opened(server, path="/crash") as wire:
        wire.send_frame(TEXT, "9")
        wire.assert_end()
    for wire in (idle, silent):
        wire.assert_end()
    # Two handshakes so far; the six others, and one that comes back each 7.5 s, are enough for these.
    silent = [wait_until(lambda: silent_connection(server)) for _ in range(3)]
    assert_refused(server)
    for wire in silent:
        wire.socket.close()
    statuses = []
    while not statuses or statuses[-1] != 429:
        wire, answer = attempt(server)
        if answer.status == 429 and OPEN_OPTION in answer.text:
            continue
        statuses.append(answer.status)
        wire.socket.close()
    assert 6 <= len(statuses) <= 10, statuses
    assert RATE_OPTION in answer.text


def silent_connection(server):
    """One that is not refused: nothing comes."""
    wire = tcp(server)
    wire.send(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = wire.answer()
    if answer.status == 404:
        return wire
    wire.socket.close()
    return None


# --- Behind proxies ----------------------------------------------------------------------------------

def forwarded(client):
    return {"extra": [f"X-Forwarded-For: {client}"]}


def test_clients_that_a_proxy_names_are_counted_each_by_itself(start):
    server = start("--trusted-proxies", "127.0.0.1", OPEN_OPTION, 2, RATE_OPTION, 6)
    idle = [tcp(server) for _ in range(5)]  # the proxy's own are not limited
    first = [opened(server, **forwarded("192.0.2.1")) for _ in range(2)]
    assert_refused(server, **forwarded("192.0.2.1"))
    assert "429: it has 2 connections open" in server.wait_for_line("refused /echo 192.0.2.1 ")
    second = [opened(server, **forwarded("2001:db8::1")), opened(server, **forwarded("2001:db8::2"))]
    assert_refused(server, **forwarded("2001:db8:0:0:9::"))
    second.append(opened(server, **forwarded("2001:db8:0:1::")))
    for wire in first + second:
        wire.echo()
    first[0].reset()
    first.append(eventually_opened(server, **forwarded("192.0.2.1")))
    # The one that was refused, and those until it was not, took part of the six.
    while (wire := attempt(server, **forwarded("192.0.2.1")))[1].text.count(OPEN_OPTION):
        pass
    assert RATE_OPTION in wire[1].text
    # Handshakes that end otherwise give their place back.
    for _ in range(3):
        wait_until(lambda: attempt(server, path="/none", **forwarded("192.0.2.9"))[1].status == 404)
    for _ in range(2):
        opened(server)  # without a name it is the proxy itself
    # From elsewhere the field is only what somebody says.
    others = [opened(server, source=OTHER, **forwarded(f"198.51.100.{number}")) for number in range(2)]
    assert_refused(server, source=OTHER, **forwarded("198.51.100.9"))
    for wire in idle + first[1:] + second + others:
        wire.socket.close()


def proxied(client):
    address = bytes(map(int, client.split(".")))
    return (bytes.fromhex("0d0a0d0a000d0a515549540a") + b"\x21\x11\0\x0c" + address + bytes([198, 51, 100, 1])
            + struct.pack(">HH", 4660, 80))


def test_clients_of_the_proxy_protocol_are_counted_each_by_itself(start):
    server = start("--trusted-proxies", "127.0.0.1", "--proxy-protocol", OPEN_OPTION, 2)
    first = [opened(server, before=proxied("192.0.2.1"))]

    def is_full():
        """One that is silent counts from its header on; unless the next one is quicker."""
        silent = tcp(server)
        silent.send(proxied("192.0.2.1"))
        first.append(silent)
        if is_admitted(server, before=proxied("192.0.2.1")):
            first.pop().socket.close()
            return False
        return True
    wait_until(is_full)
    second = [opened(server, before=proxied("192.0.2.2")) for _ in range(2)]
    assert_refused(server, before=proxied("192.0.2.2"))
    local = b"PROXY UNKNOWN\r\n"
    second += [opened(server, before=local) for _ in range(3)]  # the proxy speaks for itself
    for wire in first + second:
        wire.socket.close()


def test_too_many_connections_are_told_so_behind_the_proxy_header(start):
    """Before, the answer came where the client's TLS should begin."""
    server = start("--trusted-proxies", "127.0.0.1", "--proxy-protocol", "--tls-self-signed", "--max-connections", 1)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def secure():
        wire = tcp(server)
        wire.send(proxied("192.0.2.1"))
        wire.socket = context.wrap_socket(wire.socket)
        with contextlib.suppress(ConnectionError):
            wire.send(handshake())
        return wire, wire.answer(has_body=False)
    first, answer = secure()
    assert answer.status == 101
    second, answer = secure()
    assert answer.status == 503
    # One whose header never comes is not waited for without end.
    for _ in range(200):
        tcp(server)
    first.echo()
    for wire in (first, second):
        wire.socket.close()
