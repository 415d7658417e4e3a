"""The log: formats, files, rotation, what is left out."""

import json
import re
import signal
import ssl
import time

import pytest

from blocked_log_test import unread
from wire import (
    CLOSE, HANDLERS, RSV1, TEXT, Wire, close_body, frame, handshake, request, wait_until)


@pytest.fixture
def start(start_server):
    """Starts a server with the test handlers."""
    return lambda *options: start_server(*options, handlers=HANDLERS)


def talk(server, text="hello", **changes):
    with Wire.open(server, **changes) as wire:
        wire.echo(text)
        wire.send_frame(CLOSE, close_body(1000))
        wire.close_frame()


def test_json(start):
    server = start("--log-format", "json")
    talk(server)
    request(server, handshake(Sec_WebSocket_Version="12\x1b"))
    request(server, handshake("/echo?secret", Sec_WebSocket_Version="12"))
    server.wait_for_line("bad")
    server.wait_for_line("refused")
    server.wait_for_line('"close"')
    server.stop()
    objects = [json.loads(line) for line in server.stderr_lines() if not line.startswith("standalone.sh:")]
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"]) and entry["level"] == "info"
        for entry in objects)
    opened = next(entry for entry in objects if entry.get("event") == "open")
    closed = next(entry for entry in objects if entry.get("event") == "close")
    assert opened["route"] == closed["route"] == "/echo" and opened["peer"] == closed["peer"]
    assert opened["connection"] == closed["connection"] and not closed["compressed"]
    assert (closed["code"], closed["messages_in"], closed["messages_out"]) == (1000, 1, 1)
    # What came after the handshake: a message with its mask and its echo, a Close and its answer.
    assert (closed["bytes_in"], closed["bytes_out"]) == (11 + 8, 7 + 4) and closed["duration_ms"] >= 0
    refused = next(entry for entry in objects if entry.get("event") == "refused")
    assert (refused["route"], refused["status"]) == ("/echo", 400) and "12" in refused["reason"]


def test_text_access_lines(start):
    server = start()
    talk(server, Sec_WebSocket_Extensions="permessage-deflate")
    assert server.wait_for_line("open /echo").endswith(" compressed")
    line = server.wait_for_line("close /echo")
    assert re.search(r"code=1000 \d+ ms, received 1 message \d+ bytes, sent 1 message \d+ bytes$", line)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_counts_leave_the_handshake_out(start, tls):
    """Early bytes count, which come in one go with the handshake."""
    server = start(*(["--tls-self-signed"] if tls else []))
    with Wire.connect(server) as wire:
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            wire.socket = context.wrap_socket(wire.socket)
        wire.send(handshake("/echo") + frame(TEXT, "early"))
        assert wire.head().status == 101
        assert wire.frame().payload == b"early"
        wire.send_frame(CLOSE, close_body(1000))
        wire.close_frame()
    line = server.wait_for_line("close /echo")
    assert line.endswith("received 1 message 19 bytes, sent 1 message 11 bytes")


REFUSED = [
    ("/nowhere", {}, 404, "Not found"),
    ("/echo", {"Sec_WebSocket_Version": "12"}, 400, 'is "12", not 13'),
    ("/echo", {"Sec_WebSocket_Key": "short"}, 400, "Key"),
    ("/samesite", {"Origin": "http://a.test"}, 403, "origin http://a.test is not allowed (--origin)"),
    ("/handshake?do=throw", {}, 403, "doExtraHandshake threw NoReason"),
    ("/handshake?do=unauthorized", {}, 401, "Who are you?"),
]


@pytest.mark.parametrize("path, changes, status, reason", REFUSED)
def test_refused_handshakes(start, path, changes, status, reason):
    server = start()
    path, _, query = path.partition("?")
    assert request(server, handshake(f"{path}?{query}&secret", **changes)).status == status
    line = server.wait_for_line("refused ")
    assert re.search(rf" refused {path} 127\.0\.0\.1:\d+ {status}: ", line) and reason in line
    assert not any("secret" in line for line in server.stderr_lines())


def test_refused_without_an_answer(start):
    server = start()
    with Wire.connect(server) as wire:
        wire.send(handshake("/handshake?do=abort"))
        assert not wire.receive()
    assert re.search(r"refused /handshake 127.0.0.1:\d+: closed without an answer$", server.wait_for_line("refused"))


def test_flood_of_refused_handshakes(start):
    server = start()
    for _ in range(50):
        assert request(server, handshake("/nowhere")).status == 404
    server.wait_for_line("refused handshakes: and ")


def get(server, target, method="GET"):
    return request(server, f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), has_body=method != "HEAD")


def test_requests(start, tmp_path):
    (tmp_path / "file.txt").write_text("12345")
    server = start("-d", tmp_path, "--log-format", "json")
    get(server, "/file.txt?secret")
    get(server, "/file.txt", "HEAD")
    get(server, "/none")
    get(server, "/")
    server.wait_for_line('"path":"/"')
    entries = [json.loads(line) for line in server.stderr_lines() if '"event":"request"' in line]
    seen = [tuple(entry[name] for name in ("level", "method", "path", "status", "bytes")) for entry in entries]
    assert seen[:2] == [("info", "GET", "/file.txt", 200, 5), ("info", "HEAD", "/file.txt", 200, 0)]
    assert seen[2][1:4] == ("GET", "/none", 404) and seen[3][1:4] == ("GET", "/", 200)
    assert seen[3][4] > 1000 and not any("secret" in line for line in server.stderr_lines())


