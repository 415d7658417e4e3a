"""TLS: versions, names, certificates of both ends, resumption, reload, and who speaks something else."""

import shutil
import socket
import ssl
import subprocess
import urllib.request

import pytest

from conftest import Server
from wire import (
    CLOSE, DEADLINE, HANDLERS, TEXT, Wire, close_body, frame, handshake, peak_bytes, reset_peak, resident_bytes,
    run_program, wait_until)


ELLIPTIC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
RSA = ["-newkey", "rsa:2048", "-nodes"]
LOCAL = ["DNS:localhost", "IP:127.0.0.1"]


def make_certificate(folder, name, names, issuer=None, kind=ELLIPTIC):
    """`name.pem` and `name.key`; without `issuer` it vouches for itself and for others."""
    command = ["openssl", "req", "-x509", *kind, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem",
               "-days", 30, "-subj", f"/O=Test/CN={name}", "-addext", f"subjectAltName={','.join(names)}"]
    if issuer:
        command += ["-CA", folder / f"{issuer}.pem", "-CAkey", folder / f"{issuer}.key",
                    "-addext", "basicConstraints=critical,CA:FALSE"]
    run(command)


def make_expired(folder, name, names):
    """`openssl req` of OpenSSL 3.0 cannot choose the first day; `openssl ca` can."""
    key, request, certificate = (folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
    (folder / "index").write_text("")
    (folder / "serial").write_text("01\n")
    (folder / "ca.conf").write_text(f"""
        [ca]
        default_ca = this
        [this]
        new_certs_dir = {folder}
        database = {folder}/index
        serial = {folder}/serial
        default_md = sha256
        policy = any
        [any]
        commonName = supplied
        [names]
        subjectAltName = {','.join(names)}
        """.replace("\n        ", "\n"))
    run(["openssl", "req", "-new", *ELLIPTIC, "-keyout", key, "-out", request, "-subj", f"/CN={name}"])
    run(["openssl", "ca", "-batch", "-notext", "-config", folder / "ca.conf", "-selfsign", "-keyfile", key,
         "-in", request, "-out", certificate, "-startdate", "20200101000000Z", "-enddate", "20200201000000Z",
         "-extensions", "names"])


def run(command, **others):
    result = subprocess.run([str(word) for word in command], capture_output=True, timeout=DEADLINE, **others)
    assert result.returncode == 0, result.stderr.decode(errors="replace")
    return result.stdout.decode(errors="replace")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder, "server", LOCAL, kind=RSA)
    make_certificate(folder, "second", ["DNS:second.example"])
    make_certificate(folder, "authority", ["DNS:authority"])
    make_certificate(folder, "alice", ["DNS:alice.example", "email:alice@example.com"], issuer="authority")
    make_certificate(folder, "mallory", ["DNS:mallory"])
    make_expired(folder, "old", LOCAL)
    return folder


def pair(folder, name="server"):
    return ["-c", folder / f"{name}.pem", "-k", folder / f"{name}.key"]


@pytest.fixture(scope="module")
def host(folder):
    server = Server("-t", *pair(folder), *pair(folder, "second"), "--threads", "2", handlers=HANDLERS)
    yield server
    assert server.stop() == 0


def context_for(folder, name="server", version=None, identity=None):
    context = ssl.create_default_context(cafile=folder / f"{name}.pem")
    if version:
        context.minimum_version = context.maximum_version = version
    if identity:
        context.load_cert_chain(folder / f"{identity}.pem", folder / f"{identity}.key")
    return context


def connect_tcp(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE)


def connect(server, context, name="localhost", session=None):
    return context.wrap_socket(connect_tcp(server), server_hostname=name, session=session)


def open_route(server, context, path, **others):
    wire = Wire(connect(server, context, **others))
    wire.send(handshake(path))
    assert wire.head().status == 101
    return wire


