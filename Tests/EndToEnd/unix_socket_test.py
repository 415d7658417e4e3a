"""--listen: Unix-domain sockets beside ports, their files and rights, and what is said where it is not possible."""

import contextlib
import os
import re
import signal
import socket
import ssl
import stat

import pytest
from websockets.sync.client import connect, unix_connect

from conftest import Server
from wire import DEADLINE, HANDLERS, Wire, handshake, is_running, run_program, wait_until

CANNOT_LISTEN, USAGE = 3, 2
ROOT = os.geteuid() == 0


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def wire(path):
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(DEADLINE)
    stream.connect(str(path))
    return Wire(stream)


def answer(path, target="/", host="localhost", extra=()):
    with wire(path) as peer:
        peer.send("\r\n".join([f"GET {target} HTTP/1.1", f"Host: {host}", *extra, "", ""]).encode())
        return peer.answer()


@contextlib.contextmanager
def serving(*options, **named):
    server = Server(*options, **named)
    try:
        yield server
    finally:
        server.stop()


def echoes(path, text="hello"):
    with unix_connect(str(path), "ws://localhost/echo", open_timeout=DEADLINE) as client:
        client.send(text)
        assert client.recv(DEADLINE) == text


@pytest.mark.parametrize("supervision", [[], ["--no-supervisor"]])
def test_beside_a_port(tmp_path, supervision):
    path = tmp_path / "x.sock"
    with serving("--listen", f"unix:{path},mode=0660", *supervision) as server:
        assert mode(path) == 0o660
        echoes(path)
        with connect(server.url("/echo")) as client:
            client.send("over TCP")
            assert client.recv(DEADLINE) == "over TCP"
        assert f"  and the same at unix:{path}" in server.stderr_lines()
        line = server.wait_for_line("listening on ")
        assert line.endswith(f", unix:{path}; Ctrl-C stops") and "127.0.0.1" in line
        server.wait_for_line("no page at http://localhost:", timeout=0)
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert not path.exists()