def test_requests_at_a_level_of_their_own(start):
    server = start("--request-log-level", "debug")
    get(server, "/")
    talk(server)
    server.wait_for_line("close /echo")
    assert not any("GET /" in line for line in server.stderr_lines())


COLORS = [({}, [], True), ({"NO_COLOR": "1"}, [], False), ({"NO_COLOR": ""}, [], True), ({"TERM": "dumb"}, [], False),
          ({}, ["--log-format", "json"], False)]


@pytest.mark.parametrize("environment, options, isColored", COLORS)
def test_colors_on_a_terminal(environment, options, isColored):
    environment = {**{"TERM": "xterm"}, **environment}
    with unread("terminal", *options, environment=environment) as server:
        server.talk(1)
        server.read_until(re.compile("close /echo.*\n"))
        assert ("\x1b[32minfo\x1b[0m open /echo" in server.text) == isColored
        assert isColored or "\x1b" not in server.text.split("Ctrl-C stops")[1]


def test_compression_level(start):
    server = start("--log-level", "error", "--deflate-log-level", "debug")
    talk(server, Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits")
    assert "agreed on permessage-deflate" in server.wait_for_line("offers permessage-deflate; client_max_window_bits: ")
    talk(server, Sec_WebSocket_Extensions="x-webkit-deflate-frame")
    server.wait_for_line("offers x-webkit-deflate-frame: no compression")
    with Wire.open(server, Sec_WebSocket_Extensions="permessage-deflate") as wire:
        wire.send_frame(TEXT, b"\xff\xff\xff", rsv=RSV1)
        wire.assert_failed(1007)
    server.wait_for_line("cannot be inflated")
    assert not any("open /echo" in line for line in server.stderr_lines())


def test_compression_is_silent(start):
    server = start("--deflate-log-level", "error")
    with Wire.open(server, Sec_WebSocket_Extensions="permessage-deflate") as wire:
        wire.send_frame(TEXT, b"\xff\xff\xff", rsv=RSV1)
        wire.assert_failed(1007)
    server.wait_for_line("code=1007")
    assert not any("cannot be inflated" in line for line in server.stderr_lines())


def test_rotation_by_many_connections(start, tmp_path):
    server = start("-l", tmp_path / "log", "--log-max", "2K", "--log-count", "3", "--threads", "4")
    for _ in range(100):
        talk(server)
    server.stop()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["log", "log.1", "log.2", "log.3"]
    for path in tmp_path.iterdir():
        lines = path.read_text().splitlines()
        assert path.stat().st_size <= 2048 and lines
        assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \w+ .", line) for line in lines)


def test_reopened_at_a_signal(start, tmp_path):
    log, old = tmp_path / "log", tmp_path / "log-old"
    server = start("-l", log)
    talk(server)
    log.rename(old)
    talk(server)
    assert not log.exists()
    server.signal(signal.SIGUSR1)
    wait_until(log.exists)
    talk(server)
    wait_until(lambda: "close /echo" in log.read_text())
    assert old.read_text().count("close /echo") == 2


def test_signal_without_a_file(start):
    server = start()
    server.signal(signal.SIGUSR1)
    server.wait_for_line("nothing to reopen")
    talk(server)


def test_full_disk(start):
    """/dev/full takes nothing."""
    server = start("-l", "/dev/full", "--log-level", "fine")
    for _ in range(3):
        talk(server)
    server.signal(signal.SIGUSR1)
    talk(server)
    assert server.stop() == 0


def test_loop_lines(start):
    server = start("--thread-monitor-interval-in-sec", "1", "--threads", "2")
    with Wire.open(server) as wire:
        wire.echo()
        time.sleep(0.1)
        for index in range(2):
            line = server.wait_for_line(f"loop {index}: ")
            assert re.search(
                r"loop \d: \d connections, \d exchanges, \d+ bytes queued, \d+ jobs waiting, "
                r"longest turn \d+\.\d ms$", line)
        totals = [int(line.split(" connections")[0].split()[-1])
                  for line in server.stderr_lines() if "longest turn" in line][:2]
        assert sum(totals) == 1
        server.wait_for_line("loop 0: ", start=1 + max(
            index for index, line in enumerate(server.stderr_lines()) if "loop 0: " in line))
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 9  # not the 10 s of --drain-timeout


@pytest.mark.parametrize("value", ["-1", "0"])
def test_no_loop_lines(start, value):
    server = start("--thread-monitor-interval-in-sec", value)
    talk(server)
    assert not any("longest turn" in line for line in server.stderr_lines())


def test_flood_of_bad_requests(start):
    server = start()
    count = 400
    for _ in range(count):
        assert request(server, b"GET  / HTTP/1.1\r\n\r\n").status == 400

    def told():
        lines = server.stderr_lines()
        return sum("bad request from" in line for line in lines) + sum(
            int(match[1]) for line in lines if (match := re.search(r"bad requests: and (\d+) more", line)))
    wait_until(lambda: told() == count, what=lambda: f"{told()} of {count}")
    seconds = {line[:19] for line in server.stderr_lines() if "bad request" in line}
    assert sum("bad request from" in line for line in server.stderr_lines()) <= 10 * (len(seconds) + 1)
