"""Each handler that is shipped in `handlers`, as a client sees it."""

import time
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.frames import Close
from websockets.sync.client import connect

from wire import DEADLINE


def open_connection(server, path, **options):
    options.setdefault("compression", None)
    options.setdefault("open_timeout", DEADLINE)
    options.setdefault("close_timeout", DEADLINE)
    return connect(server.url(path), **options)


def end_of(client, timeout=DEADLINE):
    """Receives until the connection ends; (what came, the ConnectionClosed)."""
    received = []
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            received.append(client.recv(timeout=timeout))
    return received, caught.value


def refusal(server, path, **options):
    """The server's answer to a handshake that it refuses."""
    with pytest.raises(InvalidStatus) as caught:
        open_connection(server, path, **options)
    return caught.value.response


@pytest.mark.parametrize("path", ["/echo", "/echo_noext"])
@pytest.mark.parametrize("message", ["", "hello", "grüße 世界 🌍", b"", bytes(range(256)), "x" * 100_000])
def test_echo(server, path, message):
    with open_connection(server, path) as client:
        client.send(message)
        assert client.recv(timeout=DEADLINE) == message


def test_echo_keeps_the_order(server):
    with open_connection(server, "/echo") as client:
        for number in range(1_000):
            client.send(str(number))
        assert [client.recv(timeout=DEADLINE) for _ in range(1_000)] == [str(n) for n in range(1_000)]


@pytest.mark.parametrize("path", ["/echo", "/echo_noext"])
def test_goodbye_ends_echo(server, path):
    with open_connection(server, path) as client:
        client.send("Goodbye")
        received, end = end_of(client)
    assert received == ["Goodbye"]
    assert end.rcvd.code == 1000
    assert end.rcvd_then_sent


def test_goodbye_in_binary_does_not(server):
    with open_connection(server, "/echo") as client:
        client.send(b"Goodbye")
        assert client.recv(timeout=DEADLINE) == b"Goodbye"
        client.send("still here")
        assert client.recv(timeout=DEADLINE) == "still here"


def test_echo_noext_grants_no_extension(server):
    with open_connection(server, "/echo_noext", compression="deflate") as client:
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        client.send("plain " * 100)
        assert client.recv(timeout=DEADLINE) == "plain " * 100


@pytest.mark.parametrize("line, close", [
    ("3000 had enough", Close(3000, "had enough")),
    ("1000", Close(1000, "")),
    ("4999 grüße  zwei", Close(4999, "grüße  zwei")),
    ("1001 " + "x" * 123, Close(1001, "x" * 123)),
])
def test_close_closes_as_told(server, line, close):
    with open_connection(server, "/close") as client:
        client.send(line)
        received, end = end_of(client)
    assert (received, end.rcvd) == ([], close)
    assert end.rcvd_then_sent


@pytest.mark.parametrize("line", ["1005 not allowed", "999", "5000", "65535", "3000 " + "x" * 124])
def test_close_refuses_what_must_not_be_sent(server, line):
    with open_connection(server, "/close") as client:
        client.send(line)
        assert end_of(client)[1].rcvd.code == 1011


@pytest.mark.parametrize("line", ["", "soon", "-1", "65536", "3000x"])
def test_close_explains_itself(server, line):
    with open_connection(server, "/close") as client:
        client.send(line)
        assert "CODE REASON" in client.recv(timeout=DEADLINE)
        client.send("3001 now")
        assert end_of(client)[1].rcvd == Close(3001, "now")


@pytest.mark.parametrize("code, reason", [(1000, ""), (1001, "leaving"), (3456, "my own"), (4999, "é")])
def test_close_echoes_the_clients_close(server, code, reason):
    with open_connection(server, "/close") as client:
        client.close(code, reason)
        _, end = end_of(client)
    assert end.rcvd == Close(code, reason)
    assert not end.rcvd_then_sent


def test_origin_check_lets_in_example_com(server):
    with open_connection(server, "/origin_check", origin="http://example.com") as client:
        client.send("in")
        assert client.recv(timeout=DEADLINE) == "in"


@pytest.mark.parametrize("origin", [
    None, "http://example.org", "https://example.com", "http://example.com:8080",
    "http://example.com.evil.test", "null",
])
def test_origin_check_refuses_others(server, origin):
    response = refusal(server, "/origin_check", origin=origin)
    assert response.status_code == 403
    assert b"example.com" in response.body


@pytest.mark.parametrize("path, cookies", [
    ("/cookie", []),
    ("/cookie?set", ["foo=bar; Max-Age=86400"]),
    ("/cookie?set_httponly", ["httpOnlyFoo=bar; Max-Age=86400; HttpOnly"]),
    ("/cookie?clear", ["foo=0; Max-Age=0", "httpOnlyFoo=0; Max-Age=0; HttpOnly"]),
])
def test_cookie(server, path, cookies):
    with open_connection(server, path) as client:
        assert client.response.headers.get_all("Set-Cookie") == cookies
        received, end = end_of(client)
    assert (received, end.rcvd.code) == ([], 1000)


