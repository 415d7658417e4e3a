"""CGI scripts (RFC 3875), well-behaved and not; nothing else stops serving."""

import os
import select
import time

import pytest

from files_test import fetch, read_to_end
from wire import DEADLINE, HANDLERS, Wire, bounded, descriptor_count, is_running, request, run_program, wait_until

MIB = 1 << 20

SCRIPTS = {
    "env": "echo Content-Type: text/plain; echo; env | sort; cat",
    "echo": "echo Content-Type: application/octet-stream; echo; cat",
    "here": "echo Content-Type: text/plain; echo; pwd; ls -l /proc/self/fd | wc -l; echo $#",
    "status": "echo 'Status: 418 I am a teapot'; echo 'Content-Type: text/plain'; echo; echo short and stout",
    "length": "printf 'Content-Type: text/plain\\nContent-Length: 5\\n\\nhello'",
    "more": "printf 'Content-Type: text/plain\\nContent-Length: 5\\n\\nhello, world'",
    "less": "printf 'Content-Type: text/plain\\nContent-Length: 50\\n\\nhello'",
    "nothing": "printf 'Status: 204\\n\\n'",
    "local": "printf 'Location: /a.txt?from=cgi\\n\\n'",
    "local-env": "cat >/dev/null; printf 'Location: /cgi-bin/env?from=cgi\\n\\n'",
    "loop": "printf 'Location: /cgi-bin/loop\\n\\n'",
    "astray": "printf 'Location: /%%zz\\n\\n'",
    "away": "printf 'Location: http://example.com/\\n\\n'",
    "cookies": "printf 'Set-Cookie: a=b\\nSet-Cookie: c=d\\nContent-Type: text/plain\\n\\n'",
    "hang": "sleep 600 & echo $! >\"$DOCUMENT_ROOT/../hang.pid\"; wait",
    "hang-later": "printf 'Content-Type: text/plain\\n\\nbegun'; sleep 600",
    "deaf": "exec 1>&- ; sleep 600",
    "lingers": "printf 'Content-Type: text/plain\\n\\ndone'; exec 1>&-; sleep 600",
    "leaves": "sleep 600 & echo $! >\"$DOCUMENT_ROOT/../leaves.pid\"; printf 'Content-Type: text/plain\\n\\nleft'",
    "crash": "kill -9 $$", "exit": "exit 1", "empty": "true", "headless": "echo hello there; echo; echo x",
    "half": "printf 'Content-Type: text/plain\\n'", "untyped": "printf 'X: y\\n\\n'",
    "split": "printf 'Content-Type: text/plain\\nX: a\\r\\n\\n'",
    "odd-status": "printf 'Status: 99\\n\\n'", "informs": "printf 'Status: 101\\n\\n'",
    "long-head": "head -c 20000 /dev/zero | tr '\\0' x",
    "endless-head": "yes 'X: y'", "endless-line": "cat /dev/zero",
    "gigabyte": "printf 'Content-Type: text/plain\\n\\n'; head -c 1073741824 /dev/zero",
    "megabytes": "printf 'Content-Type: text/plain\\n\\n'; head -c 3000000 /dev/zero",
    "complains": "printf 'one\\n\\033[31mtwo\\n' >&2; yes >&2 & printf 'Content-Type: text/plain\\n\\nok'; sleep 0.2",
    "ignores-input": "printf 'Content-Type: text/plain\\n\\nok'",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("cgi") / "root"
    (root / "cgi-bin/sub").mkdir(parents=True)
    for name, script in SCRIPTS.items():
        path = root / "cgi-bin" / name
        path.write_text("#!/bin/sh\n" + script + "\n")
        path.chmod(0o755)
    (root / "cgi-bin/sub/deep").symlink_to("../echo")
    (root / "cgi-bin/plain.txt").write_text("secret")
    (root / "cgi-bin/.hidden").write_text("#!/bin/sh\necho secret\n")
    (root / "cgi-bin/.hidden").chmod(0o755)
    (root / "cgi-bin/not-a-program").write_text("secret")
    (root / "cgi-bin/not-a-program").chmod(0o755)
    (root / "cgi-bin/out").symlink_to("/bin/echo")
    (root / "cgi-bin/no-interpreter").write_text("#!/no/where\nsecret")
    (root / "cgi-bin/no-interpreter").chmod(0o755)
    (root / "a.txt").write_text("a file")
    (root / "source.txt").symlink_to("cgi-bin/env")
    return root


@pytest.fixture(scope="module")
def site(root):
    from conftest import Server
    server = Server(
        "-d", root, "-x", "/cgi-bin", "--cgi-timeout", "1", "--max-request-body-size", "100K",
        "--cgi-max-output-size", "8M", handlers=HANDLERS)
    # Threads that begin with the server have opened what they need once it has answered.
    assert fetch(server, "/a.txt").content == b"a file"
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def still_serving(site):
    """Whatever a script does, the server goes on, and nothing is left of the script."""
    before = descriptor_count(site.pid)
    yield
    with Wire.open(site) as wire:
        wire.echo()
    assert fetch(site, "/a.txt").content == b"a file"
    wait_until(lambda: descriptor_count(site.pid) <= before, what="descriptors stay open")
    wait_until(lambda: not children(site.pid), what=lambda: f"left over: {children(site.pid)}")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as main:
        found = main.read().split()
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            found += file.read().split()
    return found


def variables(answer):
    return dict(line.split("=", 1) for line in answer.content.decode().splitlines() if "=" in line)


def test_environment(site, root):
    answer = fetch(
        site, "/cgi-bin/env/more/p%C3%A4th?q=1&r", "POST", b"body", Host="example.com:1", Content_Type="text/x",
        Proxy="http://evil/", X_Test="yes", Authorization="Basic dGVzdDp0ZXN0", Cookie="a=b")
    assert answer.status == 200 and answer.content.endswith(b"\nbody")
    found = variables(answer)
    assert found.pop("PATH") and found.pop("REMOTE_PORT").isdigit()
    assert found.pop("PWD") == str(root / "cgi-bin")
    for ours in ("OLDPWD", "SHLVL", "_"):
        found.pop(ours, None)
    assert found == {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "WebSocketHost", "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "example.com", "SERVER_PORT": str(site.port), "REQUEST_METHOD": "POST",
        "REQUEST_URI": "/cgi-bin/env/more/p%C3%A4th?q=1&r", "SCRIPT_NAME": "/cgi-bin/env",
        "SCRIPT_FILENAME": str(root / "cgi-bin/env"), "DOCUMENT_ROOT": str(root), "PATH_INFO": "/more/päth",
        "PATH_TRANSLATED": str(root) + "/more/päth", "QUERY_STRING": "q=1&r", "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_HOST": "127.0.0.1", "CONTENT_LENGTH": "4", "CONTENT_TYPE": "text/x", "HTTP_HOST": "example.com:1",
        "HTTP_X_TEST": "yes", "HTTP_COOKIE": "a=b"}


@pytest.mark.parametrize("line", [
    "Proxy: evil", "proxy: evil", "PROXY: evil", "Proxy_: evil", "X_Test: evil", "X.Test: evil", "X Test: evil",
    "Pro xy: evil"])
def test_no_injection(site, line):
    with Wire.connect(site) as wire:
        wire.send(f"GET /cgi-bin/env HTTP/1.0\r\nHost: a\r\n{line}\r\n\r\n".encode())
        answer = read_to_end(wire)
        assert b"evil" not in answer and (b" 200 " in answer or b" 400 " in answer)


def test_nothing_is_inherited(site, root):
    """The folder is the script's; 0, 1, 2, the one that lists, and the line of `ls -l`; no arguments."""
    lines = fetch(site, "/cgi-bin/here?a+b").content.decode().split()
    assert lines == [str(root / "cgi-bin"), "5", "0"]


@pytest.mark.parametrize("size", [0, 1, 5_000, 100 * 1024])
def test_bodies(site, size):
    body = bytes(i % 251 for i in range(size))
    answer = fetch(site, "/cgi-bin/sub/deep", "POST", body)
    assert answer.status == 200 and answer.content == body
    pieces = [body[start:start + 777] for start in range(0, size, 777)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    with Wire.connect(site) as wire:
        wire.send(b"POST /cgi-bin/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(chunks), 10_000):
            wire.send(chunks[start:start + 10_000])
        assert unchunked(wire) == body


def unchunked(wire):
    answer = wire.head()
    assert answer.status == 200 and answer.fields["transfer-encoding"] == "chunked", answer
    body = b""
    while True:
        while b"\r\n" not in wire.buffer:
            wire.buffer += wire.receive()
        size, wire.buffer = wire.buffer.split(b"\r\n", 1)
        data = wire.read(int(size, 16) + 2)
        assert data.endswith(b"\r\n")
        if size == b"0":
            return body
        body += data[:-2]


def test_pipelined(site):
    """A body ends where it ends, and answers come in order."""
    with Wire.connect(site) as wire:
        wire.send(
            b"POST /cgi-bin/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
            b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
            b"POST /cgi-bin/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbye\r\n0\r\n\r\n"
            b"GET /cgi-bin/length HTTP/1.1\r\nHost: a\r\n\r\n")
        assert unchunked(wire) == b"hello"
        assert wire.answer().body == b"a file"
        assert unchunked(wire) == b"bye"
        assert wire.answer().body == b"hello"


def test_expect(site):
    with Wire.connect(site) as wire:
        wire.send(b"POST /cgi-bin/echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert wire.head().status == 100
        wire.send(b"hello")
        assert unchunked(wire) == b"hello"


@pytest.mark.parametrize("framing", ["Content-Length: 102401", "Transfer-Encoding: chunked"])
def test_body_over_the_limit(site, framing):
    chunk = b"19001\r\n" if "chunked" in framing else b""
    answer = request(site, f"POST /cgi-bin/echo HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode() + chunk)
    assert answer.status == 413 and "102400" in answer.text and answer.fields["connection"] == "close"


def test_malformed_chunk(site):
    head = b"POST /cgi-bin/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert request(site, head + b"x\r\n").status == 400


def test_body_does_not_come(site):
    with Wire.connect(site) as wire:
        wire.send(b"POST /cgi-bin/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell")
        assert wire.answer().status == 408
        wire.assert_end()


def test_client_leaves_before_its_body_came(site):
    with Wire.connect(site) as wire:
        wire.send(b"POST /cgi-bin/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell")


def test_answers(site):
    teapot = fetch(site, "/cgi-bin/status")
    assert (teapot.status, teapot.reason, teapot.content) == (418, "I am a teapot", b"short and stout\n")
    assert "Status" not in teapot.headers and teapot.headers["Date"]
    assert fetch(site, "/cgi-bin/length").headers["Content-Length"] == "5"
    assert fetch(site, "/cgi-bin/more").content == b"hello"
    assert fetch(site, "/cgi-bin/nothing").status == 204
    assert fetch(site, "/cgi-bin/cookies").headers.get_all("Set-Cookie") == ["a=b", "c=d"]
    away = fetch(site, "/cgi-bin/away")
    assert (away.status, away.headers["Location"]) == (302, "http://example.com/")
    assert fetch(site, "/cgi-bin/ignores-input", "POST", b"x" * 100_000).content == b"ok"


def test_head(site):
    answer = fetch(site, "/cgi-bin/length", "HEAD")
    assert (answer.status, answer.content, answer.headers["Content-Length"]) == (200, b"", "5")
    answer = fetch(site, "/cgi-bin/status", "HEAD")
    assert (answer.status, answer.content) == (418, b"")


def test_http_1_0(site):
    with Wire.connect(site) as wire:
        wire.send(b"GET /cgi-bin/status HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        answer = wire.head()
        assert answer.fields["connection"] == "close" and "transfer-encoding" not in answer.fields
        assert read_to_end(wire) == b"short and stout\n"


def test_local_redirects(site):
    assert fetch(site, "/cgi-bin/local").content == b"a file"
    found = variables(fetch(site, "/cgi-bin/local-env", "POST", b"body", X_Test="yes"))
    assert found["REQUEST_METHOD"] == "GET" and found["QUERY_STRING"] == "from=cgi" and found["HTTP_X_TEST"] == "yes"
    assert "CONTENT_LENGTH" not in found
    assert fetch(site, "/cgi-bin/loop").status == 502
    assert fetch(site, "/cgi-bin/astray").status == 400


@pytest.mark.parametrize("path", [
    "/cgi-bin/", "/cgi-bin", "/cgi-bin/nope", "/cgi-bin/.hidden", "/cgi-bin/out", "/cgi-bin/../a.txt",
    "/cgi-bin/%2e%2e/a.txt", "/cgi-bin/sub%2fdeep", "/cgi-bin/sub", "/cgi-bin/sub/", "/source.txt", "/cgi-bin//env"])
def test_not_found(site, path):
    answer = request(site, f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert answer.status in (301, 404) and b"secret" not in answer.body
    assert answer.status == 404 or path == "/cgi-bin"


def test_not_a_program(site):
    assert fetch(site, "/cgi-bin/plain.txt").status == 403
    for name in ("not-a-program", "no-interpreter"):
        answer = fetch(site, f"/cgi-bin/{name}")
        assert answer.status == 500 and b"secret" not in answer.content


@pytest.mark.parametrize("name, status", [
    ("crash", 502), ("exit", 502), ("empty", 502), ("headless", 502), ("half", 502), ("untyped", 502),
    ("odd-status", 502), ("informs", 502), ("long-head", 502), ("endless-head", 502), ("endless-line", 502),
    ("hang", 504), ("deaf", 502)])
def test_bad_scripts(site, name, status):
    start = len(site.stderr_lines())
    assert fetch(site, f"/cgi-bin/{name}").status == status
    site.wait_for_line(f"/cgi-bin/{name}", start=start)


def test_hang_is_killed_with_its_children(site, root):
    assert fetch(site, "/cgi-bin/hang").status == 504
    pid = int((root.parent / "hang.pid").read_text())
    wait_until(lambda: not is_running(pid))


@pytest.mark.parametrize("name", ["hang", "hang-later"])
def test_client_leaves(start_server, root, name):
    server = start_server("-d", root, "-x", "cgi-bin/,/htbin")
    for how in ("close", "close behind more than is read ahead", "reset"):
        with Wire.connect(server) as wire:
            data = f"GET /cgi-bin/{name} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
            wire.send(data)
            wait_until(lambda: children(server.pid))
            if "behind" in how:
                wire.send(data * (90_000 // len(data)))
            if how == "reset":
                wire.reset()
        wait_until(lambda: not children(server.pid), what="the script goes on")


def test_server_stops(start_server, root):
    server = start_server("-d", root, "-x", "/cgi-bin", "--drain-timeout", "0.3")
    with Wire.connect(server) as wire:
        wire.send(b"GET /cgi-bin/hang HTTP/1.1\r\nHost: a\r\n\r\n")
        found = wait_until(lambda: children(server.pid))
        server.signal(15)
        server.wait()
        wait_until(lambda: not any(map(is_running, found)))


def test_broken_off(site):
    """An answer that cannot be completed does not look complete."""
    for name, path in [("less", "/cgi-bin/less"), ("hang-later", "/cgi-bin/hang-later")]:
        with Wire.connect(site) as wire:
            wire.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            data = read_to_end(wire)
            assert (b"hello" in data or b"begun" in data) and not data.endswith(b"0\r\n\r\n"), name


def test_lingering_script(site, root):
    """It has answered and goes on: the client does not wait, and it is ended in time."""
    began = time.monotonic()
    assert fetch(site, "/cgi-bin/lingers").content == b"done"
    assert time.monotonic() - began < 0.9
    assert fetch(site, "/cgi-bin/leaves").content == b"left"
    pid = int((root.parent / "leaves.pid").read_text())
    wait_until(lambda: not is_running(pid))


def test_gigabyte(site):
    with bounded(site, "1 GiB of output", cpu_limit=3, memory_limit=8 * MIB), Wire.connect(site) as wire:
        wire.send(b"GET /cgi-bin/gigabyte HTTP/1.1\r\nHost: a\r\n\r\n")
        count = 0
        while piece := wire.receive():
            count += len(piece)
        assert 7 * MIB < count < 9 * MIB
    site.wait_for_line("more output than")


def test_slow_reader(start_server, root):
    """A client that reads slowly costs no memory, and its time is not the script's."""
    server = start_server("-d", root, "-x", "/cgi-bin", "--cgi-timeout", "0.5")
    with bounded(server, "slow readers", cpu_limit=2, memory_limit=8 * MIB):
        wires = [Wire.connect(server, receive_buffer=4096) for _ in range(10)]
        for wire in wires:
            wire.send(b"GET /cgi-bin/megabytes HTTP/1.0\r\n\r\n")
            wire.read(100)
        time.sleep(1)
        for wire in wires:
            assert read_to_end(wire).endswith(b"\0" * 2_900_000)
            wire.socket.close()


def test_complaints_are_logged(site):
    start = len(site.stderr_lines())
    assert fetch(site, "/cgi-bin/complains").content == b"ok"
    site.wait_for_line("stderr: one", start=start)
    assert "\x1b" not in site.wait_for_line("[31mtwo", start=start)
    site.wait_for_line("stderr: y (the rest is not logged)", start=start)
    assert sum("stderr: " in line for line in site.stderr_lines()[start:]) == 50


def test_too_many(start_server, root):
    server = start_server("-d", root, "-x", "/cgi-bin", "--cgi-max-processes", "2")
    with Wire.connect(server) as first, Wire.connect(server) as second:
        for wire in (first, second):
            wire.send(b"GET /cgi-bin/hang HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: len(children(server.pid)) == 2)
        answer = fetch(server, "/cgi-bin/length")
        assert answer.status == 503 and answer.headers["Retry-After"]
    wait_until(lambda: not children(server.pid))
    assert fetch(server, "/cgi-bin/length").status == 200


def test_bodies_that_do_not_come_take_no_place(start_server, root):
    """A script counts from when it runs; who announces a body and sends none, or half of it, is not waited for."""
    server = start_server("-d", root, "-x", "/cgi-bin", "--cgi-max-processes", "2")
    wires = [Wire.connect(server) for _ in range(8)]
    for wire in wires:
        wire.send(b"POST /cgi-bin/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell")
    for _ in range(3):
        assert fetch(server, "/cgi-bin/length").content == b"hello"
    assert fetch(server, "/cgi-bin/echo", "POST", b"a body").content == b"a body"
    # Those that go on are served, one after the other.
    for wire in wires:
        wire.send(b"o")
        assert unchunked(wire) == b"hello"
        wire.socket.close()


def test_waiting_bodies_have_a_limit_together(start_server, root):
    """By what came of them, not by what was announced; it is free again when the body is complete or given up."""
    server = start_server("-d", root, "-x", "/cgi-bin", "--cgi-max-waiting-body-size", "100K", "--threads", "1")
    head = b"POST /cgi-bin/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 61000\r\n\r\n"
    with Wire.connect(server) as first, Wire.connect(server) as second, Wire.connect(server) as third:
        for wire in (first, third):
            wire.send(head + b"x")
        # Both came when scripts run beside them.
        assert fetch(server, "/cgi-bin/length").content == b"hello"
        first.send(b"x" * 60_000)
        second.send(head + b"x" * 60_000)
        refused, other = (second, first) if can_read(second, first) else (first, second)
        answer = refused.answer()
        assert answer.status == 503 and answer.fields["retry-after"]
        server.wait_for_line("--cgi-max-waiting-body-size")
        other.send(b"x" * (61_000 - 60_000 - (1 if other is first else 0)))
        assert unchunked(other) == b"x" * 61_000
        third.send(b"x" * 60_999)
        assert unchunked(third) == b"x" * 61_000
        third.send(head + b"x" * 60_000)
        third.reset()
    wait_until(lambda: fetch(server, "/cgi-bin/echo", "POST", b"x" * 90_000).content == b"x" * 90_000)


def can_read(wire, other):
    """Which of two has an answer first."""
    ready, _, _ = select.select([wire.socket, other.socket], [], [], DEADLINE)
    assert len(ready) == 1
    return ready[0] is wire.socket


def test_without_a_document_root_it_is_warned_of(start_server):
    """pywebsocket3 takes such a command line."""
    server = start_server("-x", "/cgi-bin")
    assert "add -d DIR" in server.wait_for_line("warning")
    assert fetch(server, "/cgi-bin/env").status == 404


def test_off_by_default(start_server, root):
    """Without -x they are files as any other."""
    server = start_server("-d", root)
    assert fetch(server, "/cgi-bin/env").content.startswith(b"#!/bin/sh")


@pytest.mark.parametrize("options, text", [
    (["-d", "/", "-x", "/"], "not a folder"), (["-d", "/", "-x", "../a"], "not a folder"),
    (["-d", "/", "-x", ","], "no folder"), (["-d", "/", "--cgi-timeout", "0"], "seconds")])
def test_wrong_options(options, text):
    code, _, errors = run_program(*options)
    assert code == 2 and text in errors
