"""The files of docs/deploy, as systemd, nginx, HAProxy and Caddy take them: who the client is, and that replacing a
server or a proxy refuses nobody."""

import contextlib
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import threading
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from conftest import Server
from proxies_test import CLIENT, free_port, running
from wire import DEADLINE, HANDLERS, REPOSITORY, wait_until

DEPLOY = REPOSITORY / "docs" / "deploy"
COMMAND = shlex.split(os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh")))


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


def text(name, **changes):
    """A file of docs/deploy with other values in it; each must be there."""
    content = (DEPLOY / name).read_text()
    for old, new in changes.pop("changes").items():
        assert old in content, old
        content = content.replace(old, str(new))
    return content


# --- systemd ----------------------------------------------------------------------------------------

@needs("systemd-analyze")
def test_systemd_takes_the_units(tmp_path):
    for name in ["websockethost.service", "websockethost.socket"]:
        unit = (DEPLOY / "systemd" / name).read_text()
        (tmp_path / name).write_text(unit.replace("/usr/local/bin/websockethost", "/bin/true"))
    units = [tmp_path / "websockethost.service", tmp_path / "websockethost.socket"]
    result = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=DEADLINE)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@needs("systemd-analyze")
def test_the_service_has_few_rights():
    """Its exposure, of 10; 2 is what systemd's own services have that are well closed off."""
    unit = DEPLOY / "systemd" / "websockethost.service"
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", unit], capture_output=True, text=True,
        timeout=DEADLINE)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_server_takes_the_example_of_options():
    """And each value of it is in effect."""
    path = DEPLOY / "systemd" / "websockethost.conf"
    result = subprocess.run(
        [*COMMAND, "--config", path, "--print-config"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=900)
    assert result.returncode == 0, result.stderr
    lines = [line for line in path.read_text().splitlines() if re.match(r"\w+ = ", line)]
    assert len(lines) > 5
    for line in lines:
        assert line in result.stdout.splitlines(), line


# --- Servers and clients ----------------------------------------------------------------------------

class Machine:
    """A server with an admin listener, which can be replaced by another one on the same ports."""

    def __init__(self, port=None):
        self.port, self.admin_port = port or free_port(), free_port()
        self.start()

    def start(self):
        # `-p 0`, which a Server passes, is overridden.
        self.server = Server(
            "-H", "127.0.0.1", "-p", self.port, "--admin-listen", f"127.0.0.1:{self.admin_port}", "--trusted-proxies",
            "127.0.0.1", handlers=HANDLERS)

    def readiness(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/ready", timeout=DEADLINE) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def stop(self):
        self.server.stop()


@pytest.fixture
def machines():
    started = []

    def start(*arguments):
        started.append(Machine(*arguments))
        return started[-1]

    yield start
    for machine in started:
        machine.stop()


class Clients:
    """Opens one connection after the other through a proxy and talks on it; counts what does not succeed."""

    def __init__(self, port):
        self.port, self.served, self.failures = port, 0, []
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(4)]

    def _run(self):
        while not self._ends.is_set():
            try:
                with connect(f"ws://127.0.0.1:{self.port}/echo", open_timeout=DEADLINE) as client:
                    client.send("hello")
                    assert client.recv(DEADLINE) == "hello"
                self.served += 1
            except ConnectionClosed as error:
                # It was let in. A server that ends says so; the client comes back.
                if not error.rcvd or error.rcvd.code not in (1001, 1012):
                    self.failures.append(repr(error))
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append(repr(error))

    def more(self, count=20):
        """So many more are served from now on."""
        aim = self.served + count
        wait_until(lambda: self.served >= aim or self.failures, DEADLINE)
        assert not self.failures

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self._ends.set()
        for thread in self._threads:
            thread.join(DEADLINE)


def who(port):
    with connect(f"ws://127.0.0.1:{port}/who", source_address=(CLIENT, 0), open_timeout=DEADLINE) as client:
        return client.recv(DEADLINE)


def reload(machine):
    """SIGHUP, until the new process serves."""
    before = machine.server.pid
    machine.server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: machine.server.pid != before, DEADLINE)


# --- nginx ------------------------------------------------------------------------------------------

@contextlib.contextmanager
def nginx(folder, *machines):
    port = free_port()
    servers = " ".join(f"server 127.0.0.1:{machine.port};" for machine in machines)
    (folder / "site.conf").write_text(text("nginx/websockethost.conf", changes={
        "listen 80;": f"listen 127.0.0.1:{port};", "server 127.0.0.1:9998;": servers}))
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ["proxy", "fastcgi", "uwsgi", "scgi"])
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; {temporary} include {folder}/site.conf; }}\n")
    with running(["nginx", "-p", folder, "-c", folder / "nginx.conf"], port):
        yield port


@needs("nginx")
def test_nginx(machines, tmp_path):
    machine = machines()
    with nginx(tmp_path, machine) as port:
        assert who(port) == f"{CLIENT} 127.0.0.1 plain"
        machine.server.wait_for_line(f"open /who {CLIENT} ")


@needs("nginx")
def test_reloading_behind_nginx_refuses_nobody(machines, tmp_path):
    machine = machines()
    with nginx(tmp_path, machine) as port, Clients(port) as clients:
        clients.more()
        for _ in range(3):
            reload(machine)
            clients.more()
        os.kill(int((tmp_path / "nginx.pid").read_text()), signal.SIGHUP)
        clients.more()
    assert not clients.failures


