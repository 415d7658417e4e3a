"""The document root over real sockets: what is served, how, and what never is."""

import email.parser
import email.policy
import gzip
import http.client
import os
import re
import socket
import time

import pytest

from wire import (
    DEADLINE, HANDLERS, Wire, bounded, descriptor_count, handshake, request, run_program, wait_until)

MIB = 1 << 20
OLD = 1_577_836_800  # 2020-01-01
OLD_DATE = "Wed, 01 Jan 2020 00:00:00 GMT"
BIG = bytes(range(251)) * (10 * MIB // 251 + 1)
BIG = BIG[:10 * MIB]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    base = tmp_path_factory.mktemp("files")
    root = base / "root"
    for name in ("sub", "listed/inner", "handlers", ".git"):
        (root / name).mkdir(parents=True)
    contents = {
        "a.txt": b"0123456789", "empty.txt": b"", "page.html": b"<p>page", "sub/index.html": b"<p>sub",
        "listed/b&<i>.txt": b"b", "listed/.hidden": b"secret", "listed/x_wsh.swift": b"secret",
        ".secret": b"secret", ".git/config": b"secret", "echo_wsh.swift": b"secret", "app.js": b"let a = 1;" * 100,
        "stale.js": b"new", "stale.js.gz": b"old", "1k.bin": BIG[:1024], "60k.bin": BIG[:60_000], "big.bin": BIG,
        "../outside.txt": b"secret",
    }
    contents["app.js.gz"] = gzip.compress(contents["app.js"])
    contents["app.js.br"] = b"as if it were brotli"
    for name, content in contents.items():
        (root / name).write_bytes(content)
        os.utime(root / name, (OLD, OLD))
    os.utime(root / "stale.js", (OLD + 10, OLD + 10))
    (root / "out").symlink_to("../outside.txt")
    (root / "in").symlink_to("a.txt")
    os.mkfifo(root / "pipe")
    return root


@pytest.fixture(scope="module")
def site(root):
    from conftest import Server
    server = Server("-d", root, "--directory-listing", handlers=HANDLERS)
    yield server
    server.stop()


def fetch(server, path, method="GET", body=None, **fields):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    try:
        connection.putrequest(method, path, skip_host="Host" in fields, skip_accept_encoding=True)
        for name, value in fields.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.content = answer.read()
        return answer
    finally:
        connection.close()


def read_to_end(wire):
    data = wire.buffer
    while piece := wire.receive():
        data += piece
    return data


def test_file(site):
    answer = fetch(site, "/a.txt?query")
    assert (answer.status, answer.content) == (200, b"0123456789")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Last-Modified"] == OLD_DATE and answer.headers["Accept-Ranges"] == "bytes"
    assert re.fullmatch(r'"[0-9a-f]+-a"', answer.headers["ETag"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert fetch(site, "/empty.txt").content == b""
    assert fetch(site, "/in").content == b"0123456789"


@pytest.mark.parametrize("name", ["1k.bin", "60k.bin", "big.bin"])
def test_content(site, root, name):
    assert fetch(site, f"/{name}").content == (root / name).read_bytes()


def test_fresh_file_has_a_weak_tag(site, root):
    (root / "fresh.txt").write_text("fresh")
    answer = fetch(site, "/fresh.txt")
    assert answer.headers["ETag"].startswith('W/"')
    assert fetch(site, "/fresh.txt", If_None_Match=answer.headers["ETag"]).status == 304
    assert fetch(site, "/fresh.txt", Range="bytes=0-0", If_Range=answer.headers["ETag"]).status == 200


def test_head(site):
    get, head = fetch(site, "/a.txt"), fetch(site, "/a.txt", "HEAD")
    assert head.status == 200 and head.content == b"" and head.headers["Content-Length"] == "10"
    assert {name for name, _ in get.getheaders()} == {name for name, _ in head.getheaders()}
    head = fetch(site, "/a.txt", "HEAD", Range="bytes=0-0")
    assert (head.status, head.headers["Content-Length"]) == (206, "1")


HIDDEN = [
    "/.secret", "/%2esecret", "/.git/config", "/echo_wsh.swift", "/ECHO_WSH.SWIFT", "/out", "/pipe", "/../outside.txt",
    "/%2e%2e/outside.txt", "/sub/..%2f..%2foutside.txt", "/sub%2findex.html", "//etc/passwd", "/sub//index.html",
    "/a.txt/", "/nothing", "/.", "/..", "/listed/.hidden", "/listed/x_wsh.swift", "/" + "x" * 300,
    "/sub/../a.txt", "/..%5coutside.txt", "/stale.js/../.secret"]


@pytest.mark.parametrize("path", HIDDEN)
def test_never(site, path):
    for head in (f"GET {path} HTTP/1.1", f"GET http://localhost{path} HTTP/1.1", f"POST {path} HTTP/1.1"):
        answer = request(site, f"{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert answer.status == 404 and b"secret" not in answer.body, head


def test_well_known(start_server, tmp_path):
    """RFC 8615; other names that begin with a dot stay hidden, there too."""
    (tmp_path / ".well-known/acme-challenge").mkdir(parents=True)
    for name in (".well-known/acme-challenge/token", ".well-known/.secret", ".env"):
        (tmp_path / name).write_text("text")
    server = start_server("-d", tmp_path)
    assert fetch(server, "/.well-known/acme-challenge/token").content == b"text"
    for path in ("/.well-known/.secret", "/.env", "/.well-known/../.env", "/x/.well-known/acme-challenge/token"):
        assert fetch(server, path).status == 404


def test_names_are_bytes(start_server, tmp_path):
    """A sibling whose name is the root's in another normal form is outside; so is a handler in it."""
    composed, decomposed = tmp_path / "caf\u00e9", tmp_path / "cafe\u0301"
    for folder in (composed, decomposed):
        folder.mkdir()
        (folder / "file.txt").write_text(folder.name)
    (composed / "link.txt").symlink_to(decomposed / "file.txt")
    (composed / "e\u0301.txt").write_text("decomposed")
    for name in ("echo_wsh.swift~", "echo_wsh.swift.orig", "echo_wsh.swift.bak", "echo_wsh.swift.swp"):
        (composed / name).write_text("secret")
    server = start_server("-d", composed)
    assert fetch(server, "/file.txt").content.decode() == composed.name
    assert fetch(server, "/link.txt").status == 404
    assert fetch(server, "/e%CC%81.txt").content == b"decomposed" and fetch(server, "/%C3%A9.txt").status == 404
    for name in ("echo_wsh.swift~", "echo_wsh.swift.orig", "echo_wsh.swift.bak", "echo_wsh.swift.swp"):
        assert fetch(server, "/" + name).status == 404


@pytest.mark.parametrize("path", ["/a.txt%00", "/%00", "/a%ff", "/a%", "/a%zz"])
def test_malformed_path(site, path):
    assert request(site, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()).status == 400


def test_handler_comes_first(site, root):
    (root / "echo").write_text("a file")
    assert fetch(site, "/echo").status == 426
    with Wire.open(site) as wire:
        wire.echo()


def test_folders(site, root):
    answer = fetch(site, "/sub?a=b")
    assert (answer.status, answer.headers["Location"]) == (301, "/sub/?a=b")
    assert fetch(site, "/sub/").content == b"<p>sub"
    page = fetch(site, "/listed/")
    text = page.content.decode()
    assert page.status == 200 and "b&amp;&lt;i&gt;.txt" in text and "./b%26%3Ci%3E.txt" in text and "./inner/" in text
    assert "hidden" not in text and "wsh" not in text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert b"WebSocketHost" in fetch(site, "/").content


def test_own_index_replaces_the_page(start_server, tmp_path):
    (tmp_path / "index.html").write_text("mine")
    (tmp_path / "sub").mkdir()
    server = start_server("-d", tmp_path)
    assert fetch(server, "/").content == b"mine"
    assert fetch(server, "/sub/").status == 404  # no listing unasked
    assert any(str(tmp_path) in line for line in server.stderr_lines())


CONDITIONS = [
    ({"If_Modified_Since": OLD_DATE}, 304), ({"If_Modified_Since": "Tue, 31 Dec 2019 23:59:59 GMT"}, 200),
    ({"If_None_Match": "TAG"}, 304), ({"If_None_Match": '"other", TAG'}, 304), ({"If_None_Match": "*"}, 304),
    ({"If_None_Match": '"other"', "If_Modified_Since": OLD_DATE}, 200), ({"If_Match": '"other"'}, 412),
    ({"If_Match": "TAG"}, 200), ({"If_Unmodified_Since": "Tue, 31 Dec 2019 23:59:59 GMT"}, 412),
    ({"Range": "bytes=0-0", "If_Range": "TAG"}, 206), ({"Range": "bytes=0-0", "If_Range": '"other"'}, 200),
    ({"Range": "bytes=0-0", "If_Range": OLD_DATE}, 206), ({"Range": "bytes=0-0", "If_None_Match": "TAG"}, 304)]


@pytest.mark.parametrize("fields, status", CONDITIONS)
def test_conditions(site, fields, status):
    tag = fetch(site, "/a.txt").headers["ETag"]
    answer = fetch(site, "/a.txt", **{name: value.replace("TAG", tag) for name, value in fields.items()})
    assert answer.status == status
    if status == 304:
        assert answer.content == b"" and answer.headers["ETag"] == tag and "Content-Length" not in answer.headers


@pytest.mark.parametrize("value, part", [
    ("bytes=0-3", "0-3"), ("bytes=5-", "5-9"), ("bytes=-2", "8-9"), ("bytes=0-99", "0-9"), ("bytes=1-2,2-3", "1-3")])
def test_one_range(site, value, part):
    answer = fetch(site, "/a.txt", Range=value)
    first, last = map(int, part.split("-"))
    assert (answer.status, answer.content) == (206, b"0123456789"[first:last + 1])
    assert answer.headers["Content-Range"] == f"bytes {part}/10"


def test_range_of_a_large_file(site):
    answer = fetch(site, "/big.bin", Range=f"bytes=100-{9 * MIB}")
    assert answer.content == BIG[100:9 * MIB + 1]


@pytest.mark.parametrize("path, whole", [("/a.txt", b"0123456789"), ("/big.bin", BIG)])
def test_ranges(site, path, whole):
    answer = fetch(site, path, Range=f"bytes=0-0,2-5,-{len(whole) // 4}")
    assert answer.status == 206 and int(answer.headers["Content-Length"]) == len(answer.content)
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        b"Content-Type: " + answer.headers["Content-Type"].encode() + b"\r\n\r\n" + answer.content)
    parts = message.get_payload()
    assert len(parts) == 3
    for part in parts:
        first, last, length = map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", part["Content-Range"]).groups())
        assert length == len(whole)
        head, _, rest = answer.content.partition(part["Content-Range"].encode() + b"\r\n\r\n")
        assert rest.startswith(whole[first:last + 1] + b"\r\n--")


@pytest.mark.parametrize("value", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_no_such_range(site, value):
    answer = fetch(site, "/a.txt", Range=value)
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */10")


@pytest.mark.parametrize("value", ["bytes=x", "lines=0-1", "bytes=5-1", "bytes=" + ",".join(["0-0", "2-2"] * 20)])
def test_range_is_ignored(site, value):
    assert fetch(site, "/a.txt", Range=value).status == 200


def test_precompressed(site, root):
    plain = fetch(site, "/app.js")
    assert plain.content == b"let a = 1;" * 100 and plain.headers["Vary"] == "Accept-Encoding"
    packed = fetch(site, "/app.js", Accept_Encoding="gzip, deflate")
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.content) == plain.content
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert fetch(site, "/app.js", Accept_Encoding="gzip, br").headers["Content-Encoding"] == "br"
    assert fetch(site, "/app.js", Accept_Encoding="gzip;q=0, br;q=0").content == plain.content
    assert fetch(site, "/stale.js", Accept_Encoding="gzip").content == b"new"
    assert "Content-Encoding" not in fetch(site, "/a.txt", Accept_Encoding="gzip").headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("path", ["/a.txt", "/listed/", "/"])
def test_other_methods(site, method, path):
    answer = fetch(site, path, method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_body_is_refused(site):
    answer = fetch(site, "/a.txt", "POST", b"x" * 100_000)
    assert answer.status == 405 and answer.headers["Connection"] == "close"
    answer = fetch(site, "/a.txt", body=b"x" * 100)
    assert answer.status == 200 and answer.headers["Connection"] == "close"


def test_long_target_and_head(site):
    assert request(site, f"GET /{'x' * 20_000} HTTP/1.1\r\nHost: a\r\n\r\n".encode()).status == 414
    assert request(site, b"GET /a.txt HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\n\r\n").status == 431


def test_http_1_0(site):
    with Wire.connect(site) as wire:
        wire.send(b"GET /a.txt HTTP/1.0\r\n\r\n")
        answer = wire.answer()
        assert answer.body == b"0123456789" and answer.fields["connection"] == "close"
        wire.assert_end()


def test_pipelining(site):
    """Answers come in order, large ones between small ones, and the connection stays."""
    paths = ["/a.txt", "/big.bin", "/nothing", "/1k.bin", "/big.bin", "/sub/"] * 2
    with Wire.connect(site) as wire:
        wire.send(b"".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for path in paths))
        for path in paths:
            answer = wire.answer()
            expected = {"/a.txt": b"0123456789", "/big.bin": BIG, "/1k.bin": BIG[:1024], "/sub/": b"<p>sub"}.get(path)
            assert answer.status == (404 if expected is None else 200)
            assert expected is None or answer.body == expected
        wire.send(b"HEAD /big.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        assert wire.answer(has_body=False).fields["content-length"] == str(10 * MIB)
        assert wire.answer().body == b"0123456789"
        wire.send(handshake())  # and is still good for a handshake
        assert wire.answer(has_body=False).status == 101


def test_half_closed(site):
    """Who sends no more still gets all that was asked for."""
    with Wire.connect(site) as wire:
        wire.send(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.answer().body == BIG
        assert wire.answer().body == b"0123456789"
        wire.assert_end()


def test_clients_leave_in_the_middle(site):
    before = descriptor_count(site.pid)
    for how in ["close", "reset"] * 20:
        wire = Wire.connect(site, receive_buffer=4096)
        wire.send(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.read(1000)
        wire.reset() if how == "reset" else wire.socket.close()
    wait_until(lambda: descriptor_count(site.pid) <= before, what="files or sockets stay open")
    assert fetch(site, "/a.txt").status == 200


def test_slow_readers_cost_no_memory(start_server, root):
    """50 clients with 10 MiB each on the way, 500 MiB in all; and a slow one gets everything."""
    server = start_server("-d", root, "--handshake-timeout", "0.3", "--close-timeout", "0.3")
    assert fetch(server, "/big.bin").content == BIG
    with bounded(server, "50 slow readers", cpu_limit=5, memory_limit=8 * MIB):
        wires = [Wire.connect(server, receive_buffer=4096) for _ in range(50)]
        for wire in wires:
            wire.send(b"GET /big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        for wire in wires:
            wire.read(2000)
        time.sleep(1)  # beyond both waits, which are not about this
        assert read_to_end(wires[0]).endswith(BIG[-100_000:])
        for wire in wires:
            wire.socket.close()


def test_client_that_reads_nothing(start_server, root):
    server = start_server("-d", root, "--send-timeout", "0.4")
    with Wire.connect(server, receive_buffer=4096) as wire:
        wire.send(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for_line("--send-timeout", timeout=DEADLINE)
        assert len(read_to_end(wire)) < 10 * MIB


def test_drain_completes_an_answer(start_server, root):
    server = start_server("-d", root)
    with Wire.connect(server, receive_buffer=4096) as wire:
        wire.send(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.read(1000)
        server.signal(15)
        server.wait_for_line("closing")
        assert read_to_end(wire).endswith(BIG[-1000:])
    assert server.wait() == 0


@pytest.mark.parametrize("path, what", [
    ("/nowhere/at/all", "No such file"), ("/etc/passwd", "Not a directory"), ("", "No such file")])
def test_root_that_is_not_there(path, what):
    code, _, errors = run_program("-d", path)
    assert code == 1 and what in errors and "-d, --document-root" in errors and len(errors.splitlines()) == 1


def test_listing_without_a_root():
    code, _, errors = run_program("--directory-listing")
    assert code == 2 and "-d DIR" in errors
