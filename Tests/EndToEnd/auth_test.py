"""Basic authentication of pages, files, scripts and handshakes (RFC 7617)."""

import base64
import signal
import subprocess
import time

import pytest

from files_test import fetch
from wire import HANDLERS, Wire, cpu_seconds, handshake, is_running, request, run_program, wait_until

# "sesame" as crypt(3) hashes it, with few rounds.
USERS = {
    "short": "$5$rounds=1000$saltsalt$30.yc4HsSpLTxr3NqKw4EhPINDzNTqzxg9qelAitDW2",
    "bcrypt": "$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW",
}


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("auth")
    (root / "cgi").mkdir()
    (root / "a.txt").write_text("a file")
    (root / "cgi/who").write_text("#!/bin/sh\nprintf 'Content-Type: a/b\\n\\n'; echo $AUTH_TYPE $REMOTE_USER; env\n")
    (root / "cgi/who").chmod(0o755)
    return root


@pytest.fixture(scope="module")
def passwords(tmp_path_factory):
    path = tmp_path_factory.mktemp("passwords") / "users"
    path.write_text("# users\n" + "".join(f"{user}:{hash}\n" for user, hash in USERS.items()))
    return path


@pytest.fixture(scope="module")
def site(root, passwords):
    from conftest import Server
    server = Server("-d", root, "-x", "/cgi", "--basic-auth", "--basic-auth-file", passwords, handlers=HANDLERS)
    yield server
    server.stop()


