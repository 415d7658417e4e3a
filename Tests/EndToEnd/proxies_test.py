"""Behind nginx and HAProxy: who the client is, in handlers, the log and scripts; and whose word counts."""

import contextlib
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from conftest import Server
from wire import DEADLINE, HANDLERS, KEY, wait_until

# Where clients are: all of 127.0.0.0/8 is this machine.
CLIENT = "127.0.0.2"
PAGES = pathlib.Path(__file__).resolve().parents[2] / "handlers" / "pages"
SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def running(command, port, log=subprocess.DEVNULL):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
    try:
        wait_until(lambda: accepts(port), DEADLINE, f"{command[0]} does not listen")
        yield process
    finally:
        process.terminate()
        process.wait(DEADLINE)


@contextlib.contextmanager
def nginx(folder, server, fields):
    if shutil.which("nginx") is None:
        pytest.skip("needs nginx")
    port = free_port()
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ["proxy", "fastcgi", "uwsgi", "scgi"])
    lines = "\n".join(f"proxy_set_header {field};" for field in fields)
    (folder / "nginx.conf").write_text(f"""
        daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}
        http {{
            access_log off; client_body_temp_path {folder}/body; {temporary}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://127.0.0.1:{server.port};
                    proxy_http_version 1.1;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection $http_connection;
                    {lines}
                }}
            }}
        }}""")
    with running(["nginx", "-p", folder, "-c", folder / "nginx.conf"], port):
        yield port


@contextlib.contextmanager
def haproxy(folder, server, mode, options="", server_options=""):
    if shutil.which("haproxy") is None:
        pytest.skip("needs haproxy")
    port = free_port()
    (folder / "haproxy.cfg").write_text(f"""
defaults
 mode {mode}
 timeout connect 5s
 timeout client 30s
 timeout server 30s
 {options}
frontend front
 bind 127.0.0.1:{port}
 default_backend back
backend back
 server one 127.0.0.1:{server.port} {server_options}
""")
    with running(["haproxy", "-f", folder / "haproxy.cfg"], port):
        yield port


@pytest.fixture
def start(request):
    servers = []

    def start(*options):
        servers.append(Server("-H", "127.0.0.1", *options, handlers=HANDLERS))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def who(port, fields=None, scheme="ws", **options):
    """What the handler says of a client at CLIENT."""
    with connect(f"{scheme}://127.0.0.1:{port}/who", source_address=(CLIENT, 0), additional_headers=fields or {},
                 open_timeout=DEADLINE, **options) as client:
        return client.recv(DEADLINE)


FORWARDED_FOR = ["X-Forwarded-For $proxy_add_x_forwarded_for", "X-Forwarded-Proto $scheme", "X-Forwarded-Host $http_host"]


# --- Header fields ----------------------------------------------------------------------------------

def test_nginx_names_the_client(start, tmp_path):
    server = start("--trusted-proxies", "127.0.0.1")
    with nginx(tmp_path, server, FORWARDED_FOR) as port:
        assert who(port) == f"{CLIENT} 127.0.0.1 plain"
        server.wait_for_line(f"open /who {CLIENT} ")
        server.wait_for_line(f"close /who {CLIENT} ")
        # What the client itself wrote stands before nginx's word.
        assert who(port, {"X-Forwarded-For": "6.6.6.6"}) == f"{CLIENT} 127.0.0.1 plain"
        assert who(port, {"X-Forwarded-For": "127.0.0.1"}) == f"{CLIENT} 127.0.0.1 plain"


def test_nginx_is_not_believed_unless_it_is_trusted(start, tmp_path):
    server = start()
    with nginx(tmp_path, server, FORWARDED_FOR) as port:
        assert who(port) == "127.0.0.1 127.0.0.1 plain"


def test_a_client_that_is_no_trusted_proxy_is_not_believed(start):
    server = start("--trusted-proxies", "127.0.0.1,10.0.0.0/8")
    fields = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"}
    assert who(server.port, fields) == f"{CLIENT} {CLIENT} plain"