def what_the_handler_sees(server, context, **others):
    wire = open_route(server, context, "/tls", **others)
    text = wire.text()
    wire.send_frame(CLOSE, close_body(1000))
    return dict(line.split(": ", 1) for line in text.split("\n"))


# --- Versions, ALPN, names --------------------------------------------------------------------------

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(host, folder, version):
    context = context_for(folder, version=version)
    context.set_alpn_protocols(["h2", "http/1.1"])
    seen = what_the_handler_sees(host, context)
    assert seen["isSecure"] == "true"
    assert seen["version"] == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
    assert seen["cipher"].startswith("TLS_") and "GCM" in seen["cipher"]
    assert seen["serverName"] == "localhost" and seen["alpn"] == "http/1.1"
    assert seen["peerSubject"] == "-"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(host, folder, version):
    context = context_for(folder, version=version)
    context.set_ciphers("ALL:@SECLEVEL=0")
    start = len(host.stderr_lines())
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        connect(host, context)
    host.wait_for_line("TLS handshake failed: unsupported protocol", start=start)


def test_alpn(host, folder):
    for offered, chosen in [([], None), (["http/1.1"], "http/1.1"), (["h2", "http/1.1", "x"], "http/1.1")]:
        context = context_for(folder)
        if offered:
            context.set_alpn_protocols(offered)
        with connect(host, context) as stream:
            assert stream.selected_alpn_protocol() == chosen
    context = context_for(folder)
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        connect(host, context)


def test_no_weak_ciphers(host, folder):
    for ciphers in ["AES128-SHA", "ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256"]:
        context = context_for(folder, version=ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(ciphers)
        with pytest.raises(ssl.SSLError, match="(?i)handshake.failure"):
            connect(host, context)


@pytest.mark.parametrize("name, subject", [
    ("localhost", "server"), ("second.example", "second"), ("SECOND.example", "second"), ("third.example", "server"),
    (None, "server")])
def test_the_certificate_for_the_name(host, name, subject):
    command = ["openssl", "s_client", "-connect", f"localhost:{host.port}"]
    command += ["-servername", name] if name else ["-noservername"]
    text = run(command, input=b"")
    assert f"CN = {subject}" in text


# --- Resumption -------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_resumption(host, folder, version):
    context = context_for(folder, version=version)
    first = open_route(host, context, "/tls")
    assert "isResumed: false" in first.text()  # reading also takes in the tickets of TLS 1.3
    session = first.socket.session
    seen = what_the_handler_sees(host, context, session=session)
    assert seen["isResumed"] == "true"


def test_resumption_keeps_the_client_certificate(start_server, folder):
    server = start_server(
        "-t", *pair(folder), "--tls-client-auth", "--tls-client-ca", folder / "authority.pem", handlers=HANDLERS)
    context = context_for(folder, identity="alice")
    first = open_route(server, context, "/tls")
    first.text()
    seen = what_the_handler_sees(server, context, session=first.socket.session)
    assert seen["isResumed"] == "true" and seen["peerSubject"] == "CN=alice,O=Test"


def test_s_client_reconnects(host):
    text = run(["openssl", "s_client", "-connect", f"localhost:{host.port}", "-reconnect", "-tls1_2"], input=b"")
    assert text.count("Reused, TLSv1.2") == 5


# --- Client certificates ----------------------------------------------------------------------------

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("is_optional", [False, True])
@pytest.mark.parametrize("identity", [None, "alice", "mallory"])
def test_client_certificates(start_server, folder, version, is_optional, identity):
    options = ["--tls-client-auth", "--tls-client-ca", folder / "authority.pem"]
    options += ["--tls-client-cert-optional"] if is_optional else []
    server = start_server("-t", *pair(folder), *options, handlers=HANDLERS)
    context = context_for(folder, version=version, identity=identity)
    if identity == "alice" or (identity is None and is_optional):
        seen = what_the_handler_sees(server, context)
        assert seen["peerSubject"] == ("CN=alice,O=Test" if identity else "-")
        assert seen["names"] == ("DNS:alice.example email:alice@example.com" if identity else "")
        return
    with pytest.raises((ssl.SSLError, ConnectionError), match="(?i)alert|reset"):
        stream = connect(server, context)
        stream.sendall(handshake("/tls"))
        stream.recv(1)
    reason = "certificate verify failed" if identity else "peer did not return a certificate"
    server.wait_for_line(f"TLS handshake failed: {reason}")


# --- Files ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, reason", [
    (["-t"], "-t needs -c CERTIFICATE and -k KEY: give both, or --tls-self-signed"),
    (["-t", "-c", "x"], "-t needs a key (-k) for each certificate (-c): 0 for 1"),
    (["-t", "-k", "x"], "-t needs -c CERTIFICATE"),
    (["-t", "-c", "x", "-c", "y", "-k", "z"], "1 for 2"),
    (["--tls-client-auth", "--tls-client-ca", "x"], "--tls-client-auth needs TLS: add -t"),
    (["-t", "-c", "x", "-k", "y", "--tls-client-auth"], "--tls-client-auth needs --tls-client-ca FILE"),
    (["-t", "-c", "x", "-k", "y", "--tls-client-cert-optional"], "needs --tls-client-auth: add that"),
    (["--tls-self-signed", "-c", "x", "-k", "y"], "--tls-self-signed makes its own certificate"),
])
def test_options_that_do_not_go_together(options, reason):
    code, _, text = run_program(*options, "-p", 0, "-w", HANDLERS)
    assert code == 2 and reason in text.split("\n")[0]


