"""`/metrics`: read by a parser of Prometheus's own, and exact whatever happens to server processes."""

import collections
import contextlib
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from authoring import BUILD_TIMEOUT, CRASH, echo, save
from wire import DEADLINE, REPOSITORY, wait_until

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"

TOPIC = """import WebSocketHost

/// Joins a topic; what a client sends goes to all of it.
public let handler = WebSocketHandler { socket in
    try await socket.subscribe(to: "all")
    try await socket.send("joined")
    for try await message in socket { socket.topics.publish(message, to: "all") }
}
"""

REFUSING = """import WebSocketHost

public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        switch request.query["as"] {
        case "abort": throw HandshakeRejection.abort
        case "wait": try await Task.sleep(for: .seconds(600))
        default: throw HandshakeRejection(.found)
        }
    },
    transferData: { _ in })
"""

CLOSING = """import WebSocketHost

public let handler = WebSocketHandler { socket in
    for try await case .text(let text) in socket {
        guard let code = UInt16(text) else { continue }
        try await socket.close(CloseCode(rawValue: code))
    }
}
"""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the socket in the run directory."""

    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(str(self.path))


def request(server, method="GET", path="/metrics", headers=None):
    """The answer and its content. A process that is about to end may say so: then another one is asked."""
    deadline = time.monotonic() + DEADLINE
    while True:
        with contextlib.closing(UnixConnection(server.run_directory / f"{server.port}.sock")) as connection:
            try:
                connection.request(method, path, headers=headers or {})
                answer = connection.getresponse()
                content = answer.read()
            except (ConnectionError, http.client.HTTPException):
                answer = None
        if answer is not None and answer.status != 503:
            return answer, content
        assert time.monotonic() < deadline, "no answer"


def samples(text, parse=parse_text):
    """Each sample by its name and labels."""
    found = {}
    for family in parse(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"{key} twice"
            found[key] = sample.value
    return found


def scrape(server):
    return samples(request(server)[1].decode())


def value(found, name, **labels):
    """The sum of all samples of a name that have these labels."""
    wanted = labels.items()
    return sum(number for (sample, given), number in found.items() if sample == name and wanted <= set(given))


def is_counter(name):
    return name.endswith(("_total", "_bucket", "_count", "_sum"))


class Scraper:
    """Asks all the time, and looks that no counter falls and that both forms can be parsed."""

    def __init__(self, server):
        self.server = server
        self.failures = []
        self.count = 0
        self._last = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join(2 * DEADLINE)

    def _run(self):
        while not self._is_over.is_set():
            try:
                self._look()
            except Exception as error:
                self.failures.append(repr(error))
            self._is_over.wait(0.02)

    def _look(self):
        form = OPENMETRICS if self.count % 2 else TEXT
        answer, content = request(self.server, headers={"Accept": form})
        assert answer.headers["Content-Type"] == form
        found = samples(content.decode(), parse_openmetrics if self.count % 2 else parse_text)
        self.count += 1
        for key, number in found.items():
            before = self._last.get(key)
            if is_counter(key[0]) and before is not None and number < before:
                self.failures.append(f"{key}: {number} after {before}")
        # One that is left out while it is zero must not be left out again.
        gone = [key for key in self._last if is_counter(key[0]) and key not in found]
        if gone:
            self.failures.append(f"gone: {gone}")
        self._last = found


class Load:
    """Clients that come, talk and go, and count exactly what they did."""

    THREADS = 4

    def __init__(self, server, path="/echo"):
        self.server, self.path = server, path
        self.counts = collections.Counter()
        self.failures = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def running(self):
        is_over = threading.Event()
        threads = [threading.Thread(target=self._run, args=(is_over,), daemon=True) for _ in range(self.THREADS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            is_over.set()
            for thread in threads:
                thread.join(2 * DEADLINE)

    def _run(self, is_over):
        number = 0
        while not is_over.is_set():
            number += 1
            try:
                self.talk(f"message {number}", number % 7)
            except Exception as error:
                self.failures.append(repr(error))
                is_over.wait(0.1)

    def talk(self, text, count=1):
        """One connection from its beginning to its end; the last answer."""
        counts = collections.Counter(connections=1)
        answer = None
        with connect(self.server.url(self.path), open_timeout=DEADLINE, compression=None) as client:
            for _ in range(count):
                client.send(text)
                answer = client.recv(DEADLINE)
                counts["in"] += 1
                counts["in bytes"] += len(text.encode())
                counts["out"] += 1
                counts["out bytes"] += len(answer.encode())
        with self._lock:
            self.counts.update(counts)
        return answer


@pytest.fixture
def serve(start_server, tmp_path):
    """Starts a server whose metrics can be asked for."""
    def start(handlers, *options):
        folder = tmp_path / "run"
        server = start_server("--run-directory", folder, *options, handlers=handlers)
        server.run_directory = folder
        return server
    return start


@pytest.fixture
def handlers(tmp_path):
    folder = tmp_path / "handlers"
    save(folder, "echo_wsh.swift", echo("v0"))
    return folder


def wait_for_sample(server, number, name, **labels):
    seen = []

    def is_there():
        seen[:] = [value(scrape(server), name, **labels)]
        return seen[0] == number

    wait_until(is_there, DEADLINE, lambda: f"{name} {labels} is {seen}, not {number}")


@pytest.mark.parametrize("supervised", [True, False])
def test_every_counter_is_exact(serve, handlers, supervised):
    server = serve(handlers, *([] if supervised else ["--no-supervisor"]))
    load = Load(server)
    with Scraper(server) as scraper, load.running():
        wait_until(lambda: scraper.count >= 20 and load.counts["connections"] >= 50, DEADLINE,
                   lambda: f"{scraper.count} scrapes, {load.counts}, {scraper.failures[:3]}")
    assert not scraper.failures and not load.failures
    expect_exactly(server, load)
    found = scrape(server)
    assert value(found, "websockethost_process_starts_total", reason="start") == (1 if supervised else 0)
    assert value(found, "websockethost_build_info") == 1
    assert time.time() - 600 < value(found, "process_start_time_seconds") <= time.time()
    assert value(found, "process_resident_memory_bytes") > 1_000_000
    assert value(found, "process_open_fds") > 10
    assert value(found, "process_cpu_seconds_total") > 0


def expect_exactly(server, load, others=0):
    """`others` are connections beside those of the load that have ended without a message."""
    count = load.counts["connections"] + others
    wait_for_sample(server, 0, "websockethost_connections", route=load.path)
    found = scrape(server)
    assert value(found, "websockethost_handshakes_total", route=load.path, result="accepted") == count
    assert value(found, "websockethost_closes_total", route=load.path) == count
    closes = value(found, "websockethost_closes_total", route=load.path, code="1000", side="client")
    assert closes == load.counts["connections"]
    for direction in ["in", "out"]:
        assert value(found, "websockethost_messages_total", route=load.path, direction=direction) == \
            load.counts[direction]
        assert value(found, "websockethost_message_bytes_total", route=load.path, direction=direction) == \
            load.counts[f"{direction} bytes"]
    return found


def test_counters_go_on_over_ten_saves_a_trap_and_a_sighup(serve, handlers):
    save(handlers, "crash_wsh.swift", CRASH)
    server = serve(handlers, "--watch", "--max-old-generations", 2)
    load = Load(server)

    def wait_for_version(version):
        wait_until(lambda: load.talk("x").startswith(version), BUILD_TIMEOUT, lambda: f"{version} is not live")

    with Scraper(server) as scraper:
        with load.running():
            for number in range(1, 11):
                save(handlers, "echo_wsh.swift", echo(f"v{number}"))
                wait_for_version(f"v{number} ")
        # While nobody talks: what clients of a process that traps have got, only they know.
        with contextlib.ExitStack() as stack:
            idle, trapping = ([stack.enter_context(connect(server.url(path), open_timeout=DEADLINE, close_timeout=1))
                               for _ in range(count)] for path, count in [("/echo", 3), ("/crash", 1)])
            trapping[0].send("3")
            for client in idle + trapping:
                with pytest.raises(ConnectionClosed):
                    client.recv(DEADLINE)
        server.wait_for_line("crash_wsh.swift")
        with load.running():
            wait_until(lambda: load.counts["connections"] > 50, DEADLINE, lambda: f"{load.counts}")
            before = len(server.stderr_lines())
            server.signal(signal.SIGHUP)
            server.wait_for_line("live after", start=before)
        wait_for_sample(server, 3, "websockethost_closes_total", route="/echo", code="1006", side="server")
        count = scraper.count
        wait_until(lambda: scraper.count > count + 2, DEADLINE, lambda: "no more scrapes")
    assert not scraper.failures, scraper.failures[:5]
    # Clients that come at the moment of the trap may fail; no other.
    assert not load.failures, load.failures[:5]
    found = expect_exactly(server, load, others=3)
    assert value(found, "websockethost_handshakes_total", route="/crash", result="accepted") == 1
    assert value(found, "websockethost_messages_total", route="/crash", direction="in") == 1
    assert value(found, "websockethost_closes_total", route="/crash", code="1006", side="server") == 1
    starts = {reason: value(found, "websockethost_process_starts_total", reason=reason)
              for reason in ["start", "change", "signal", "trap", "end"]}
    assert starts == {"start": 1, "change": 10, "signal": 1, "trap": 1, "end": 0}
    assert value(found, "websockethost_connection_seconds_count") == load.counts["connections"]


def test_publishing_is_exact(serve, handlers):
    save(handlers, "topic_wsh.swift", TOPIC)
    server = serve(handlers, "--threads", 2)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(server.url("/topic"), open_timeout=DEADLINE, compression=None))
                   for _ in range(8)]
        for client in clients:
            assert client.recv(DEADLINE) == "joined"
        for number in range(50):
            clients[number % 8].send(f"{number:05}")
        for client in clients:
            for _ in range(50):
                assert len(client.recv(DEADLINE)) == 5
        found = scrape(server)
    assert value(found, "websockethost_published_total") == 50
    assert value(found, "websockethost_delivered_total") == 400
    assert value(found, "websockethost_messages_total", route="/topic", direction="in") == 50
    assert value(found, "websockethost_messages_total", route="/topic", direction="out") == 408
    assert value(found, "websockethost_message_bytes_total", route="/topic", direction="out") == 400 * 5 + 8 * 6
    assert value(found, "websockethost_connections", route="/topic") == 8
    assert value(found, "websockethost_slow_clients_total") == 0


def refusal(server, path, headers=None, **options):
    with pytest.raises(InvalidStatus) as error:
        with connect(server.url(path), open_timeout=DEADLINE, additional_headers=headers, **options):
            pass
    return error.value.response.status_code


def test_each_result_of_a_handshake(serve, handlers):
    save(handlers, "refusing_wsh.swift", REFUSING)
    server = serve(handlers, "--origin", "https://good.example")
    assert refusal(server, "/nothing/here?x") == 404
    assert refusal(server, "/nothing/\"quoted\"") == 404
    assert refusal(server, "/echo", {"Sec-WebSocket-Version": "99"}) == 400
    assert refusal(server, "/echo", origin="https://evil.example") == 403
    assert refusal(server, "/refusing") == 302
    with pytest.raises((OSError, EOFError, InvalidMessage)):
        with connect(server.url("/refusing?as=abort"), open_timeout=DEADLINE):
            pass
    with socket.create_connection((server.host, server.port), DEADLINE) as client:
        client.sendall(
            b"GET /refusing?as=wait HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        wait_for_sample(server, 0, "websockethost_handshakes_total", result="lost")
    wait_for_sample(server, 1, "websockethost_handshakes_total", result="lost")
    found = scrape(server)
    results = {key[1]: number for key, number in found.items() if key[0] == "websockethost_handshakes_total"}
    assert results == {
        (("result", "not_found"), ("route", "none")): 2,
        (("result", "invalid"), ("route", "/echo")): 1,
        (("result", "forbidden"), ("route", "/echo")): 1,
        (("result", "rejected"), ("route", "/refusing")): 2,
        (("result", "lost"), ("route", "/refusing")): 1,
    }
    assert {key[1] for key in found if key[0] == "websockethost_connections"} == {
        (("route", route),) for route in ["/echo", "/refusing", "none", "other"]}


def test_each_way_to_close(serve, handlers):
    save(handlers, "closing_wsh.swift", CLOSING)
    server = serve(handlers)
    expected = collections.Counter()

    def client():
        return connect(server.url("/closing"), open_timeout=DEADLINE, close_timeout=1)

    for code, label in [(1000, "1000"), (1001, "1001"), (3000, "3000-3999"), (3999, "3000-3999"),
                        (4000, "4000-4999"), (4999, "4000-4999"), (1013, "1013")]:
        with client() as client_closes:
            client_closes.close(code)
        expected[label, "client"] += 1
        with client() as server_closes:
            server_closes.send(str(code))
            with pytest.raises(ConnectionClosed):
                server_closes.recv(DEADLINE)
        expected[label, "server"] += 1
    with client() as lost:
        lost.socket.shutdown(socket.SHUT_RDWR)
    expected["1006", "client"] += 1
    with client() as broken:
        broken.socket.sendall(b"\xff\xff\xff\xff")
        with pytest.raises(ConnectionClosed):
            broken.recv(DEADLINE)
    expected["1002", "server"] += 1
    seen = {}

    def is_there():
        seen.clear()
        for (name, labels), number in scrape(server).items():
            if name == "websockethost_closes_total":
                labels = dict(labels)
                seen[labels["code"], labels["side"]] = number
        return seen == expected

    wait_until(is_there, DEADLINE, lambda: f"{seen}, not {expected}")


def test_who_may_ask_for_what(serve, handlers):
    server = serve(handlers)
    before = len(server.stderr_lines())
    for accept, form in [(None, TEXT), ("*/*", TEXT), ("text/plain;version=0.0.4", TEXT),
                         ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3", OPENMETRICS),
                         ("text/plain,application/openmetrics-text;q=0.1", TEXT)]:
        answer, content = request(server, headers={"Accept": accept} if accept else {})
        assert (answer.status, answer.headers["Content-Type"]) == (200, form)
        assert answer.headers["Vary"] == "Accept"
        assert content.endswith(b"# EOF\n") == (form == OPENMETRICS)
        (parse_openmetrics if form == OPENMETRICS else parse_text)(content.decode())
    answer, content = request(server, "HEAD")
    assert (answer.status, content) == (200, b"") and int(answer.headers["Content-Length"]) > 1_000
    for method in ["POST", "DELETE", "PUT"]:
        answer, _ = request(server, method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert request(server, path="/metrics/x")[0].status == 404
    # On the public port there is nothing.
    with contextlib.closing(http.client.HTTPConnection(server.host, server.port, timeout=DEADLINE)) as public:
        public.request("GET", "/metrics")
        assert public.getresponse().status == 404
    assert not [line for line in server.stderr_lines()[before:] if "/metrics" in line and "GET /metrics 404" not in line
                and " 404" not in line]


def test_a_scrape_that_is_never_read(serve, handlers):
    server = serve(handlers)
    path = str(server.run_directory / f"{server.port}.sock")
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.settimeout(DEADLINE)
            client.connect(path)
            # As many requests as fit, none of whose answers is read.
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
        load = Load(server)
        began = time.monotonic()
        for _ in range(20):
            load.talk("hello")
            assert scrape(server)
        assert time.monotonic() - began < DEADLINE
    expect_exactly(server, load)


def families(server):
    """The names by which queries know the samples."""
    found = request(server, headers={"Accept": OPENMETRICS})[1].decode()
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", found, re.MULTILINE):
        names.add(name + {"counter": "_total", "info": "_info"}.get(kind, ""))
    return names


def named(text):
    """The metrics that a document, a query or a rule names."""
    found = set(re.findall(r"\b(?:websockethost|process)_[a-z_]+", text))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}


def test_documents_name_the_metrics_that_there_are(serve, handlers):
    names = families(serve(handlers))
    assert len(names) > 15
    docs = REPOSITORY / "docs"
    assert named((docs / "METRICS.md").read_text()) - OTHER_NAMES == names
    dashboard = json.loads((docs / "deploy" / "grafana" / "websockethost.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(queries) > 10
    assert named(" ".join(queries)) <= names
    rules = (docs / "deploy" / "prometheus" / "alerts.yml").read_text()
    assert named(rules) - OTHER_NAMES <= names
    # Each is shown or watched somewhere.
    assert names - named(" ".join(queries)) - named(rules) == set()


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_what_promtool_says(serve, handlers):
    server = serve(handlers)
    Load(server).talk("hello")
    prometheus = REPOSITORY / "docs" / "deploy" / "prometheus"
    for arguments, given in [(["check", "metrics"], request(server)[1]),
                             (["check", "rules", prometheus / "alerts.yml"], b""),
                             (["check", "config", prometheus / "prometheus.yml"], b"")]:
        ran = subprocess.run(["promtool", *arguments], input=given, capture_output=True, timeout=DEADLINE)
        assert ran.returncode == 0, ran.stdout + ran.stderr


# Words of the files that look like metrics.
OTHER_NAMES = {"websockethost_", "process_"}
