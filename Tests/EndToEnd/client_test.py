"""The client program: its options, what it prints, and its exit codes, over real sockets.

WEBSOCKETHOST_CLIENT_COMMAND names another command than the checkout's `standalone.sh client`.
"""

import base64
import contextlib
import hashlib
import json
import os
import re
import shlex
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from conftest import Server
from wire import (
    CLOSE, DEADLINE, HANDLERS, REPEAT_WINDOW, REPOSITORY, TEXT, close_body, occupied_port, unanswered_port)

SUCCESS, LOST, USAGE, CANNOT_CONNECT, REFUSED, UNEXPECTED, TIMED_OUT = range(7)

# The first run compiles it.
START_TIMEOUT = 900

COMMAND = shlex.split(
    os.environ.get("WEBSOCKETHOST_CLIENT_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh")) + " client")


class Result:
    """What a run of the client came to."""

    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout, stderr

    @property
    def events(self):
        """The objects of --json, without their times."""
        events = [json.loads(line) for line in self.stdout.splitlines()]
        for event in events:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("time")), event
        return events

    def __repr__(self):
        return f"exit code {self.code}\n{self.stdout}\n{self.stderr}"


def run(*arguments, lines=""):
    """Runs the client with the text as its standard input."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], input=lines, capture_output=True, text=True, encoding="utf-8",
        timeout=START_TIMEOUT)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def host():
    """A server with the handlers of these tests."""
    server = Server(handlers=HANDLERS)
    yield server
    assert server.stop() == 0


class RawServer:
    """Accepts one connection, keeps the request's head, and answers with what `talk` does."""

    def __init__(self, talk):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(DEADLINE)
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}/raw"
        self.lines = []
        self._talk = talk
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        connection, _ = self._listener.accept()
        connection.settimeout(DEADLINE)
        with connection:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += connection.recv(1)
            self.lines = head.decode().split("\r\n")
            # The client may end at once: that is what some tests are about.
            with contextlib.suppress(OSError):
                self._talk(self, connection)

    def join(self):
        self._thread.join(DEADLINE)
        self._listener.close()
        assert not self._thread.is_alive()

    def switch(self, connection, *lines, accept=None):
        """Sends a 101 that fits the request's key."""
        key = next(line.split(": ")[1] for line in self.lines if line.startswith("Sec-WebSocket-Key: "))
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        accept = accept or base64.b64encode(digest).decode()
        connection.sendall("\r\n".join([
            "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {accept}", *lines, "", ""]).encode())


@contextlib.contextmanager
def raw_server(talk):
    server = RawServer(talk)
    yield server
    server.join()


def frame_of_server(opcode, payload=b""):
    return bytes([0x80 | opcode, len(payload)]) + payload


def wait_for_end(connection):
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


# --- One shot -------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, code, stdout", [
    (["--send", "Hello", "--expect", "Hello"], SUCCESS, "< Hello\n"),
    (["--send", "Hello"], SUCCESS, "< Hello\n"),
    (["--send", "日本", "--send", ""], SUCCESS, "< 日本\n< \n"),
    (["--send", "a", "--send", "b", "--expect", "a", "--expect", "b"], SUCCESS, "< a\n< b\n"),
    (["--send", "a", "--send", "b", "--expect", "a", "--expect", "c"], UNEXPECTED, "< a\n< b\n"),
    (["--send", "a", "--expect", "A"], UNEXPECTED, "< a\n"),
    (["--send-hex", "00ff", "--expect-hex", "00 FF"], SUCCESS, "< (2 bytes)\n"),
    (["--send-hex", "61", "--expect", "a"], UNEXPECTED, "< (1 byte)\n"),
    (["--hex", "--send-hex", "00ff"], SUCCESS, "< (2 bytes) 00ff\n"),
    (["-m", "a,b"], SUCCESS, "< a\n< b\n"),
    (["-m", "a", "--send", "b", "--expect", "b"], SUCCESS, "< a\n< b\n"),
    (["-q", "-m", "a,b"], SUCCESS, ""),
    (["--send", "a", "--receive", 0], SUCCESS, ""),
    (["--send", "a", "--receive", 2, "-k", 0.3], TIMED_OUT, "< a\n"),
    (["-m", "a,Goodbye"], SUCCESS, "< a\n< Goodbye\n"),
    (["--send", "Goodbye", "--receive", 2], UNEXPECTED, "< Goodbye\n"),
    (["--ping"], SUCCESS, ""),
])
def test_one_shot(server, arguments, code, stdout):
    result = run(server.url("/echo"), *arguments)
    assert (result.code, result.stdout) == (code, stdout), result