@needs("nginx")
def test_one_of_two_servers_behind_nginx_is_replaced(machines, tmp_path):
    one, two = machines(), machines()
    with nginx(tmp_path, one, two) as port, Clients(port) as clients:
        for machine in [one, two]:
            clients.more()
            machine.stop()
            clients.more()
            machine.start()
            # nginx asks a server that failed again after 10 s; until then the other one has to do.
            with Clients(machine.port) as direct:
                direct.more()
            with connect(f"ws://127.0.0.1:{port}/echo"):
                pass
            if machine is one:
                wait_until(lambda: "open /who" in "".join(served_by(one, port)), DEADLINE)
    assert not clients.failures


def served_by(machine, port):
    who(port)
    return machine.server.stderr_lines()


# --- HAProxy ----------------------------------------------------------------------------------------

@contextlib.contextmanager
def haproxy(folder, one, two):
    port = free_port()
    path = folder / "haproxy.cfg"
    path.write_text(text("haproxy/haproxy.cfg", changes={
        "bind :80": f"bind 127.0.0.1:{port}",
        "server one 127.0.0.1:9998 check port 9999": f"server one 127.0.0.1:{one.port} check port {one.admin_port}",
        "server two 127.0.0.1:9988 check port 9989": f"server two 127.0.0.1:{two.port} check port {two.admin_port}"}))
    checked = subprocess.run(["haproxy", "-c", "-f", path], capture_output=True, text=True, timeout=DEADLINE)
    assert checked.returncode == 0, checked.stderr
    assert "warning" not in checked.stderr.lower(), checked.stderr
    # Master and worker, as Debian's unit starts it.
    with path.with_suffix(".log").open("w") as log, running(["haproxy", "-W", "-f", path], port, log) as master:
        yield port, path, master


@needs("haproxy")
def test_haproxy(machines, tmp_path):
    one, two = machines(), machines()
    with haproxy(tmp_path, one, two) as (port, _, _):
        assert {who(port) for _ in range(4)} == {f"{CLIENT} 127.0.0.1 plain"}


@needs("haproxy")
def test_replacing_servers_behind_haproxy_refuses_nobody(machines, tmp_path):
    one, two = machines(), machines()
    with haproxy(tmp_path, one, two) as (port, _, _), Clients(port) as clients:
        for machine, other in [(one, two), (two, one)]:
            clients.more()
            with connect(f"ws://127.0.0.1:{machine.port}/echo") as held:
                machine.server.process.send_signal(signal.SIGTERM)
                wait_until(lambda: machine.readiness() in (503, None), DEADLINE)
                clients.more()
                with pytest.raises(ConnectionClosed) as closed:
                    held.recv(DEADLINE)
                assert closed.value.rcvd.code == 1001
            machine.server.wait()
            clients.more()
            machine.start()
            assert machine.readiness() == 200
            # HAProxy has seen that too: it must, before the other one ends.
            wait_until(lambda: any("open /who" in line for line in served_by(machine, port)), DEADLINE)
            assert other.readiness() == 200
    assert not clients.failures


@needs("haproxy")
def test_reloading_haproxy_refuses_nobody(machines, tmp_path):
    one, two = machines(), machines()
    with haproxy(tmp_path, one, two) as (port, path, master), Clients(port) as clients:
        with connect(f"ws://127.0.0.1:{port}/echo") as held:
            clients.more()
            master.send_signal(signal.SIGUSR2)
            wait_until(lambda: "Proxy websocket stopped" in path.with_suffix(".log").read_text(), DEADLINE)
            clients.more(100)
            held.send("still there")
            assert held.recv(DEADLINE) == "still there"
            clients.end()
    assert not clients.failures


# --- Caddy ------------------------------------------------------------------------------------------

@needs("caddy")
def test_caddy(machines, tmp_path):
    machine = machines()
    port = free_port()
    path = tmp_path / "Caddyfile"
    path.write_text("{\n\tadmin off\n}\n" + text("caddy/Caddyfile", changes={
        "example.com {": f"http://127.0.0.1:{port} {{",
        "reverse_proxy 127.0.0.1:9998": f"reverse_proxy 127.0.0.1:{machine.port}"}))
    homes = [f"{name}={tmp_path}" for name in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"]]
    command = ["env", *homes, "caddy", "run", "--config", path, "--adapter", "caddyfile"]
    with running(command, port):
        assert who(port) == f"{CLIENT} 127.0.0.1 plain"
        # A client's own word about itself is dropped.
        with connect(f"ws://127.0.0.1:{port}/who", additional_headers={"X-Forwarded-For": "6.6.6.6"}) as client:
            assert client.recv(DEADLINE) == "127.0.0.1 127.0.0.1 plain"


# --- The page ---------------------------------------------------------------------------------------

def test_the_page_names_each_file():
    page = (REPOSITORY / "docs" / "DEPLOYMENT.md").read_text()
    for path in sorted(DEPLOY.rglob("*")):
        folder = path.relative_to(DEPLOY)
        if path.is_file() and folder.parts[0] in ("systemd", "nginx", "haproxy", "caddy") and folder.suffix != ".py":
            assert str(pathlib.PurePosixPath("deploy") / folder) in page, folder