@pytest.mark.parametrize("certificate, key, authority, option, reason", [
    ("missing", "server.key", None, "-c, --certificate", "No such file or directory"),
    ("server.pem", "missing", None, "-k, --private-key", "No such file or directory"),
    (".", "server.key", None, "-c, --certificate", "Is a directory"),
    ("server.key", "server.key", None, "-c, --certificate", "holds no certificate in PEM"),
    ("server.pem", "server.pem", None, "-k, --private-key", "holds no private key in PEM"),
    ("server.pem", "second.key", None, "-k, --private-key", "does not belong to the certificate"),
    ("server.pem", "locked.key", None, "-k, --private-key", "is protected by a passphrase"),
    ("server.pem", "server.key", "missing", "--tls-client-ca", "No such file or directory"),
    ("server.pem", "server.key", "server.key", "--tls-client-ca", "holds no certificates in PEM"),
])
def test_bad_files(folder, certificate, key, authority, option, reason):
    if key == "locked.key":
        run(["openssl", "pkey", "-in", folder / "server.key", "-aes256", "-passout", "pass:x",
             "-out", folder / "locked.key"])
    options = ["-t", "-c", folder / certificate, "-k", folder / key]
    options += ["--tls-client-auth", "--tls-client-ca", folder / authority] if authority else []
    code, _, text = run_program(*options, "-p", 0, "-w", HANDLERS)
    assert code == 1 and text.startswith(option + ": ") and reason in text and text.count("\n") == 1


def test_an_expired_certificate_is_a_warning(start_server, folder):
    server = start_server("-t", *pair(folder, "old"), handlers=HANDLERS)
    line = server.wait_for_line("old.pem' expired on Feb  1 00:00:00 2020 GMT: clients will refuse it")
    assert " warning " in line
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        connect(server, context_for(folder, "old"))


def test_changed_files_are_read_again(start_server, folder, tmp_path):
    def put(name):
        for end in ("pem", "key"):
            shutil.copy(folder / f"{name}.{end}", tmp_path / f"new.{end}")
            (tmp_path / f"new.{end}").rename(tmp_path / f"live.{end}")

    def shown():
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with connect(server, context) as stream:
            return stream.getpeercert(binary_form=True)

    def der(name):
        return ssl.PEM_cert_to_DER_cert((folder / f"{name}.pem").read_text())

    put("server")
    server = start_server("-t", *pair(tmp_path, "live"), handlers=HANDLERS)
    old = open_route(server, context_for(folder), "/echo")
    assert shown() == der("server")
    put("second")
    assert wait_until(lambda: shown() == der("second"))
    server.wait_for_line("the certificate files have changed and were read again")
    (tmp_path / "live.key").write_text("nothing")
    assert wait_until(
        lambda: shown() == der("second") and any("stay in use" in line for line in server.stderr_lines()))
    old.send_frame(TEXT, "still here")
    assert old.text() == "still here"