PATHS = ["/", "/a.txt", "/nothing", "/echo", "/cgi/who", "/../x", "/a%zz", "/x_wsh.swift"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("value", [
    None, "Basic", "Basic x", "Bearer x", basic("short", "wrong"), basic("nobody", "sesame"), basic("short", "sesame\0"),
    basic("short", ""), basic("", "sesame"), basic("short", "x" * 3_000)])
def test_everything_is_refused(site, path, value):
    """Before anything else is looked at: what is there and what is not look alike."""
    field = f"Authorization: {value}\r\n" if value else ""
    answer = request(site, f"GET {path} HTTP/1.1\r\nHost: a\r\n{field}Connection: close\r\n\r\n".encode())
    assert answer.status == 401 and answer.fields["www-authenticate"] == 'Basic realm="WebSocketHost", charset="UTF-8"'


def test_handshake_is_refused(site):
    with Wire.connect(site) as wire:
        wire.send(handshake("/echo"))
        assert wire.answer().status == 401
        wire.assert_end()


@pytest.mark.parametrize("user", USERS)
def test_let_in(site, user):
    value = basic(user, "sesame")
    for _ in range(2):  # computed, then remembered
        assert fetch(site, "/a.txt", Authorization=value).content == b"a file"
    script = fetch(site, "/cgi/who", Authorization=value).content.decode()
    assert script.startswith(f"Basic {user}\n") and "sesame" not in script and value.split()[1] not in script
    with Wire.connect(site) as wire:
        wire.send(handshake("/user", extra=[f"Authorization: {value}"]))
        answer = wire.answer(has_body=False)
        assert answer.status == 101 and answer.fields["x-user"] == user
        wire.echo()
    assert fetch(site, "/a.txt", Authorization=basic(user, "Sesame")).status == 401


def test_pipelined(site):
    """The answers stay in order though some passwords take longer."""
    good, bad = basic("bcrypt", "sesame"), basic("bcrypt", "wrong")
    values = [good, bad, good, bad]
    with Wire.connect(site) as wire:
        wire.send(b"".join(
            f"GET /a.txt HTTP/1.1\r\nHost: a\r\nAuthorization: {value}\r\n\r\n".encode() for value in values))
        assert [wire.answer().status for _ in values] == [200, 401, 200, 401]


def test_two_fields(site):
    field = f"Authorization: {basic('short', 'sesame')}\r\n"
    assert request(site, f"GET / HTTP/1.1\r\nHost: a\r\n{field}{field}\r\n".encode()).status == 401


def test_client_leaves_meanwhile(site):
    for _ in range(20):
        with Wire.connect(site) as wire:
            wire.send(f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: {basic('bcrypt', 'x')}\r\n\r\n".encode())
            wire.reset()
    assert fetch(site, "/a.txt", Authorization=basic("short", "sesame")).status == 200


def test_names_are_bytes(start_server, root, tmp_path):
    """Two spellings that Unicode calls equivalent are two users."""
    composed, decomposed = "ren\u00e9", "rene\u0301"
    (tmp_path / "users").write_text(f"{composed}:{USERS['bcrypt']}\n")
    server = start_server("-d", root, "--basic-auth", "--basic-auth-file", tmp_path / "users")
    assert fetch(server, "/a.txt", Authorization=basic(decomposed, "sesame")).status == 401
    assert fetch(server, "/a.txt", Authorization=basic(composed, "sesame")).status == 200
    assert fetch(server, "/a.txt", Authorization=basic(decomposed, "sesame")).status == 401
    server.stop()
    (tmp_path / "users").write_text(f"{composed}:{USERS['bcrypt']}\n{decomposed}:{USERS['short']}\n")
    server = start_server("-d", root, "--basic-auth", "--basic-auth-file", tmp_path / "users")
    for user in (composed, decomposed):
        assert fetch(server, "/a.txt", Authorization=basic(user, "sesame")).status == 200


SLOW = f"slow:$6$rounds=400000$saltsalt${'x' * 86}\n"


@pytest.mark.parametrize("how", ["close", "reset"])
def test_guessers_that_left_are_forgotten(start_server, root, tmp_path, how):
    """60 guesses of half a second each would keep two threads for 15 s."""
    (tmp_path / "users").write_text(f"bcrypt:{USERS['bcrypt']}\n{SLOW}")
    server = start_server("-d", root, "--basic-auth", "--basic-auth-file", tmp_path / "users")
    before = sum(cpu_seconds(server.pid))
    for number in range(60):
        wire = Wire.connect(server)
        guess = basic("slow", str(number))
        wire.send(f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: {guess}\r\n\r\n".encode())
        wire.reset() if how == "reset" else wire.socket.close()
    assert fetch(server, "/a.txt", Authorization=basic("bcrypt", "sesame")).status == 200
    assert sum(cpu_seconds(server.pid)) - before < 6


def test_a_change_of_version_waits_for_no_guesses(start_server, root, tmp_path):
    """Those whose turn has not come are answered, and ask the new process."""
    (tmp_path / "users").write_text(SLOW)
    server = start_server("-d", root, "--basic-auth", "--basic-auth-file", tmp_path / "users")
    old = server.pid
    wires = [Wire.connect(server) for _ in range(40)]
    for number, wire in enumerate(wires):
        guess = basic("slow", str(number))
        wire.send(f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: {guess}\r\n\r\n".encode())
    server.signal(signal.SIGHUP)
    wait_until(lambda: server.pid != old)
    answers = [wire.answer() for wire in wires]
    assert sum(answer.status == 503 for answer in answers) >= 20
    assert {answer.status for answer in answers} <= {401, 503}
    wait_until(lambda: not is_running(old), what="the old process waits")


def test_guessing_does_not_stop_others(start_server, root, tmp_path):
    """Slow hashes are computed elsewhere, few at a time; who is known is served meanwhile."""
    passwords = tmp_path / "users"
    # Some 0.2 s each; of "x".
    hash = subprocess.run(
        ["openssl", "passwd", "-6", "-salt", "salt", "x"], capture_output=True, text=True, check=True).stdout.strip()
    passwords.write_text(f"known:{hash}\nslow:$6$rounds=200000$saltsalt${'x' * 86}\n")
    server = start_server("-d", root, "--threads", "1", "--basic-auth", "--basic-auth-file", passwords)
    assert fetch(server, "/a.txt", Authorization=basic("known", "x")).status == 200
    wires = [Wire.connect(server) for _ in range(100)]
    for wire in wires:
        wire.send(f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: {basic('slow', 'x')}\r\n\r\n".encode())
    began = time.monotonic()
    for _ in range(20):
        assert fetch(server, "/a.txt", Authorization=basic("known", "x")).status == 200
    assert time.monotonic() - began < 2
    assert any(wire.answer().status == 503 for wire in reversed(wires))
    for wire in wires:
        wire.socket.close()


def test_credential(start_server):
    server = start_server("--basic-auth", "--basic-auth-credential", "me:se:same", handlers=HANDLERS)
    assert fetch(server, "/").status == 401
    assert fetch(server, "/", Authorization=basic("me", "se:same")).status == 200
    assert fetch(server, "/", Authorization=basic("test", "test")).status == 401


def test_default_credential_is_warned_of(start_server):
    server = start_server("--basic-auth", handlers=HANDLERS)
    assert fetch(server, "/", Authorization=basic("test", "test")).status == 200
    assert "test:test" in server.wait_for_line("warning")


def test_a_credential_alone_is_warned_of(start_server):
    """pywebsocket3 takes such a command line, and asks nobody."""
    server = start_server("--basic-auth-credential", "me:secret", handlers=HANDLERS)
    line = server.wait_for_line("warning")
    assert "add --basic-auth" in line and "secret" not in line
    assert fetch(server, "/").status == 200


def test_nobody_is_asked_by_default(start_server):
    server = start_server(handlers=HANDLERS)
    assert fetch(server, "/").status == 200
    with Wire.connect(server) as wire:
        wire.send(handshake("/user", extra=[f"Authorization: {basic('a', 'b')}"]))
        assert wire.answer(has_body=False).fields["x-user"] == "nobody"


@pytest.mark.parametrize("options, code, text", [
    (["--basic-auth-file", "x"], 2, "add --basic-auth"),
    (["--basic-auth", "--basic-auth-file", "x", "--basic-auth-credential", "a:b"], 2, "exclude each other"),
    (["--basic-auth", "--basic-auth-credential", "secret"], 1, "user:password"),
    (["--basic-auth", "--basic-auth-file", "/nowhere/at/all"], 1, "No such file"),
    (["--basic-auth", "--basic-auth-file", "/etc/passwd"], 1, ":1: the hash of root is not bcrypt")])
def test_wrong_options(options, code, text):
    found, _, errors = run_program(*options)
    assert found == code and text in errors and "Traceback" not in errors
