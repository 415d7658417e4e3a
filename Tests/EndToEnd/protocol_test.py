"""RFC 6455 and HTTP/1.1 as they look on the wire."""

import asyncio
import socket
import struct

import pytest
import websockets

from conftest import Server
from wire import (
    ACCEPT, BINARY, CLOSE, CONTINUATION, HANDLERS, KEY, PING, PONG, TEXT, Frame, Wire, close_body,
    descriptor_count, frame, handshake, request, wait_until)


@pytest.fixture(scope="module")
def host():
    """One server with the test handlers, for all tests of this file."""
    server = Server("--log-level", "fine", handlers=HANDLERS)
    yield server
    server.stop()


# Handshakes, §4.2.1


def test_accept_key_of_the_rfc(host):
    answer = request(host, handshake(), has_body=False)
    assert answer.status == 101
    assert answer.fields["sec-websocket-accept"] == ACCEPT
    assert answer.fields["upgrade"].lower() == "websocket"
    assert answer.fields["connection"].lower() == "upgrade"
    assert "sec-websocket-protocol" not in answer.fields


@pytest.mark.parametrize("data", [
    handshake(Upgrade="WebSocket", Connection="keep-alive, UPGRADE"),
    handshake(Upgrade="h2c, websocket"),
    b"\r\n" + handshake(),
    handshake("http://localhost/echo"),
    handshake("/%65cho?query#"),
    handshake("/echo?a=%zz"),
    handshake(Sec_WebSocket_Extensions="unknown; a=1; b, permessage-foo"),
], ids=["case", "list", "empty line before", "absolute target", "escapes", "odd query", "extensions"])
def test_unusual_but_right_handshake(host, data):
    with Wire.connect(host) as wire:
        wire.send(data)
        assert wire.head().status == 101
        wire.echo()


def test_handshake_byte_by_byte(host):
    with Wire.connect(host) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in handshake() + frame(TEXT, "slow"):
            wire.send(bytes([byte]))
        assert wire.head().status == 101
        assert wire.text() == "slow"


def test_frames_right_behind_the_handshake(host):
    with Wire.connect(host) as wire:
        wire.send(handshake("/handshake?do=sleep&seconds=0.1") + frame(TEXT, "1") + frame(TEXT, "2"))
        assert wire.head().status == 101
        assert [wire.text() for _ in range(3)] == ["none", "1", "2"]