def test_self_signed(start_server, tmp_path):
    server = start_server("--tls-self-signed", handlers=HANDLERS)
    fingerprint = server.wait_for_line("SHA-256 is ").rsplit(" ", 1)[1]
    pem = ssl.get_server_certificate(("127.0.0.1", server.port))
    (tmp_path / "localhost.pem").write_text(pem)
    shown = run(["openssl", "x509", "-in", tmp_path / "localhost.pem", "-noout", "-fingerprint", "-sha256"])
    assert fingerprint in shown
    for name in ["localhost", "127.0.0.1", "::1", socket.gethostname()]:
        assert what_the_handler_sees(server, context_for(tmp_path, "localhost"), name=name)["isSecure"] == "true"
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(server, context_for(tmp_path, "localhost"), name="elsewhere.example")
    page = urllib.request.urlopen(
        f"https://localhost:{server.port}/", context=context_for(tmp_path, "localhost"), timeout=DEADLINE)
    assert page.status == 200


# --- What is no TLS, or only nearly -----------------------------------------------------------------

@pytest.mark.parametrize("request_bytes", [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", handshake("/echo"), b"G", b"\x00\x00\x00", b"\x80\x2e\x01\x00\x02"])
def test_plain_http_gets_a_sentence(host, request_bytes):
    with connect_tcp(host) as stream:
        stream.sendall(request_bytes)
        answer = b"".join(iter(lambda: stream.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"\r\n\r\nThis port speaks TLS: use wss:// or https://\n")


def test_tls_on_a_plain_port_gets_an_answer(start_server):
    server = start_server(handlers=HANDLERS)
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLError):
        connect(server, context)


class Manual:
    """A TLS client whose bytes the test carries."""

    def __init__(self, stream, context, piece=1 << 20):
        self.stream, self.piece = stream, piece
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.until_done(self.session.do_handshake)

    def carry_out(self):
        data = self.outgoing.read()
        for start in range(0, len(data), self.piece):
            self.stream.sendall(data[start:start + self.piece])

    def until_done(self, step, *arguments):
        while True:
            try:
                result = step(*arguments)
                self.carry_out()
                return result
            except ssl.SSLWantReadError:
                self.carry_out()
                data = self.stream.recv(65_536)
                assert data
                self.incoming.write(data)

    def write(self, data):
        self.until_done(self.session.write, data)

    def read(self):
        return self.until_done(self.session.read, 65_536)


def test_a_slow_handshake(host, folder):
    with connect_tcp(host) as stream:
        client = Manual(stream, context_for(folder), piece=1)
        client.write(handshake("/echo"))
        assert client.read().startswith(b"HTTP/1.1 101 ")


def test_a_half_closed_client_gets_its_answer(host, folder):
    with connect_tcp(host) as stream:
        client = Manual(stream, context_for(folder))
        client.session.write(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(ssl.SSLWantReadError):
            client.session.unwrap()  # makes close_notify, and would wait for the server's
        client.carry_out()
        assert client.read().startswith(b"HTTP/1.1 404 ")
        with pytest.raises(ssl.SSLZeroReturnError):
            client.read()


def test_an_unfinished_handshake_is_closed_in_time(start_server, folder):
    server = start_server("-t", *pair(folder), "--handshake-timeout", "0.3", handlers=HANDLERS)
    with connect_tcp(server) as stream:
        stream.sendall(b"\x16\x03\x01\x00\xc8\x01")
        assert stream.recv(1) == b""
    server.wait_for_line("no whole TLS handshake within --handshake-timeout")


def test_garbage(host):
    start = len(host.stderr_lines())
    for seed in range(50):
        with connect_tcp(host) as stream:
            stream.sendall(b"\x16\x03\x01" + bytes((seed * 7 + index * 13) % 256 for index in range(700)))
            stream.shutdown(socket.SHUT_WR)
            try:
                while stream.recv(65_536):
                    pass
            except ConnectionError:
                pass
    host.wait_for_line("TLS handshake failed", start=start)
    assert host.process.poll() is None


# --- What goes through it ---------------------------------------------------------------------------

@pytest.mark.parametrize("size", [0, 125, 126, 16_384, 65_536, 1 << 20])
def test_messages(host, folder, size):
    wire = open_route(host, context_for(folder), "/echo")
    text = "0123456789abcdef" * (size // 16) + "x" * (size % 16)
    wire.send_frame(TEXT, text)
    assert wire.text() == text
    wire.send_frame(CLOSE, close_body(1000))
    assert wire.close_frame()[0] == 1000
    # The goodbye of TLS (RFC 8446 §6.1): its absence would be an error here.
    assert wire.socket.recv(1) == b""
    wire.socket.unwrap()


def test_many_messages_in_one_go(host, folder):
    wire = open_route(host, context_for(folder), "/echo")
    wire.send(b"".join(frame(TEXT, f"message {number}") for number in range(5_000)))
    for number in range(5_000):
        assert wire.text() == f"message {number}"


def test_a_client_that_reads_slowly(host, folder):
    idle = resident_bytes(host.pid)
    reset_peak(host.pid)
    wire = open_route(host, context_for(folder), "/flood")
    count = 1_000
    wire.send_frame(TEXT, f"{count} 65536")
    for _ in range(count):
        assert len(wire.frame().payload) == 65_536
    assert peak_bytes(host.pid) - idle < 8 << 20


def test_websockets_client(host, folder):
    from websockets.sync.client import connect as open_websocket
    url = f"wss://localhost:{host.port}/echo"
    with open_websocket(url, ssl=context_for(folder)) as client:
        for message in ["one", b"two", "x" * (1 << 20)]:
            client.send(message)
            assert client.recv(timeout=DEADLINE) == message


def test_a_refusal_over_the_limit(start_server, folder):
    server = start_server("-t", *pair(folder), "--max-connections", "1", handlers=HANDLERS)
    context = context_for(folder)
    with open_route(server, context, "/echo"):
        with Wire(connect(server, context)) as second:
            assert second.head().status == 503


def test_idle_connections_memory(start_server, folder):
    count = 1_000
    server = start_server("--tls-self-signed", "--threads", "1", handlers=HANDLERS)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    warm = [open_route(server, context, "/held") for _ in range(20)]
    before = resident_bytes(server.pid)
    wires = [open_route(server, context, "/held") for _ in range(count)]
    each = (resident_bytes(server.pid) - before) / count
    print(f"\n{each:.0f} bytes for each idle TLS connection")
    assert each < 20 << 10
    for wire in warm + wires:
        wire.socket.close()


# --- A browser --------------------------------------------------------------------------------------

def test_browser(start_server):
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.fail("the browser tests need: apt-get install chromium chromium-driver (Debian, Ubuntu)")
    server = start_server("--tls-self-signed", handlers=HANDLERS)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     "--ignore-certificate-errors"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        browser.set_script_timeout(DEADLINE)
        browser.get(server.http_url("/"))
        assert "/echo" in browser.page_source
        answer = browser.execute_async_script("""
            const done = arguments[1], socket = new WebSocket(arguments[0]);
            socket.onerror = () => done("error");
            socket.onopen = () => socket.send("grüße".repeat(100000));
            socket.onmessage = (event) => { done(event.data.length); };
        """, server.url("/echo"))
        assert answer == 500_000
    finally:
        browser.quit()