def test_options_of_pywebsocket3(server):
    result = run("-s", "localhost", "-p", server.port, "-r", "/echo", "-o", "http://example.com", "-k", 5,
                 "-m", "a,b", "--use-permessage-deflate", "--log-level", "error")
    assert (result.code, result.stdout) == (SUCCESS, "< a\n< b\n"), result
    assert f"connected to ws://localhost:{server.port}/echo, permessage-deflate" in result.stderr


def test_json(server):
    result = run(server.url("/echo"), "--json", "--ping", "--send", 'a"\n\x01', "--send-hex", "00ff")
    opened, pong, text, binary, closed = result.events
    assert (opened["event"], opened["url"], opened["subprotocol"]) == ("open", server.url("/echo"), None)
    assert opened["compression"].startswith("permessage-deflate; server_no_context_takeover")
    assert pong["event"] == "pong" and 0 < pong["milliseconds"] < 60_000
    assert text == {"event": "text", "bytes": 4, "text": 'a"\n\x01'}
    assert binary == {"event": "binary", "bytes": 2, "hex": "00ff"}
    assert closed == {"event": "close", "code": 1000, "reason": ""}
    assert (result.code, result.stderr) == (SUCCESS, "")


@pytest.mark.parametrize("text, code, close", [
    ("1000 bye", UNEXPECTED, "closed: 1000 bye"), ("4000 enough", LOST, "closed: 4000 enough"),
    ("1011", LOST, "closed: 1011"), ("0", UNEXPECTED, "closed: 1005"),
])
def test_the_server_closes_early(host, text, code, close):
    result = run(host.url("/close"), "--send", text)
    assert result.code == code and close in result.stderr, result
    assert "the server closed before all messages had arrived" in result.stderr


def test_a_long_message_goes_through_compression(server):
    text = "long " * 20_000
    for mode in ("off", "shared", "dedicated"):
        result = run(server.url("/echo"), "--compression", mode, "--json", "--send", text, "--expect", text)
        assert result.code == SUCCESS
        assert (result.events[0]["compression"] is None) == (mode == "off")


def test_message_limit(server):
    result = run(server.url("/echo"), "--max-message-size", 10, "--send", "x" * 11)
    assert result.code == LOST and "the server broke the protocol" in result.stderr, result


# --- Handshake ------------------------------------------------------------------------------------


def test_what_is_sent():
    def refuse(server, connection):
        connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 6\r\n\r\nlater\n")
    with raw_server(refuse) as raw:
        result = run(raw.url, "--header", "X-One: 1", "--header", "x-one:2", "--cookie", "a=b", "--cookie", "c=d",
                     "-o", "https://example.com", "--subprotocol", "chat.v2", "--subprotocol", "chat",
                     "--compression", "off")
    assert result.code == REFUSED
    assert "client: handshake refused: 503 Service Unavailable\nlater\n" in result.stderr
    assert raw.lines[0] == "GET /raw HTTP/1.1"
    for line in ("X-One: 1", "x-one: 2", "Cookie: a=b; c=d", "Origin: https://example.com",
                 "Sec-WebSocket-Protocol: chat.v2, chat"):
        assert line in raw.lines
    assert not any(line.startswith("Sec-WebSocket-Extensions") for line in raw.lines)


def test_subprotocol(host):
    result = run(host.url("/handshake"), "--subprotocol", "b", "--subprotocol", "a", "--expect", "a", "--json")
    assert result.code == SUCCESS and result.events[0]["subprotocol"] == "a", result
    assert run(host.url("/handshake"), "--subprotocol", "a,b").code == USAGE


@pytest.mark.parametrize("query, code, says", [
    ("unauthorized", REFUSED, "handshake refused: 401 Unauthorized\nWho are you?"),
    ("redirect", REFUSED, "(Location: /echo)"),
    ("throw", REFUSED, "handshake refused: 403 Forbidden"),
    ("abort", CANNOT_CONNECT, "the server closed before it had answered"),
])
def test_refused(host, query, code, says):
    result = run(host.url(f"/handshake?do={query}"), "--send", "x")
    assert result.code == code and says in result.stderr and result.stdout == "", result