def test_hsts(server):
    with open_connection(server, "/hsts") as client:
        assert client.response.headers["Strict-Transport-Security"] == "max-age=86400"
        received, end = end_of(client)
    assert (received, end.rcvd.code) == (["Hello"], 1000)


def test_abort_ends_without_a_close_frame(server):
    with open_connection(server, "/abort") as client:
        received, end = end_of(client)
    assert (received, end.rcvd) == ([], None)


def test_abort_handshake_answers_nothing(server):
    with pytest.raises((InvalidMessage, EOFError, ConnectionResetError)) as caught:
        open_connection(server, "/abort_handshake")
    # What is behind it: the connection ended before the first byte of an answer.
    assert not isinstance(caught.value, InvalidStatus)


def test_internal_error_is_1011_and_logged(server):
    start = len(server.stderr_lines())
    with open_connection(server, "/internal_error") as client:
        received, end = end_of(client)
    assert (received, end.rcvd.code) == ([], 1011)
    assert "/internal_error" in server.wait_for_line("NotToday", start=start)


def test_bench_sends_so_often(server):
    with open_connection(server, "/bench") as client:
        client.send("0.1 4 a message of words")
        begin = time.monotonic()
        assert [client.recv(timeout=DEADLINE) for _ in range(4)] == ["a message of words"] * 4
        assert 0.25 < time.monotonic() - begin < 3
        client.send("0 500 fast")
        assert [client.recv(timeout=DEADLINE) for _ in range(500)] == ["fast"] * 500


@pytest.mark.parametrize("line", [
    "", "hello", "1 2", "x 2 m", "1 x m", "-1 2 m", "nan 2 m", "inf 2 m", "1e300 2 m", "1 -2 m",
    "1 99999999999999999999 m",
])
def test_bench_explains_itself(server, line):
    with open_connection(server, "/bench") as client:
        client.send(line)
        assert "SECONDS COUNT MESSAGE" in client.recv(timeout=DEADLINE)


def test_bench_stops_when_the_client_closes(server):
    # Without max_queue=None the client stops reading when 16 messages wait, and misses the Close.
    with open_connection(server, "/bench", max_queue=None) as client:
        client.send("0.05 100000 tick")
        assert client.recv(timeout=DEADLINE) == "tick"
        begin = time.monotonic()
        client.close()
        assert time.monotonic() - begin < 3
        assert end_of(client)[1].rcvd.code == 1000


def test_hello_repeats(server):
    # Before the first one can be sent, however late this gets to reading it.
    begin = time.monotonic()
    with open_connection(server, "/hello?seconds=0.1") as client:
        assert [client.recv(timeout=DEADLINE) for _ in range(4)] == ["hello world"] * 4
        assert 0.25 < time.monotonic() - begin < 3


@pytest.mark.parametrize("query", ["", "?seconds=3600", "?seconds=nan", "?seconds=1e300", "?seconds=-1"])
def test_hello_begins_at_once_and_ends_promptly(server, query):
    with open_connection(server, "/hello" + query) as client:
        assert client.recv(timeout=DEADLINE) == "hello world"
        client.send("ignored")
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.3)
        begin = time.monotonic()
        client.close(1000, "enough")
        assert time.monotonic() - begin < 0.8
        assert end_of(client)[1].rcvd == Close(1000, "enough")


def test_say(server):
    with open_connection(server, "/say") as client:
        assert client.recv(timeout=DEADLINE) == "You are connected"
        client.send("grüße")
        client.send(b"1234")
        assert client.recv(timeout=DEADLINE) == "You said grüße"
        assert client.recv(timeout=DEADLINE) == "You said 4 bytes"


def test_suffix_is_not_ascii(server):
    with open_connection(server, "/suffix") as client:
        client.send("Guten Tag")
        answer = client.recv(timeout=DEADLINE)
    assert answer.startswith("Guten Tag") and not answer.isascii()


def test_print_prints_escaped(server):
    with open_connection(server, "/print") as client:
        client.send("a line\x1b[31m of \"text\"\nand ü more, print_test")
        client.send(b"\x00\x01\x02")
        line = server.wait_for_line("print_test", stream="stdout")
        assert server.wait_for_line("3 bytes", stream="stdout")
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.2)
    assert line.startswith("a line") and "\x1b" not in line and "ü" in line


def test_the_page_lists_the_handlers(server):
    with urllib.request.urlopen(server.http_url("/"), timeout=DEADLINE) as response:
        page = response.read().decode()
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for path in ["/echo", "/hello", "/internal_error"]:
        assert f'data-path="{path}"' in page


def test_a_plain_get_of_a_handler_is_told_to_upgrade(server):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(server.http_url("/echo"), timeout=DEADLINE)
    with caught.value as response:
        assert response.code == 426
