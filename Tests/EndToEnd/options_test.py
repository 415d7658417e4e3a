"""Options wherever they come from: the command line, the environment, configuration files."""

import os
import re

import pytest

from wire import HANDLERS, handshake, request, run_program

PLAIN = {"PORT": "any", "COUNT": "many", "BYTES": "lots", "SECONDS": "soon", "MODE": "shred", "LEVEL": "loud",
         "FORMAT": "yaml", "LIST": "https://a/b", "HOST": "a b", "FILE": "/proc/none/at", "DIR": "/proc/none/at",
         "PATHS": "../x", "USER:PASSWORD": "nobody", "VERSION": "0.9", "CIPHERS": "no such cipher",
         "NAMES": "a b", "PATH": "no-slash", "POLICY": "drop-all", "KIND": "x-real-ip", "ADDRESS": "localhost"}
# Any text is right for these. Without its run directory a server serves all the same.
FREE = {"--handler-encoding", "--run-directory"}
# These standalone.sh looks at; another command may take anything.
OF_SCRIPT = {"--websock-handlers", "--scan-dir"}
HAS_SCRIPT = "standalone.sh" in os.environ.get("WEBSOCKETHOST_COMMAND", "standalone.sh")
# Where it is not the text of the value that is wrong; all others end with 2.
EXIT_CODES = {"--server-host": 3, "--websock-handlers": 1, "--scan-dir": 1, "--log-file": 1, "--config": 1,
              "--websock-handlers-map-file": 1, "--certificate": 1, "--private-key": 1, "--tls-client-ca": 1,
              "--document-root": 1, "--basic-auth-credential": 1, "--basic-auth-file": 1}
# What has to be said with it, or the value is not looked at.
WITH = {"--certificate": ["--tls", "--private-key", "/proc/none/at"],
        "--private-key": ["--tls", "--certificate", "/etc/ssl/certs/ca-certificates.crt"],
        "--tls-client-ca": ["--tls-self-signed", "--tls-client-auth"],
        "--basic-auth-credential": ["--basic-auth"],
        "--basic-auth-file": ["--basic-auth"]}


@pytest.fixture(scope="module")
def options():
    """Every option of --help that takes a value, with the letter or None and the word for the value."""
    code, text, _ = run_program("--help")
    assert code == 0
    found = re.findall(r"^  (?:(-\w), |    )(--[\w-]+)(?: ([A-Z:_]+))?(?:\s|$)", text, re.MULTILINE)
    assert len(found) > 35
    return found


def test_every_wrong_value(options):
    """One line that names the option, the value and what is allowed, however the option is spelt."""
    seen = 0
    for letter, name, word in options:
        if not word or name in FREE or name in OF_SCRIPT and not HAS_SCRIPT:
            continue
        value = PLAIN[word]
        seen += 1
        for spelling in filter(None, [letter, name, "--" + name[2:].replace("-", "_")]):
            code, _, errors = run_program("-p", "0", *WITH.get(name, []), spelling, value)
            line = next(line for line in errors.splitlines() if value in line)
            assert code == EXIT_CODES.get(name, 2), (spelling, errors)
            assert any(text in line for text in (spelling, name, f"({letter or name})")), (spelling, errors)
    assert seen > 25


def test_every_wrong_flag(options):
    for letter, name, word in options:
        if word:
            continue
        code, _, errors = run_program("-p", "0", f"{name}=maybe")
        says = [f"{name}: 'maybe' is not true or false", f"{name} takes no value"]
        assert code == 2 and any(text in errors for text in says), errors


def listing(*options):
    code, text, errors = run_program("--print-config", *options)
    assert code == 0, errors
    return text.splitlines()


def configured(tmp_path, text, name="server.ini"):
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("section", ["pywebsocket", "websockethost"])
def test_reference_file(start_server, tmp_path, section):
    """The file of pywebsocket3's documentation, flags with true values included."""
    (tmp_path / "map.txt").write_text("# comment\n/ /echo\n")
    path = configured(tmp_path, f"""
; Options of standalone.py
[{section}]
port = 1
websock_handlers_map_file = map.txt
log-level: debug
max_message_size = 10
strict = no
""")
    server = start_server("--config", path, handlers=HANDLERS)
    assert request(server, handshake("/"), has_body=False).status == 101
    assert server.port != 1  # -p 0 of the command line
    lines = listing("--config", path)
    assert lines[lines.index("port = 1") - 1] == f"# {path}:4"
    assert "max_message_size = 10" in lines and "strict = false" in lines and "#queue = 1024" in lines


