"""The log: formats, files, rotation, what is left out."""

import json
import re
import signal
import time

import pytest

from wire import (
    CLOSE, HANDLERS, RSV1, TEXT, Wire, close_body, handshake, request, wait_until)


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
    server.wait_for_line("bad")
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
    assert closed["bytes_in"] > 100 and closed["bytes_out"] > 10 and closed["duration_ms"] >= 0


def test_text_access_lines(start):
    server = start()
    talk(server, Sec_WebSocket_Extensions="permessage-deflate")
    assert server.wait_for_line("open /echo").endswith(" compressed")
    line = server.wait_for_line("close /echo")
    assert re.search(r"code=1000 \d+ ms, received 1 messages \d+ bytes, sent 1 messages \d+ bytes$", line)


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