def test_a_secure_client_behind_a_proxy_that_ends_tls(start, tmp_path):
    server = start("--trusted-proxies", "127.0.0.1")
    with nginx(tmp_path, server, FORWARDED_FOR[:1] + ["X-Forwarded-Proto https"]) as port:
        assert who(port) == f"{CLIENT} 127.0.0.1 secure"


def test_the_standard_field(start, tmp_path):
    server = start("--trusted-proxies", "127.0.0.1", "--proxy-headers", "forwarded")
    with nginx(tmp_path, server, ["Forwarded 'for=$remote_addr;proto=https'"]) as port:
        assert who(port) == f"{CLIENT} 127.0.0.1 secure"
        assert who(port, {"X-Forwarded-For": "6.6.6.6"}) == f"{CLIENT} 127.0.0.1 secure"


def test_the_same_origin_is_that_of_the_clients_host(start, tmp_path):
    server = start("--trusted-proxies", "127.0.0.1", "--origin", "same")
    with nginx(tmp_path, server, FORWARDED_FOR + ["Host inner.example"]) as port:
        assert who(port, origin=f"http://127.0.0.1:{port}") == f"{CLIENT} 127.0.0.1 plain"
        with pytest.raises(InvalidStatus) as refused:
            who(port, origin="http://inner.example")
        assert refused.value.response.status_code == 403
        server.wait_for_line(f"refused /who {CLIENT} 403")


def test_the_page_does_not_answer_to_a_host_that_a_proxy_names(start):
    """A proxy may pass on what a client wrote."""
    server = start("--trusted-proxies", "127.0.0.1", "--index-page")
    answers = []
    for host in [b"localhost", b"stranger.example"]:
        with socket.create_connection(("127.0.0.1", server.port)) as proxy:
            proxy.sendall(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.7\r\n"
                          b"X-Forwarded-Host: localhost\r\n\r\n")
            answers.append(proxy.recv(65536).split(b" ")[1])
    assert answers == [b"200", b"421"]


def test_haproxy_names_the_client(start, tmp_path):
    server = start("--trusted-proxies", "127.0.0.0/31")
    with haproxy(tmp_path, server, "http", "option forwardfor") as port:
        assert who(port) == f"{CLIENT} 127.0.0.1 plain"


def test_scripts_get_the_clients_address(start, tmp_path):
    (tmp_path / "cgi-bin").mkdir()
    script = tmp_path / "cgi-bin" / "who"
    script.write_text('#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n%s %s" "$REMOTE_ADDR" "$HTTPS"\n')
    script.chmod(0o755)
    server = start("--trusted-proxies", "127.0.0.1", "-d", str(tmp_path), "-x", "/cgi-bin")
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /cgi-bin/who HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.7\r\n"
                       b"X-Forwarded-Proto: https\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert b"192.0.2.7 on" in answer
    server.wait_for_line("192.0.2.7 200")


def test_each_request_of_a_kept_connection_has_a_client_of_its_own(start, tmp_path):
    server = start("--trusted-proxies", "127.0.0.1", "-d", str(PAGES), "--request-log-level", "info")
    with socket.create_connection(("127.0.0.1", server.port)) as proxy:
        for line in [b"X-Forwarded-For: 192.0.2.1\r\n", b"X-Forwarded-For: 192.0.2.2\r\n", b""]:
            proxy.sendall(b"HEAD /chat.html HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n")
            assert proxy.recv(65536).startswith(b"HTTP/1.1 200")
    for client in ["192.0.2.1", "192.0.2.2", "127.0.0.1:"]:
        server.wait_for_line(f"/chat.html {client}")


# --- The PROXY protocol -----------------------------------------------------------------------------

@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn"])
def test_haproxy_sends_the_proxy_protocol(start, tmp_path, version):
    server = start("--trusted-proxies", "127.0.0.1", "--proxy-protocol")
    with haproxy(tmp_path, server, "tcp", server_options=version) as port:
        assert who(port) == f"{CLIENT} 127.0.0.1 plain"
        server.wait_for_line(f"open /who {CLIENT}:")
        # In this mode HAProxy passes fields through, so they are the client's own word.
        assert who(port, {"X-Forwarded-For": "6.6.6.6"}) == f"{CLIENT} 127.0.0.1 plain"