def test_alone(tmp_path, monkeypatch):
    """Without a port nothing names a socket in the run directory."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    path = tmp_path / "x.sock"
    with serving("--listen", f"unix:{path}", port=None) as server:
        assert f"  /echo on unix:{path}" in server.stderr_lines()
        echoes(path)
        server.wait_for_line("'publish' does not reach this server")
        assert os.listdir(tmp_path / "run") == []
        assert server.stop() == 0


def test_several_addresses_in_one_value(tmp_path):
    first, second = tmp_path / "1.sock", tmp_path / "2.sock"
    config = tmp_path / "server.ini"
    config.write_text("[websockethost]\nlisten = unix:1.sock,mode=0600 127.0.0.1:0 unix:2.sock\n")
    with serving("--config", config, port=None) as server:
        for path in (first, second):
            echoes(path)
        assert mode(first) == 0o600
        assert server.host == "127.0.0.1"
        with connect(server.url("/echo")) as client:
            client.send("x")
            assert client.recv(DEADLINE) == "x"
    code, text, _ = run_program("--print-config", "--listen", "*:1", "--listen", "unix:/a,mode=0600")
    assert code == 0 and "\nlisten = *:1 unix:/a,mode=0600\n" in text


def test_tls(tmp_path):
    path = tmp_path / "x.sock"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with serving("--tls-self-signed", "--listen", f"unix:{path},tls") as server:
        assert f"  and the same at unix:{path} with TLS" in server.stderr_lines()
        with unix_connect(str(path), "wss://localhost/echo", ssl=context, server_hostname="localhost") as client:
            client.send("over TLS")
            assert client.recv(DEADLINE) == "over TLS"
        assert server.scheme == "ws"
        with connect(server.url("/echo")) as client:
            client.send("plain")
            assert client.recv(DEADLINE) == "plain"


def test_who_the_client_is(tmp_path):
    """No address, unless a proxy says one; a page's origin is compared with the host that it asked for."""
    path = tmp_path / "x.sock"
    with serving("--listen", f"unix:{path}", "--origin", "same", handlers=HANDLERS) as server:
        with unix_connect(str(path), "ws://localhost/who") as client:
            assert client.recv(DEADLINE) == "  plain"
        server.wait_for_line(" unix: ")
        for origin, status in [("http://chat.example", 101), ("http://evil.example", 403)]:
            with wire(path) as peer:
                peer.send(handshake("/echo", host="chat.example", Origin=origin))
                assert peer.head().status == status
    with serving("--listen", f"unix:{path},proxy-protocol", "--trusted-proxies", "unix", handlers=HANDLERS) as server:
        with wire(path) as peer:
            peer.send(b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 80\r\n" + handshake("/who"))
            assert peer.head().status == 101
            assert peer.text() == "192.0.2.7  plain"
        # The port has no such header.
        with Wire.open(server, "/who") as peer:
            assert peer.text() == "127.0.0.1 127.0.0.1 plain"


def test_index_page(tmp_path):
    """Whoever comes through a Unix-domain socket comes from a proxy, whose clients may be anywhere."""
    path = tmp_path / "x.sock"
    with serving("--listen", f"unix:{path}"):
        assert answer(path).status == 404
    with serving("--listen", f"unix:{path}", "--index-page"):
        assert answer(path).status == 200
        assert answer(path, host="evil.example").status == 421


def test_survives_changes_of_processes(tmp_path):
    """A trap, and SIGHUP: the file stays, and nobody is refused."""
    path = tmp_path / "x.sock"
    with serving("--listen", f"unix:{path}") as server:
        before = path.lstat().st_ino
        with unix_connect(str(path), "ws://localhost/echo") as old:
            server.signal(signal.SIGHUP)
            server.wait_for_line("a new process: live")
            echoes(path)
            old.send("still")
            assert old.recv(DEADLINE) == "still"
        os.kill(server.pid, signal.SIGKILL)
        server.wait_for_line("serving again")
        echoes(path)
        assert path.lstat().st_ino == before


def test_a_stale_one_is_replaced(tmp_path):
    path = tmp_path / "x.sock"
    with serving("--listen", f"unix:{path}") as server:
        child = server.pid
        for pid in (server.process.pid, child):
            os.kill(pid, signal.SIGKILL)
        server.wait()
        wait_until(lambda: not is_running(child))
    assert path.exists()
    with serving("--listen", f"unix:{path}"):
        echoes(path)
    assert not path.exists()


def test_a_served_one_is_refused(tmp_path):
    path = tmp_path / "x.sock"
    with serving("--listen", f"unix:{path}"):
        code, _, errors = run_program("--listen", f"unix:{path}")
        assert code == CANNOT_LISTEN
        assert f"another process listens on unix:{path} (--listen)" in errors
        echoes(path)


def test_one_that_took_its_place_stays(tmp_path):
    path = tmp_path / "x.sock"
    with serving("--listen", f"unix:{path}") as first:
        os.unlink(path)
        with serving("--listen", f"unix:{path}"):
            assert first.stop() == 0
            echoes(path)


def test_what_is_in_the_way(tmp_path):
    file, folder, link = tmp_path / "file", tmp_path / "folder", tmp_path / "link"
    file.write_text("mine")
    folder.mkdir()
    link.symlink_to("nowhere")
    for path in (file, folder, link):
        code, _, errors = run_program("--listen", f"unix:{path}")
        assert code == CANNOT_LISTEN and f"{path} is there already, and is no socket (--listen)" in errors
    assert file.read_text() == "mine" and link.is_symlink()
    missing = tmp_path / "none" / "x.sock"
    code, _, errors = run_program("--listen", f"unix:{missing}")
    assert code == CANNOT_LISTEN
    assert f"the folder {missing.parent} of unix:{missing} is missing (--listen)" in errors
    code, _, errors = run_program("--listen", f"unix:{tmp_path}/" + "x" * 100)
    assert code == USAGE and "at most 107 are possible" in errors and "--listen" in errors


def test_no_permission(tmp_path):
    folder = "/proc/self" if ROOT else str(tmp_path)
    if not ROOT:
        tmp_path.chmod(0o500)
    code, _, errors = run_program("--listen", f"unix:{folder}/x.sock")
    assert code == CANNOT_LISTEN and f"unix:{folder}/x.sock" in errors and "(--listen)" in errors
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("options, text", [
    (["--listen", "9998"], "localhost:9998, or *:9998 for every address"),
    (["--listen", ""], "no address given"),
    (["--listen", "*:1", "--listen", "*:1"], "*:1 is that of --listen too"),
    (["--listen", "localhost:1", "-p", "1"], "localhost:1 is that of -p too"),
    (["--listen", "*:1,tls"], "--listen ADDRESS,tls needs -c CERTIFICATE and -k KEY"),
    (["--listen", "*:1,proxy-protocol"], "--listen ADDRESS,proxy-protocol needs the proxy's address"),
    (["--listen", " ".join(f"*:{port}" for port in range(1, 66))], "more than 64 addresses"),
])
def test_wrong_values(options, text):
    code, _, errors = run_program(*options)
    assert code == USAGE and text in errors, errors


def test_port_in_use_names_the_option(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = tmp_path / "x.sock"
        code, _, errors = run_program("--listen", f"unix:{path}", "--listen", f"127.0.0.1:{port}")
    assert code == CANNOT_LISTEN and re.search(rf"port {port} on 127\.0\.0\.1 is in use \(--listen\)", errors)
    assert not path.exists()