def test_precedence(tmp_path, monkeypatch):
    path = configured(tmp_path, "[pywebsocket]\nqueue = 1\nthreads = 1\nlog_max = 1\n")
    monkeypatch.setenv("WEBSOCKETHOST_THREADS", "2")
    monkeypatch.setenv("WEBSOCKETHOST_LOG_MAX", "2")
    monkeypatch.setenv("WEBSOCKETHOST_CONFIG", str(path))
    lines = listing("--log_max=3")
    for text, origin in [
            ("queue = 1", f"{path}:2"), ("threads = 2", "environment: WEBSOCKETHOST_THREADS"),
            ("log_max = 3", "command line: --log_max")]:
        assert lines[lines.index(text) - 1] == f"# {origin}"
    assert "#log_count = 5" in lines


@pytest.mark.parametrize("text, says", [
    ("[pywebsocket]\nlog_levle = info\n", ":2: unknown option log_levle; did you mean log_level?"),
    ("[pywebsocket]\nqueue = many\n", ":2: queue: 'many' is not a whole number from 1 to 65535"),
    ("[pywebsocket]\nstrict = maybe\n", ":2: strict: 'maybe' is not true or false"),
    ("[pywebsockets]\n", ":1: unknown section [pywebsockets]"),
    ("port = 1\n", ":1: no section before this line"),
    ("[pywebsocket]\n\x1b[31m\n", "\\u{1B}[31m"),
])
def test_wrong_file(tmp_path, text, says):
    path = configured(tmp_path, text)
    code, _, errors = run_program("-p", "0", "--config", path)
    assert code == 2 and says in errors, errors
    assert "\x1b" not in errors


def test_unreadable_file(tmp_path):
    for path in (tmp_path / "none.ini", tmp_path):
        code, _, errors = run_program("-p", "0", "--config", path)
        assert code == 1 and "--config" in errors and str(path) in errors


def test_strange_variables(monkeypatch, start_server):
    monkeypatch.setenv("WEBSOCKETHOST_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("WEBSOCKETHOST_MAX_CONECTIONS", "3")
    server = start_server(handlers=HANDLERS)
    server.wait_for_line("WEBSOCKETHOST_SERVICE_HOST is not an option")
    server.wait_for_line("did you mean WEBSOCKETHOST_MAX_CONNECTIONS?")


def test_handler_encoding(start_server):
    server = start_server("--handler-encoding", "utf-8", handlers=HANDLERS)
    server.wait_for_line("--handler-encoding 'utf-8' is ignored")


# Absolute request lines


@pytest.mark.parametrize("target, status", [
    ("/echo", 101),
    ("ws://here.example/echo", 421),
    ("ws://here.example:8000/echo", 101),
    ("WS://Here.Example:8000/echo", 101),
    ("http://here.example:8000/echo", 101),
    ("wss://here.example:8000/echo", 101),
    ("ws://here.example:8001/echo", 421),
    ("ws://there.example:8000/echo", 421),
    ("ws://here.example.:8000/echo", 421),
    ("ws://here.example:8000/none", 404),
    ("ws://there.example:8000/none", 421),
    ("ws://user@here.example:8000/echo", 400),
    ("ws://here.example:99999/echo", 400),
    ("ftp://here.example:8000/echo", 400),
])
def test_validation(absolute, target, status):
    assert request(absolute, handshake(target), has_body=status != 101).status == status


@pytest.fixture(scope="module")
def absolute():
    from conftest import Server
    server = Server("-V", "here.example", "-P", "8000", handlers=HANDLERS)
    yield server
    server.stop()


@pytest.mark.parametrize("options, target, status", [
    ([], "ws://anything:1/echo", 101),
    (["-P", "80"], "ws://anything/echo", 101), (["-P", "80"], "wss://anything/echo", 421),
    (["-P", "443"], "wss://anything/echo", 101), (["-P", "443"], "https://anything:/echo", 101),
    (["-V", "::1"], "ws://[::1]:7/echo", 101), (["-V", "[::1]"], "ws://[::1]:7/echo", 101),
    (["-V", "::1"], "ws://[::2]:7/echo", 421), (["--validation_host", "A"], "ws://a/echo", 101),
])
def test_validation_of_one(start_server, options, target, status):
    server = start_server(*options, handlers=HANDLERS)
    assert request(server, handshake(target), has_body=status != 101).status == status


def test_queue(start_server):
    """The kernel shows the backlog of a listening socket as its send queue."""
    import subprocess
    try:
        server = start_server("-q", "37", handlers=HANDLERS)
        text = subprocess.run(["ss", "-ltnH", f"sport = :{server.port}"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        pytest.skip("no ss")
    assert all(line.split()[2] == "37" for line in text.splitlines()) and text