def test_tls_begins_behind_the_proxy_header(start, tmp_path):
    server = start("--trusted-proxies", "127.0.0.1", "--proxy-protocol", "--tls-self-signed")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with haproxy(tmp_path, server, "tcp", server_options="send-proxy-v2") as port:
        assert who(port, scheme="wss", ssl=context) == f"{CLIENT} 127.0.0.1 secure"


HANDSHAKE = (f"GET /who HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n").encode()


def answer(port, *pieces, source="127.0.0.1"):
    """The first bytes of the answer, up to the end of the connection or of a text frame."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE, (source, 0)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                client.sendall(piece)
            while b" plain" not in data and (more := client.recv(65536)):
                data += more
        return data


def has_ended(client):
    """Waits for the server's end of the connection: a reset, where it has not read all."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def version2(rest, command=0x21, family=0x11, claim=None):
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(rest) if claim is None else claim) + rest


TCP4 = bytes([192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x34, 0, 80])


@pytest.mark.parametrize("header, client", [
    (b"PROXY TCP4 192.0.2.1 198.51.100.1 4660 80\r\n", b"192.0.2.1"),
    (b"PROXY TCP6 2001:db8::1 ::1 4660 80\r\n", b"2001:db8::1"),
    (b"PROXY UNKNOWN\r\n", b"127.0.0.1"),
    (version2(TCP4), b"192.0.2.1"),
    (version2(TCP4 + bytes(3_000)), b"192.0.2.1"),
    (version2(b"", command=0x20, family=0), b"127.0.0.1"),
])
def test_headers_that_are_understood(start, header, client):
    server = start("--trusted-proxies", "127.0.0.1", "--proxy-protocol")
    whole = answer(server.port, header + HANDSHAKE)
    assert client + b" 127.0.0.1 plain" in whole
    assert client + b" 127.0.0.1 plain" in answer(server.port, *[bytes([byte]) for byte in header], HANDSHAKE)


@pytest.mark.parametrize("bytes_, reason", [
    (HANDSHAKE, "does not begin with a header"),
    (b"PROXY TCP4 localhost localhost 1 2\r\n" + HANDSHAKE, "has another form"),
    (version2(TCP4, command=0x31) + HANDSHAKE, "unknown version 3"),
    (version2(TCP4[:8]) + HANDSHAKE, "amid its addresses"),
    (version2(TCP4, claim=65_000), "more than 4096"),
    (b"\x16\x03\x01\x02\x00\x01", "does not begin with a header"),
])
def test_headers_that_are_not(start, bytes_, reason):
    server = start("--trusted-proxies", "127.0.0.1", "--proxy-protocol")
    assert answer(server.port, bytes_) == b""
    assert reason in server.wait_for_line("closed (--proxy-protocol)")
    assert b"192.0.2.1" in answer(server.port, version2(TCP4) + HANDSHAKE)


def test_a_header_of_somebody_else_is_refused(start):
    server = start("--trusted-proxies", "127.0.0.1", "--proxy-protocol")
    assert answer(server.port, version2(TCP4) + HANDSHAKE, source=CLIENT) == b""
    assert "is not one of --trusted-proxies" in server.wait_for_line("closed (--proxy-protocol)")


def test_a_header_that_does_not_come_is_waited_for_so_long(start):
    server = start("--trusted-proxies", "127.0.0.1", "--proxy-protocol", "--handshake-timeout", "1")
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as client:
        client.sendall(SIGNATURE)
        assert has_ended(client)
    server.wait_for_line("no whole header within --handshake-timeout")


def test_stopping_does_not_wait_for_headers(start):
    server = start("--trusted-proxies", "127.0.0.1", "--proxy-protocol")
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as client:
        client.sendall(SIGNATURE)
        assert b"192.0.2.1" in answer(server.port, version2(TCP4) + HANDSHAKE)
        assert server.stop() == 0
        assert has_ended(client)