BAD_HANDSHAKES = {
    "no Connection": (handshake(drop=["Connection"]), "Connection"),
    "Connection without Upgrade": (handshake(Connection="keep-alive"), "Connection"),
    "POST": (handshake(method="POST"), "GET"),
    "lower-case method": (handshake(method="get"), "GET"),
    "HTTP/1.0": (handshake(version="HTTP/1.0"), "HTTP/1.1"),
    "no Host": (handshake(drop=["Host"]), "Host"),
    "two Hosts": (handshake(extra=["Host: b"]), "Host"),
    "malformed Host": (handshake(host="a b"), "Host"),
    "body": (handshake(Content_Length="5") + b"hello", "body"),
    "chunked body": (handshake(Transfer_Encoding="chunked"), "body"),
    "no version": (handshake(drop=["Sec-WebSocket-Version"]), "Sec-WebSocket-Version"),
    "no key": (handshake(drop=["Sec-WebSocket-Key"]), "Sec-WebSocket-Key"),
    "empty key": (handshake(Sec_WebSocket_Key=""), "Sec-WebSocket-Key"),
    "two keys": (handshake(extra=["Sec-WebSocket-Key: " + KEY]), "Sec-WebSocket-Key"),
    "key of 15 bytes": (handshake(Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAA"), "Sec-WebSocket-Key"),
    "key that is no base64": (handshake(Sec_WebSocket_Key="!" * 22 + "=="), "Sec-WebSocket-Key"),
    "subprotocol with a blank": (handshake(Sec_WebSocket_Protocol="a b"), "Sec-WebSocket-Protocol"),
    "subprotocol twice": (handshake(Sec_WebSocket_Protocol="a, b, a"), "a twice"),
    "empty subprotocol": (handshake(Sec_WebSocket_Protocol=""), "Sec-WebSocket-Protocol"),
    "malformed extension": (handshake(Sec_WebSocket_Extensions="a; ="), "Sec-WebSocket-Extensions"),
    "escape in the target": (handshake("/%zz"), "target"),
    "NUL in the target": (handshake("/echo%00"), "target"),
}


@pytest.mark.parametrize("data, reason", BAD_HANDSHAKES.values(), ids=BAD_HANDSHAKES)
def test_bad_handshake(host, data, reason):
    with Wire.connect(host) as wire:
        wire.send(data)
        answer = wire.answer()
        assert answer.status == 400
        assert reason in answer.text
        wire.assert_end()


@pytest.mark.parametrize("version", ["8", "12", "14", "013", "13, 14", "x"])
def test_wrong_version_is_told_the_right_one(host, version):
    answer = request(host, handshake(Sec_WebSocket_Version=version))
    assert answer.status == 400
    assert answer.fields["sec-websocket-version"] == "13"


def test_plain_request_on_a_handler(host):
    answer = request(host, b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.status == 426
    assert answer.fields["upgrade"] == "websocket"
    assert "Upgrade" in answer.fields["connection"]


@pytest.mark.parametrize("path", ["/nothing", "/echo/", "/ECHO", "//echo", "/echo_wsh.swift", "/sub%20dir"])
def test_unknown_path(host, path):
    assert request(host, handshake(path)).status == 404
    assert request(host, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()).status == 404


def test_encoded_path(host):
    with Wire.open(host, "/sub%20dir/dotted.name") as wire:
        wire.echo()


@pytest.mark.parametrize("query, status, text", [
    ("do=unauthorized", 401, "Who are you?"),
    ("do=redirect", 302, ""),
    ("do=throw", 403, "refused"),
])
def test_handler_refuses_handshake(host, query, status, text):
    with Wire.connect(host) as wire:
        wire.send(handshake("/handshake?" + query))
        answer = wire.answer()
        assert answer.status == status and text in answer.text
        assert answer.fields.get("location") == ("/echo" if status == 302 else None)
        wire.assert_end()


def test_handler_aborts_handshake(host):
    with Wire.connect(host) as wire:
        wire.send(handshake("/handshake?do=abort"))
        wire.assert_end()


def test_handler_adds_field(host):
    answer = request(host, handshake("/handshake?do=field"), has_body=False)
    assert answer.status == 101 and answer.fields["x-test"] == "yes"


def test_subprotocol(host):
    with Wire.connect(host) as wire:
        wire.send(handshake("/handshake", Sec_WebSocket_Protocol="chat, superchat"))
        assert wire.head().fields["sec-websocket-protocol"] == "superchat"
        assert wire.text() == "superchat"


def test_subprotocols_that_nobody_chooses_are_warned_of_once(start_server):
    server = start_server(handlers=HANDLERS)
    for _ in range(2):
        with Wire.connect(server) as wire:
            wire.send(handshake("/echo", Sec_WebSocket_Protocol="chat"))
            assert "sec-websocket-protocol" not in wire.head().fields
            wire.echo()
    server.wait_for_line("/echo chose none of the subprotocols")
    assert server.stop() == 0
    assert sum("chose none" in line for line in server.stderr_lines()) == 1


# Heads that two programs may read differently, RFC 9112 §11.2


SMUGGLING = {
    "both lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
    "list of lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n",
    "signed length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n",
    "huge length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "chunked not last": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    "chunked twice": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
    "old version chunked": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "bare LF": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare CR": b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "folded line": b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
    "blank before colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    "empty name": b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
    "control in the target": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "two blanks": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "tab": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "blank after version": b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
    "version in lower case": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("data", SMUGGLING.values(), ids=SMUGGLING)
def test_smuggling(host, data):
    with Wire.connect(host) as wire:
        wire.send(data + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = wire.answer()
        assert answer.status == 400 and len(answer.text) > 10
        wire.assert_end()


def test_other_major_version(host):
    assert request(host, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n").status == 505


def test_unknown_transfer_coding(host):
    data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
    assert request(host, data).status == 501


# HTTP


def test_keep_alive_and_pipelining(host):
    with Wire.connect(host) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"
                  b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        page = wire.answer()
        head = wire.answer(has_body=False)
        assert (page.status, head.status, wire.answer().status) == (200, 200, 404)
        assert head.fields["content-length"] == str(len(page.body))
        assert "text/html" in page.fields["content-type"]
        wire.send(handshake())
        assert wire.head().status == 101
        wire.echo()


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
], ids=["close", "1.0", "body"])
def test_connection_ends_after_the_answer(host, data):
    with Wire.connect(host) as wire:
        wire.send(data)
        answer = wire.answer()
        assert answer.fields["connection"] == "close"
        wire.assert_end()


def test_other_method_on_the_page(host):
    answer = request(host, b"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.status == 405 and answer.fields["allow"] == "GET, HEAD"


def test_twenty_thousand_pipelined_requests(host):
    count = 20_000
    data = b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" * count
    answered, sent = b"", 0
    with Wire.connect(host) as wire:
        wire.socket.setblocking(False)

        def exchange():
            nonlocal answered, sent
            try:
                sent += wire.socket.send(data[sent:sent + 262_144]) if sent < len(data) else 0
            except BlockingIOError:
                pass
            try:
                answered += wire.socket.recv(1 << 20)
            except BlockingIOError:
                pass
            return answered.count(b"HTTP/1.1 404") == count
        wait_until(exchange, what=lambda: f"{answered.count(b'HTTP/1.1 404')} answers")


# Frames, §5


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000, 1 << 20])
def test_echo(host, size):
    payload = bytes(index % 251 for index in range(size))
    text = "é" * (size // 2) + "x" * (size % 2)
    with Wire.open(host) as wire:
        wire.send_frame(BINARY, payload)
        assert wire.frame() == Frame(BINARY, payload, True, 0)
        wire.send_frame(TEXT, text)
        assert wire.text() == text


def test_fragments_with_controls_between(host):
    with Wire.open(host) as wire:
        wire.send(frame(TEXT, b"\xc3", fin=False) + frame(PING, "p") + frame(CONTINUATION, b"", fin=False)
                  + frame(PONG, "unasked") + frame(CONTINUATION, b"\xa9"))
        assert wire.frame() == Frame(PONG, b"p", True, 0)
        assert wire.text() == "é"


def test_bytes_one_by_one(host):
    with Wire.open(host) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(TEXT, "a" * 130) + frame(BINARY, b"b") + frame(PING, b"c"):
            wire.send(bytes([byte]))
        received = [wire.frame().payload for _ in range(3)]
        received.remove(b"c")  # a Pong may overtake what the handler sends
        assert received == [b"a" * 130, b"b"]


BROKEN_FRAMES = {
    "no mask": frame(TEXT, "x", mask=None),
    "no mask on a control frame": frame(PING, "x", mask=None),
    **{f"reserved bits {bits}": frame(TEXT, "x", rsv=bits) for bits in (1, 2, 4, 7)},
    **{f"reserved opcode {code}": frame(code, "x") for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "long Ping": frame(PING, b"x" * 126),
    "long Close": frame(CLOSE, close_body(1000) + b"x" * 124),
    "long Pong, only announced": frame(PONG, claim=126),
    "fragmented Ping": frame(PING, "x", fin=False),
    "fragmented Close": frame(CLOSE, close_body(1000), fin=False),
    "length 125 in 2 bytes": frame(TEXT, b"x" * 125, width=2),
    "length 65535 in 8 bytes": frame(TEXT, b"x" * 65_535, width=8),
    "length 0 in 8 bytes": frame(BINARY, width=8),
    "length 2^63": frame(BINARY, claim=1 << 63, width=8),
    "length 2^64 - 1": frame(BINARY, claim=(1 << 64) - 1, width=8),
    "continuation of nothing": frame(CONTINUATION, "x"),
    "continuation after the end": frame(TEXT, "x", fin=False) + frame(CONTINUATION) + frame(CONTINUATION),
    "text in a message": frame(TEXT, "x", fin=False) + frame(TEXT, "y"),
    "binary in a message": frame(TEXT, "x", fin=False) + frame(BINARY, "y"),
    "Close body of one byte": frame(CLOSE, b"x"),
    **{f"close code {code}": frame(CLOSE, close_body(code)) for code in
       (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)},
}


@pytest.mark.parametrize("data", BROKEN_FRAMES.values(), ids=BROKEN_FRAMES)
def test_broken_frame(host, data):
    with Wire.open(host) as wire:
        wire.echo()
        wire.send(data)
        wire.assert_failed(1002)


def test_messages_before_a_broken_frame_are_answered(host):
    with Wire.open(host) as wire:
        wire.send(frame(TEXT, "1") + frame(TEXT, "2") + frame(3))
        assert [wire.text(), wire.text()] == ["1", "2"]
        wire.assert_failed(1002)


BAD_TEXT = {
    "lone continuation": b"\x80",
    "overlong": b"\xc0\xaf",
    "overlong of three": b"\xe0\x80\xaf",
    "surrogate": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "cut off": b"caf\xc3",
    "FF": b"a\xff",
}


@pytest.mark.parametrize("payload", BAD_TEXT.values(), ids=BAD_TEXT)
def test_bad_utf8(host, payload):
    with Wire.open(host) as wire:
        wire.send_frame(TEXT, payload)
        wire.assert_failed(1007)
    with Wire.open(host) as wire:
        wire.send(frame(TEXT, payload[:1], fin=False) + frame(CONTINUATION, payload[1:]))
        wire.assert_failed(1007)
    with Wire.open(host) as wire:
        wire.send_frame(CLOSE, close_body(1000) + payload)
        wire.assert_failed(1007)
    with Wire.open(host) as wire:
        wire.send_frame(BINARY, payload)
        assert wire.frame().payload == payload


@pytest.mark.parametrize("payload", [b"good \xff", b"good \xed\xa0", b"good \xf4\x90", b"good \xc0"])
def test_bad_utf8_fails_before_the_message_ends(host, payload):
    with Wire.open(host) as wire:
        wire.send_frame(TEXT, payload, claim=1_000)
        wire.assert_failed(1007)


def test_bad_utf8_in_an_earlier_fragment(host):
    with Wire.open(host) as wire:
        wire.send_frame(TEXT, b"\xff", fin=False)
        wire.assert_failed(1007)


@pytest.mark.parametrize("data", [
    frame(BINARY, claim=(1 << 20) + 1),
    frame(TEXT, claim=1 << 62),
    frame(BINARY, b"x" * (1 << 19), fin=False) + frame(CONTINUATION, b"x" * (1 << 19), fin=False)
    + frame(CONTINUATION, claim=1),
], ids=["announced", "2^62 announced", "in fragments"])
def test_too_long(host, data):
    with Wire.open(host) as wire:
        wire.send(data)
        wire.assert_failed(1009)


def test_limit_of_a_route(host):
    with Wire.open(host, "/small") as wire:
        wire.send_frame(BINARY, b"x" * 100)
        assert len(wire.frame().payload) == 100
        wire.send_frame(BINARY, b"x" * 101)
        wire.assert_failed(1009)


# Ping, §5.5.2


@pytest.mark.parametrize("size", [0, 1, 125])
def test_ping(host, size):
    with Wire.open(host) as wire:
        wire.send_frame(PING, b"p" * size)
        assert wire.frame() == Frame(PONG, b"p" * size, True, 0)


def test_ping_is_answered_while_the_handler_sleeps(host):
    with Wire.open(host, "/sleep") as wire:
        wire.send_frame(TEXT, "30")
        assert wire.text() == "sleeping"
        wire.send_frame(PING, "awake?")
        assert wire.frame() == Frame(PONG, b"awake?", True, 0)


def test_pieces_and_ping_of_a_handler(host):
    with Wire.open(host, "/pieces") as wire:
        frames = [wire.frame() for _ in range(4)]
        assert Frame(PING, bytes([1, 2, 3]), True, 0) in frames
        data = [(each.opcode, each.payload, each.fin) for each in frames if each.opcode != PING]
        assert data == [(TEXT, b"a", False), (CONTINUATION, b"b", False), (CONTINUATION, b"c", True)]
        wire.send_frame(PONG, bytes([1, 2, 3]))
        assert wire.text() == "answered"


# Close, §5.5.1 and §7


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
def test_close_is_echoed(host, code):
    with Wire.open(host) as wire:
        wire.send_frame(CLOSE, close_body(code, "because"))
        assert wire.close_frame() == (code, "because")
        wire.assert_end()


@pytest.mark.parametrize("body, answer", [
    (b"", (None, "")), (close_body(1000), (1000, "")), (close_body(4000, "é" * 61), (4000, "é" * 61)),
])
def test_close_bodies(host, body, answer):
    with Wire.open(host) as wire:
        wire.send_frame(CLOSE, body)
        assert wire.close_frame() == answer
        wire.assert_end()


def test_data_after_close_is_dropped(host):
    with Wire.open(host) as wire:
        wire.send(frame(TEXT, "1") + frame(CLOSE, close_body(1000)) + frame(TEXT, "2") + frame(PING, "3") + b"\xff\xff")
        assert wire.text() == "1"
        assert wire.close_frame() == (1000, "")
        wire.assert_end()


def test_close_inside_a_message(host):
    with Wire.open(host) as wire:
        wire.send(frame(TEXT, "a", fin=False) + frame(CLOSE, close_body(1000)))
        assert wire.close_frame() == (1000, "")
        wire.assert_end()


def test_close_while_the_handler_sleeps(host):
    with Wire.open(host, "/sleep") as wire:
        wire.send_frame(TEXT, "30")
        assert wire.text() == "sleeping"
        wire.send_frame(CLOSE, close_body(1000))
        assert wire.close_frame() == (1000, "")
        wire.assert_end()


def test_messages_before_the_close_are_answered(host):
    with Wire.open(host, "/sleep") as wire:
        wire.send(frame(TEXT, "0.2") + frame(TEXT, "0") + frame(CLOSE, close_body(1000)))
        assert [wire.text() for _ in range(4)] == ["sleeping", "slept"] * 2
        assert wire.close_frame() == (1000, "")


def test_hook_answers_the_close(host):
    with Wire.open(host, "/passive") as wire:
        wire.send_frame(CLOSE, close_body(4000, "x"))
        assert wire.close_frame() == (3001, "after 4000 x")
        wire.assert_end()


@pytest.mark.parametrize("command, close", [("1000", (1000, "")), ("4321 so", (4321, "so")), ("0", (None, ""))])
def test_handler_closes(host, command, close):
    with Wire.open(host, "/close") as wire:
        wire.send_frame(TEXT, command)
        assert wire.close_frame() == close
        wire.send_frame(TEXT, "dropped")
        wire.send_frame(CLOSE, close_body(1000))
        wire.assert_end()


@pytest.mark.parametrize("command", ["1005", "999", "5000", "1000 " + "x" * 124])
def test_handler_closes_in_a_way_that_must_not_be(host, command):
    with Wire.open(host, "/close") as wire:
        wire.send_frame(TEXT, command)
        assert wire.close_frame()[0] == 1011


def test_handler_returns(host):
    with Wire.open(host, "/leave") as wire:
        assert wire.text() == "bye"
        assert wire.close_frame() == (1000, "")
        wire.send_frame(CLOSE, close_body(1000))
        wire.assert_end()


def test_handler_throws(host):
    start = len(host.stderr_lines())
    with Wire.open(host, "/throw") as wire:
        port = wire.socket.getsockname()[1]  # another test's line may come late
        wire.send_frame(TEXT, "one\ntwo\x1b[31m")
        assert wire.close_frame()[0] == 1011
    line = host.wait_for_line(f":{port}: the handler threw", start=start)
    assert " error /throw " in line and "failed: one" in line
    assert "two" in line and "\x1b" not in line


def test_receive_with_a_time_limit(host):
    with Wire.open(host, "/patience") as wire:
        assert wire.text() == "nothing came"
        wire.send_frame(TEXT, "now")
        assert [wire.text(), wire.text()] == ["now", "nothing came"]
        assert wire.close_frame() == (1000, "")


# Clients that vanish


@pytest.mark.parametrize("data", [
    b"", b"GET /ec", handshake()[:-2], handshake() + b"\x81", handshake() + frame(TEXT, "abc")[:-1],
    handshake() + frame(TEXT, "a", fin=False), handshake() + frame(PING, claim=5),
    handshake("/handshake?do=sleep&seconds=0.3"), handshake("/sleep") + frame(TEXT, "0.3"),
    handshake("/flood") + frame(TEXT, "1000 100000"), handshake() + frame(CLOSE, close_body(1000)),
], ids=["at once", "in the request line", "in the head", "in a header", "in a frame", "in a message",
        "in a Ping", "while the handshake is answered", "while the handler sleeps",
        "while the handler sends", "after Close"])
@pytest.mark.parametrize("way", ["close", "reset", "half"])
def test_client_vanishes(host, data, way):
    wait_until(lambda: not open_connections(host))
    before = descriptor_count(host.pid)
    wire = Wire.connect(host)
    wire.send(data)
    if data.startswith(handshake()[:-2]) and len(data) > len(handshake()):
        wire.head()
    if way == "reset":
        wire.reset()
    elif way == "half":
        wire.socket.shutdown(socket.SHUT_WR)
        wait_until(lambda: not wire.receive())
        wire.socket.close()
    else:
        wire.socket.close()
    wait_until(lambda: descriptor_count(host.pid) <= before, what="a descriptor is left")
    with Wire.open(host) as other:
        other.echo()


def open_connections(server):
    """TCP connections of the server, as the kernel lists them: local port, not listening."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return [row for row in rows if row[1].endswith(f":{server.port:04X}") and row[3] in ("01", "08")]


def test_client_shuts_its_half_down_after_the_close(host):
    with Wire.open(host) as wire:
        wire.send_frame(CLOSE, close_body(1000, "bye"))
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.close_frame() == (1000, "bye")
        wire.assert_end()


# The log


def test_log_of_a_connection(host):
    start = len(host.stderr_lines())
    with Wire.open(host) as wire:
        port = wire.socket.getsockname()[1]
        wire.echo()
        wire.send_frame(CLOSE, close_body(4321))
        wire.close_frame()
    assert " info " in host.wait_for_line(f"open /echo 127.0.0.1:{port}", start=start)
    line = host.wait_for_line(f"close /echo 127.0.0.1:{port}", start=start)
    assert "code=4321" in line and "received 1 message " in line


@pytest.mark.parametrize("data", [
    handshake("/echo") + frame(CLOSE, close_body(1000, "a\nb\x1b[31m\u202ec\u2028d\x9be")),
    handshake("/echo") + frame(TEXT, "a\nb\x1b[31m\u202ec\u2028d\x9be") + frame(CLOSE, close_body(1000)),
    handshake("/samesite", Origin="http://a\u202eb\u2028c\x9bd"),
    handshake("/echo", Sec_WebSocket_Protocol="a\u202eb\u2028c\x9bd"),
    handshake("/echo", Sec_WebSocket_Key="a\u202eb\u2028c\x9bd"),
    handshake("/none%0Aa%1B%5B31m"),
    handshake("/echo", Sec_WebSocket_Version="\u202e\x9b"),
], ids=["close reason", "message", "origin", "subprotocol", "key", "path", "version"])
def test_log_has_no_control_characters(host, data):
    with Wire.connect(host) as wire:
        wire.send(data)
        wait_until(lambda: not wire.receive())
    with Wire.open(host) as wire:  # whatever was to be logged was logged before this
        port = wire.socket.getsockname()[1]
        host.wait_for_line(f"127.0.0.1:{port}")
    for line in host.stderr_lines():
        assert not any(character in line for character in "\x1b\x9b\u202e\u2028\r\0"), ascii(line)
        assert not line.startswith(("b", "a")), ascii(line)


# Another client


def test_python_websockets(host):
    async def talk():
        async with websockets.connect(host.url("/echo"), max_size=None) as client:
            for message in ["", "text", b"", b"bytes", "é" * 100_000, bytes(300_000)]:
                await client.send(message)
                assert await client.recv() == message
            await client.send(["in", " ", "pieces"])
            assert await client.recv() == "in pieces"
            await (await client.ping())
            await client.close(4000, "enough")
        assert (client.close_code, client.close_reason) == (4000, "enough")
    asyncio.run(asyncio.wait_for(talk(), 30))


def test_python_websockets_refused(host):
    async def fail():
        with pytest.raises(websockets.InvalidStatus) as raised:
            await websockets.connect(host.url("/handshake?do=unauthorized"))
        assert raised.value.response.status_code == 401
    asyncio.run(asyncio.wait_for(fail(), 30))


def test_shipped_echo(server):
    async def talk():
        async with websockets.connect(server.url("/echo")) as client:
            await client.send("Hello")
            assert await client.recv() == "Hello"
            await client.send("Goodbye")
            assert await client.recv() == "Goodbye"
            with pytest.raises(websockets.ConnectionClosedOK):
                await client.recv()
    asyncio.run(asyncio.wait_for(talk(), 30))
