"""Requests without an upgrade for a handler that answers them: bodies, well-formed and not, and hooks that take long."""

import signal

import pytest

from conftest import Server
from wire import BINARY, HANDLERS, Wire, handshake, wait_until


def head(method="POST", query="", *fields, version="HTTP/1.1"):
    lines = [f"{method} /http{query} {version}", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode()


def post(body, query="", *fields):
    return head("POST", query, f"Content-Length: {len(body)}", *fields) + body


def chunks(*parts):
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])


@pytest.fixture(scope="module")
def site():
    server = Server(
        "--max-request-body-size", "100K", "--request-body-timeout", "1", "--http-timeout", "3",
        "--max-held-bodies-size", "150K", "--threads", "2", handlers=HANDLERS)
    yield server
    assert server.stop() == 0


@pytest.fixture(autouse=True)
def still_serving(site):
    yield
    with Wire.connect(site) as wire:
        wire.send(post(b"still here"))
        assert wire.answer().text == "POST 10 still here"


GOOD = {
    "length": (post(b"hello"), "POST 5 hello"),
    "length of nothing": (post(b""), "POST 0 "),
    "neither length nor chunks: no body": (head(), "POST 0 "),
    "chunks": (head("POST", "", "Transfer-Encoding: chunked") + chunks(b"hel", b"lo"), "POST 5 hello"),
    "no chunk": (head("POST", "", "Transfer-Encoding: chunked") + chunks(), "POST 0 "),
    "a GET with a body": (head("GET", "", "Content-Length: 2") + b"hi", "GET 2 hi"),
    "a method of one's own": (head("brew"), "brew 0 "),
    "no text": (post(b"\xff"), "POST 1 -"),
}


@pytest.mark.parametrize("name", GOOD)
def test_bodies(site, name):
    """Whole, byte by byte, and with the next request behind them."""
    data, expected = GOOD[name]
    with Wire.connect(site) as wire:
        wire.send(data)
        assert wire.answer().text == expected
        for byte in data:
            wire.send(bytes([byte]))
        assert wire.answer().text == expected
        wire.send(data + data + post(b"last"))
        assert [wire.answer().text for _ in range(3)] == [expected, expected, "POST 4 last"]


