"""The same programs under websocketd and here: what their clients get, message by message.

websocketd is Debian's package of that name; without it these tests are skipped.
"""

import os
import pathlib
import shutil
import socket
import subprocess

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from conftest import REPOSITORY, Server
from handler_programs_test import program
from wire import DEADLINE, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("websocketd"), reason="websocketd is not installed")

# Each with what a client sends.
PROGRAMS = {
    "count.sh": ("#!/bin/bash\nfor ((n = 1; n <= 5; n++)); do echo $n; sleep 0.02; done\n", []),
    "greet.sh": ("#!/bin/bash\nwhile read -r line; do echo \"Good day, $line.\"; done\n",
                 ["Ada", "Grüße 🌍", "  two  words ", "", "a\\nb"]),
    "greet.py": ("#!/usr/bin/env python3\nimport sys\nfor line in sys.stdin:\n"
                 "    print('Good day, %s.' % line.rstrip('\\n'))\n    sys.stdout.flush()\n", ["Ada", "世界", "x" * 100_000]),
    "greet.pl": ("#!/usr/bin/perl\nuse strict; $| = 1;\nwhile (<STDIN>) { chomp; print \"Good day, $_.\\n\"; }\n",
                 ["Ada", "1\n2"]),
    "crlf.py": ("#!/usr/bin/env python3\nimport sys\nfor text in ('a\\r\\n', '\\r\\n', 'b\\r', 'c\\n', '\\n'):\n"
                "    sys.stdout.buffer.write(text.encode())\n    sys.stdout.flush()\n", []),
    "split.sh": ("#!/bin/sh\nprintf one; sleep 0.1; printf ' line\\ntwo\\nthr'; sleep 0.1; echo ee\n", []),
    "raw.sh": ("#!/bin/sh\nread -r a; read -r b; echo \"<$a><$b>\"\n", [b"bin", b"ary\ntext\n"]),
    "swap.pl": ("#!/usr/bin/perl\n$| = 1;\nmy $first = <STDIN>; my $second = <STDIN>; print $second, $first;\n", ["1", "2"]),
    "errors.sh": ("#!/bin/sh\necho err >&2; echo out; echo err >&2; echo out 2\n", []),
    "many.py": ("#!/usr/bin/env python3\nfor n in range(20000): print(n)\n", []),
    "long.py": ("#!/usr/bin/env python3\nprint('é' * 200000); print('end')\n", []),
}
VARIABLES = [
    "AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "HTTPS", "HTTP_COOKIE", "HTTP_X_OWN",
    "HTTP_CONNECTION", "HTTP_UPGRADE", "HTTP_AUTHORIZATION", "HTTP_SEC_WEBSOCKET_VERSION", "LD_LIBRARY_PATH", "PATH",
    "QUERY_STRING", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_IDENT", "REMOTE_USER", "REQUEST_METHOD", "REQUEST_URI",
    "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "HOME", "PATH_TRANSLATED"]


class Websocketd:
    """websocketd with a directory of programs."""

    def __init__(self, folder, *options):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            ["websocketd", "--address=127.0.0.1", f"--port={self.port}", f"--dir={folder}", "--loglevel=fatal", *options],
            cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._listens)

    def _listens(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def url(self, path):
        return f"ws://127.0.0.1:{self.port}{path}"

    def stop(self):
        self.process.terminate()
        self.process.wait(DEADLINE)


def received(url, messages, count=None, **options):
    """What comes, up to the end, or so many messages."""
    texts = []
    with connect(url, open_timeout=DEADLINE, close_timeout=DEADLINE, compression=None, proxy=None, max_size=None,
                 **options) as client:
        for message in messages:
            client.send(message)
        try:
            while count is None or len(texts) < count:
                texts.append(client.recv(DEADLINE))
        except ConnectionClosed:
            pass
    return texts


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Both servers, with the same files, here with other names."""
    theirs, ours = tmp_path_factory.mktemp("websocketd"), tmp_path_factory.mktemp("ours")
    aliases = ""
    sources = {name: text for name, (text, _) in PROGRAMS.items()}
    sources["env.sh"] = "#!/bin/bash\nfor name in " + " ".join(VARIABLES) + '; do echo "$name=${!name-not set}"; done\n'
    for name, text in sources.items():
        program(theirs, name, text)
        os.link(theirs / name, ours / f"{name}_wsh")
    binary = tmp_path_factory.mktemp("binary")
    program(binary, "cat.sh", "#!/bin/sh\nexec cat\n")
    os.link(binary / "cat.sh", ours / "cat.sh_bytes_wsh")
    servers = [Websocketd(theirs), Server("-H", "127.0.0.1", handlers=ours), Websocketd(binary, "--binary=true")]
    yield servers
    for server in servers:
        server.stop()


@pytest.mark.parametrize("name", PROGRAMS)
def test_messages(both, name):
    _, messages = PROGRAMS[name]
    # A program that reads on has to be left by its client.
    count = None if not messages or name in ("raw.sh", "swap.pl") else sum(
        message.count("\n") + 1 for message in messages)
    theirs, ours = [received(server.url(f"/{name}"), messages, count) for server in both[:2]]
    assert ours == theirs and ours


def test_environment(both):
    def ask(server):
        return received(
            server.url("/env.sh?a=b%20c&d"), [],
            additional_headers=[("Cookie", "a=1; b=2"), ("X-Own", "x"), ("X-Own", "y"), ("Authorization", "Basic eA==")])
    theirs, ours = [[line.replace(str(server.port), "PORT") for line in ask(server)] for server in both[:2]]
    assert len(ours) == len(VARIABLES) and ours == theirs


def test_binary(both):
    for server in (both[2], both[1]):
        with connect(server.url("/cat.sh"), compression=None, proxy=None) as client:
            for message in (b"\0\1\xff", bytes(range(256)) * 100):
                client.send(message)
                back = b""
                while len(back) < len(message):
                    back += client.recv(DEADLINE)
                assert back == message
            client.send("text")
            assert client.recv(DEADLINE) == b"text\n"


# --- The page ---------------------------------------------------------------------------------------

def rows(heading):
    page = (REPOSITORY / "docs" / "WEBSOCKETD.md").read_text()
    section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line.startswith("|")]


def test_page_has_every_option():
    text = subprocess.run(["websocketd", "--help"], capture_output=True, text=True).stderr
    options = {line.split()[0].lstrip("-") for line in text.splitlines() if line.startswith("  -")}
    options = {option.split("=")[0] for option in options}
    assert len(options) > 20
    known = " ".join(row[0] for row in rows("Options"))
    assert not [option for option in options if f"--{option}" not in known]


def test_page_has_every_variable():
    known = " ".join(row[0] for row in rows("Environment variables"))
    assert not [name for name in VARIABLES if not name.startswith("HTTP_") and name != "HOME" and f"`{name}`" not in known]