def test_refused_in_json(host):
    result = run(host.url("/handshake?do=unauthorized"), "--json")
    event, = result.events
    assert (event["event"], event["exitCode"], event["status"]) == ("error", REFUSED, 401)
    assert event["body"] == "Who are you?\n" and result.code == REFUSED


def test_a_refusal_cannot_steer_the_terminal():
    def refuse(server, connection):
        connection.sendall(b"HTTP/1.1 404 \x1b[31mRed\r\nContent-Length: 9\r\n\r\n\x1b[31mred\n\n")
    with raw_server(refuse) as raw:
        result = run(raw.url)
    assert result.code == REFUSED and "\x1b" not in result.stderr, result


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 101 Yes\r\n\r\n"])
def test_no_websocket_server(answer):
    with raw_server(lambda server, connection: connection.sendall(answer)) as raw:
        assert run(raw.url).code == REFUSED


def test_wrong_accept_key():
    with raw_server(lambda server, connection: server.switch(connection, accept="x")) as raw:
        assert run(raw.url).code == REFUSED


@pytest.mark.parametrize("arguments, code", [
    ([], USAGE), (["ws://a", "ws://b"], USAGE), (["--nonsense"], USAGE), (["http://localhost/"], USAGE),
    (["ws://localhost/#x"], USAGE), (["ws://localhost/", "-k", "x"], USAGE), (["ws://no-such-host.invalid/"], CANNOT_CONNECT),
    (["wss://localhost/", "--ca", "/nowhere.pem"], USAGE),
])
def test_no_connection(arguments, code):
    result = run(*arguments)
    assert result.code == code and result.stderr and not result.stdout, result


def test_nobody_answers():
    with unanswered_port() as port:
        assert run(f"ws://127.0.0.1:{port}/").code == CANNOT_CONNECT
    with occupied_port() as port:
        result = run(f"ws://127.0.0.1:{port}/", "--timeout", 0.3)
    assert result.code == TIMED_OUT and "no connection within the time limit" in result.stderr


def test_help():
    result = run("--help")
    assert result.code == SUCCESS and "Exit codes: 0 closed cleanly" in result.stdout


def test_version():
    result = run("--version")
    assert result.code == SUCCESS and result.stdout.startswith("WebSocketHost "), result


# --- Ends -----------------------------------------------------------------------------------------


def lose(server, connection):
    server.switch(connection)
    connection.sendall(frame_of_server(TEXT, b"hi"))


def break_protocol(server, connection):
    server.switch(connection)
    connection.sendall(frame_of_server(TEXT, b"\xff"))
    wait_for_end(connection)


@pytest.mark.parametrize("talk, arguments, stdout, says", [
    (lose, ["--receive", 2], "< hi\n", "ended it without a Close"),
    (lose, [], "< hi\n", "ended it without a Close"),
    (break_protocol, ["--receive", 1], "", "the server broke the protocol"),
    (break_protocol, [], "", "the server broke the protocol"),
])
def test_lost(talk, arguments, stdout, says):
    with raw_server(talk) as raw:
        result = run(raw.url, *arguments, "--linger" if not arguments else "--timeout", DEADLINE)
    assert (result.code, result.stdout) == (LOST, stdout) and says in result.stderr, result


def test_json_of_a_lost_connection():
    with raw_server(lose) as raw:
        result = run(raw.url, "--json", "--receive", 2)
    assert [event["event"] for event in result.events] == ["open", "text", "error"]
    assert result.events[-1]["exitCode"] == result.code == LOST


# --- Lines ----------------------------------------------------------------------------------------


def test_lines(server):
    result = run(server.url("/echo"), "--hex", lines="one\n\n/binary 00ff\n//two\nlast without end")
    assert (result.code, result.stdout) == (SUCCESS, "< one\n< \n< (2 bytes) 00ff\n< /two\n< last without end\n")
    assert result.stderr.endswith("closed: 1000\n")


def test_many_lines(server):
    lines = [f"line {number}" for number in range(2_000)]
    result = run(server.url("/echo"), lines="\n".join(lines))
    assert result.code == SUCCESS and result.stdout.splitlines() == ["< " + line for line in lines]