CHUNKED = "Transfer-Encoding: chunked"
BAD = {
    "chunks and a length": (head("POST", "", CHUNKED, "Content-Length: 5") + chunks(b"hello"), 400),
    "two lengths": (head("POST", "", "Content-Length: 5", "Content-Length: 6") + b"hello", 400),
    "a negative length": (head("POST", "", "Content-Length: -1"), 400),
    "a length that overflows": (head("POST", "", "Content-Length: 99999999999999999999"), 400),
    "a coding that nobody knows": (head("POST", "", "Transfer-Encoding: snail, chunked"), 501),
    "a chunk without a size": (head("POST", "", CHUNKED) + b"\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk that is longer than it says": (head("POST", "", CHUNKED) + b"2\r\nhello\r\n0\r\n\r\n", 400),
    "chunks of HTTP/1.0": (head("POST", "", CHUNKED, version="HTTP/1.0") + chunks(b"hello"), 400),
    "too long": (head("POST", "", f"Content-Length: {100 * 1024 + 1}"), 413),
    "too long, who asks first": (head("POST", "", "Content-Length: 999999", "Expect: 100-continue"), 413),
    "chunks that are too long": (head("POST", "", CHUNKED) + b"%x\r\n" % (100 * 1024 + 1), 413),
    "many chunks that are too long": (
        head("POST", "", CHUNKED) + (b"1000\r\n" + bytes(0x1000) + b"\r\n") * 26, 413),
    "too slow": (head("POST", "", "Content-Length: 5") + b"hell", 408),
    "chunks that are too slow": (head("POST", "", CHUNKED) + b"5\r\nhello\r\n", 408),
}


@pytest.mark.parametrize("name", BAD)
def test_bodies_that_are_refused(site, name):
    """And the connection ends: nobody knows where another request would begin."""
    data, status = BAD[name]
    with Wire.connect(site) as wire:
        wire.send(data)
        answer = wire.answer()
        assert (answer.status, answer.fields["connection"]) == (status, "close"), answer
        wire.assert_end()


def test_continue(site):
    """RFC 9110 §10.1.1."""
    with Wire.connect(site) as wire:
        wire.send(head("POST", "", "Content-Length: 5", "Expect: 100-continue"))
        assert wire.head().status == 100
        wire.send(b"hello")
        assert wire.answer().text == "POST 5 hello"


def test_old_version(site):
    with Wire.connect(site) as wire:
        wire.send(head("POST", "", "Content-Length: 5", version="HTTP/1.0") + b"hello")
        assert wire.answer().text == "POST 5 hello"
        wire.assert_end()


def test_head(site):
    with Wire.connect(site) as wire:
        wire.send(head("HEAD"))
        answer = wire.answer(has_body=False)
        assert (answer.status, answer.fields["content-length"]) == (200, "7")
        wire.send(head("GET"))
        assert wire.answer().text == "GET 0 "


def test_held_bodies(site):
    """Bodies of one connection and another together: the one that is too much is turned away."""
    with Wire.connect(site) as first, Wire.connect(site) as second:
        first.send(post(bytes(100 * 1024), "?do=wait&seconds=600"))
        with Wire.connect(site) as other:  # by then what came before has been taken
            other.send(post(b"x"))
            assert other.answer().text == "POST 1 x"
        second.send(post(bytes(100 * 1024)))
        assert second.answer().status == 503
        second.assert_end()
        # Its place is free once the first one has been answered.
        assert first.answer().status == 503
        first.send(post(bytes(100 * 1024)))
        assert first.answer().text.startswith("POST 102400 ")


def test_hook_that_takes_too_long(site):
    with Wire.connect(site) as wire:
        wire.send(post(b"", "?do=wait&seconds=600") + post(b"behind it"))
        answer = wire.answer()
        assert (answer.status, answer.text) == (503, "The handler did not answer in time.\n")
        assert wire.answer().text == "POST 9 behind it"
    assert any("/http" in line and "--http-timeout" in line for line in site.stderr_lines())


@pytest.mark.parametrize("how", ["half-closed", "reset"])
def test_client_that_leaves(site, how):
    """Its hook's task is cancelled."""
    def cancelled():
        with Wire.connect(site) as wire:
            wire.send(head("GET", "?do=cancelled"))
            return int(wire.answer().text)
    before = cancelled()
    with Wire.connect(site) as wire:
        wire.send(post(b"", "?do=wait&seconds=600"))
        if how == "reset":
            wire.reset()
        else:
            wire.socket.shutdown(1)
            wire.assert_end()
        wait_until(lambda: cancelled() == before + 1)


def test_publishing(site):
    with Wire.open(site, "/http") as socket, Wire.connect(site) as wire:
        assert socket.text() == "subscribed"
        wire.send(post(b"green", "?do=publish"))
        answer = wire.answer()
        assert (answer.status, answer.text) == (202, "1")
        received = socket.frame()
        assert (received.opcode, received.payload) == (BINARY, b"green")


def test_handshakes_are_handshakes(site):
    """Also one that is wrong: the reason goes back, and not the hook's answer."""
    with Wire.connect(site) as wire:
        wire.send(handshake("/http", method="POST"))
        answer = wire.answer()
        assert answer.status == 400 and "POST" in answer.text, answer


@pytest.mark.parametrize("origin, status", [("https://evil.example", 403), ("http://localhost:{port}", 200), (None, 200)])
def test_origins(start_server, origin, status):
    server = start_server("--origin", "same", handlers=HANDLERS)
    fields = [f"Host: localhost:{server.port}"]
    fields += [f"Origin: {origin.format(port=server.port)}"] if origin else []
    for method, expected in [("GET", 200), ("POST", status)]:
        with Wire.connect(server) as wire:
            wire.send("\r\n".join([f"{method} /http HTTP/1.1", *fields, "", ""]).encode())
            assert wire.answer().status == expected


def test_stop_and_trap(start_server):
    """A trap in the hook is blamed on its route, and the next process answers. A request that is being answered
    when the server stops gets its answer."""
    server = start_server(handlers=HANDLERS)
    with Wire.connect(server) as wire:
        wire.send(head("GET", "?do=trap"))
        wire.assert_end()
    assert "/http (http_wsh.swift), trapped" in server.wait_for_line("trapped", 60)
    with Wire.connect(server) as wire:
        wire.send(post(b"", "?do=wait&seconds=2"))
        with Wire.connect(server) as other:
            other.send(post(b"x"))
            assert other.answer().text == "POST 1 x"
        server.signal(signal.SIGTERM)
        answer = wire.answer()
        assert (answer.text, answer.fields["connection"]) == ("waited", "close")
        wire.assert_end()
    assert server.wait() == 0