def test_commands(server):
    lines = "/nonsense\n/binary 0\n/ping x\n/close 1005\n/close x\n/help\n/close 4001 that is all\nnot sent\n"
    result = run(server.url("/echo"), lines=lines)
    assert (result.code, result.stdout) == (SUCCESS, ""), result
    for text in ("no such command", "/binary takes pairs", "close code 1005 may not be sent", "/close takes a number",
                 "//TEXT", "closed: 4001 that is all\n"):
        assert text in result.stderr


def test_the_server_closes_while_lines_are_awaited(host):
    process = subprocess.Popen([*COMMAND, host.url("/close"), "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    try:
        process.stdin.write("4000 enough\n")
        process.stdin.flush()
        # Its standard input stays open: the Close alone has to end it.
        assert process.wait(START_TIMEOUT) == LOST
        event = json.loads(process.stdout.readlines()[-1])
        assert (event["event"], event["code"], event["reason"]) == ("close", 4000, "enough")
    finally:
        process.kill()
        process.communicate()


def test_a_line_that_is_too_long(server):
    result = run(server.url("/echo"), "--max-line-size", 5, lines="12345\n123456\nnot sent\n")
    assert (result.code, result.stdout) == (USAGE, "< 12345\n"), result
    assert "closed: 1000\nclient: a line of the input is longer than 5 bytes (--max-line-size)" in result.stderr


def test_a_line_of_a_megabyte(server):
    line = "x" * (1 << 20)
    assert run(server.url("/echo"), lines=line).stdout == f"< {line}\n"
    assert run(server.url("/echo"), lines=line + "x").code == USAGE


def test_a_server_that_never_pauses_is_left():
    def talk(server, connection):
        server.switch(connection)
        connection.setblocking(False)
        data = b""
        with contextlib.suppress(BlockingIOError):
            data += connection.recv(65536)
        while b"\x88\x82" not in data:  # a masked Close with a code
            connection.setblocking(True)
            connection.settimeout(DEADLINE)
            connection.sendall(frame_of_server(TEXT, b"more"))
            connection.settimeout(0.01)
            with contextlib.suppress(TimeoutError):
                data += connection.recv(65536)
        connection.settimeout(DEADLINE)
        connection.sendall(frame_of_server(CLOSE, close_body(1000)))
        wait_for_end(connection)
    with raw_server(talk) as raw:
        began = time.monotonic()
        result = run(raw.url, "--linger", 0.2, "--timeout", 1, lines="")
    assert result.code == SUCCESS and set(result.stdout.splitlines()) == {"< more"}, result
    assert 1 <= time.monotonic() - began < DEADLINE


def test_the_end_of_the_input_waits_for_answers():
    def answer_late(server, connection):
        server.switch(connection)
        connection.recv(65536)
        connection.sendall(frame_of_server(TEXT, b"late"))
        header = connection.recv(65536)
        assert header[0] == 0x80 | CLOSE
        connection.sendall(frame_of_server(CLOSE, close_body(1000)))
    with raw_server(answer_late) as raw:
        result = run(raw.url, lines="x\n")
    assert (result.code, result.stdout) == (SUCCESS, "< late\n"), result


def test_the_reader_of_the_output_leaves(server):
    process = subprocess.Popen([*COMMAND, server.url("/echo")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        process.stdin.write("one\n")
        process.stdin.flush()
        assert process.stdout.readline() == "< one\n"
        process.stdout.close()
        process.stdin.write("two\n")
        process.stdin.flush()
        assert process.wait(DEADLINE) == LOST
    finally:
        process.kill()
        process.stdin.close()


# --- Signals --------------------------------------------------------------------------------------


class Running:
    """A client that is connected, with its standard input open, to a server that does what `talk` does then."""

    def __init__(self, talk, *arguments):
        self.raw = RawServer(talk)
        self.process = subprocess.Popen(
            [*COMMAND, self.raw.url, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.raw.join()

    def end(self):
        code = self.process.wait(DEADLINE)
        stdout, stderr = self.process.communicate()
        return Result(code, stdout, stderr)


def masked_payload(frame):
    mask, payload = frame[2:6], frame[6:]
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("arguments", [[], ["--send", "x", "--receive", "2"], ["--ping"]])
def test_a_signal_closes_first(number, code, arguments):
    closes = []

    def talk(server, connection):
        server.switch(connection)
        connection.sendall(frame_of_server(TEXT, b"hi"))
        running.process.stdout.readline() if not arguments else connection.recv(65536)
        running.process.send_signal(number)
        closes.append(connection.recv(65536))
        connection.sendall(frame_of_server(CLOSE, close_body(1001, "bye")))
        wait_for_end(connection)
    with Running(talk, *arguments) as running:
        result = running.end()
    assert result.code == code and "client:" not in result.stderr and "closed: 1001 bye" in result.stderr, result
    assert closes[0][0] == 0x80 | CLOSE and masked_payload(closes[0]) == close_body(1001)


def test_a_second_signal_does_not_wait():
    def talk(server, connection):
        server.switch(connection)
        connection.sendall(frame_of_server(TEXT, b"hi"))
        running.process.stdout.readline()
        running.process.send_signal(signal.SIGINT)
        assert connection.recv(65536)[0] == 0x80 | CLOSE
        time.sleep(REPEAT_WINDOW)
        running.process.send_signal(signal.SIGINT)
        wait_for_end(connection)
    with Running(talk) as running:
        began = time.monotonic()
        assert running.end().code == 130
    assert time.monotonic() - began < 4  # the Close is answered for 5 s


def test_one_wish_told_twice():
    """By a shell and its child: the Close is answered all the same."""
    def talk(server, connection):
        server.switch(connection)
        connection.sendall(frame_of_server(TEXT, b"hi"))
        running.process.stdout.readline()
        for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
            running.process.send_signal(number)
        assert connection.recv(65536)[0] == 0x80 | CLOSE
        connection.sendall(frame_of_server(CLOSE, close_body(1001, "bye")))
        wait_for_end(connection)
    with Running(talk) as running:
        result = running.end()
    assert result.code in (130, 143) and "closed: 1001 bye" in result.stderr, result


def test_a_signal_before_the_connection_is_open():
    def talk(server, connection):
        running.process.send_signal(signal.SIGINT)
        wait_for_end(connection)
    with Running(talk) as running:
        assert running.end().code == 130


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secure():
    server = Server("--tls-self-signed")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def certificate(secure, tmp_path_factory):
    """The server's own, as its start-up says to get it."""
    path = tmp_path_factory.mktemp("certificate") / "localhost.pem"
    path.write_text(ssl.get_server_certificate(("localhost", secure.port)))
    return path


def test_tls_trusts_nobody_by_itself(secure):
    result = run(secure.url("/echo"), "--send", "x")
    assert result.code == CANNOT_CONNECT and "certificate" in result.stderr, result


@pytest.mark.parametrize("arguments, code", [
    (["--insecure"], SUCCESS), (["--ca", "FILE"], SUCCESS), (["--ca", "FILE", "--server-name", "localhost"], SUCCESS),
    (["--ca", "FILE", "--server-name", "example.com"], CANNOT_CONNECT), (["--ca", __file__], USAGE),
])
def test_tls_trust(secure, certificate, arguments, code):
    arguments = [certificate if word == "FILE" else word for word in arguments]
    result = run(secure.url("/echo"), "--send", "x", "--expect", "x", *arguments)
    assert result.code == code, result
    assert ("TLSv1.3" in result.stderr) == (code == SUCCESS)


def test_tls_by_parts(secure, certificate):
    assert run("-t", "-p", secure.port, "--ca", certificate, "-m", "a").stdout == "< a\n"


def test_client_certificate(tmp_path, start_server):
    files = {}
    for name in ("server", "alice"):
        files[name] = [tmp_path / f"{name}.pem", tmp_path / f"{name}.key"]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost", "-out", files[name][0], "-keyout",
             files[name][1]], check=True, capture_output=True, timeout=DEADLINE)
    server = start_server("-t", "-c", files["server"][0], "-k", files["server"][1], "--tls-client-auth",
                          "--tls-client-ca", files["alice"][0])
    arguments = [server.url("/echo"), "--ca", files["server"][0], "--send", "x"]
    certificate, key = files["alice"]
    assert run(*arguments, "--certificate", certificate, "--private-key", key).code == SUCCESS
    # TLS 1.3 tells a client only behind the handshake that its certificate was wanted.
    assert run(*arguments).code in (CANNOT_CONNECT, LOST)
