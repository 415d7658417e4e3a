"""As process 1 of a container: what others leave behind is reaped, signals arrive, and the exit code is the server's."""

import os
import pathlib
import shlex
import signal
import subprocess
import urllib.request

import pytest

from authoring import ask, echo, save
from wire import DEADLINE, REPOSITORY, wait_until

CONTAINER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]

pytestmark = pytest.mark.skipif(
    subprocess.run([*CONTAINER, "true"], check=False, capture_output=True).returncode != 0,
    reason="needs a process namespace")


def children(pid):
    return {int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A script that leaves a process behind, which leads a group of its own."""
    folder = tmp_path_factory.mktemp("site")
    save(folder, "handlers/echo_wsh.swift", echo(1))
    save(folder, "pages/cgi-bin/daemon", """#!/bin/sh
setsid sleep 600 </dev/null >/dev/null 2>&1 &
# What is in the script's group when it ends is killed.
until read -r _ _ _ _ _ session _ </proc/$!/stat && [ "$session" = $! ]; do :; done
printf 'Content-Type: text/plain\\n\\nok\\n'
""")
    (folder / "pages" / "cgi-bin" / "daemon").chmod(0o755)
    return folder


@pytest.mark.parametrize("options", [(), ("--no-supervisor",)], ids=["supervised", "alone"])
def test_orphans(start_server, site, monkeypatch, options):
    command = os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh"))
    monkeypatch.setenv("WEBSOCKETHOST_COMMAND", f"{shlex.join(CONTAINER)} {command}")
    server = start_server("-d", site / "pages", "-x", "/cgi-bin", *options, handlers=site / "handlers")
    first, = children(server.process.pid)
    program, = children(first)
    for _ in range(3):
        with urllib.request.urlopen(server.http_url("/cgi-bin/daemon"), timeout=DEADLINE) as answer:
            assert answer.read() == b"ok\n"
    wait_until(lambda: len(children(first)) == 4)
    orphans = children(first) - {program}
    for orphan in orphans:
        os.kill(orphan, signal.SIGKILL)
    wait_until(lambda: children(first) == {program}, what="orphans are not reaped")
    assert ask(server) == "1 x"
    os.kill(first, signal.SIGTERM)
    assert server.wait() == 0


def test_end_of_the_server_is_the_end(start_server, site, monkeypatch):
    command = os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh"))
    monkeypatch.setenv("WEBSOCKETHOST_COMMAND", f"{shlex.join(CONTAINER)} {command}")
    server = start_server("--no-supervisor", handlers=site / "handlers")
    first, = children(server.process.pid)
    program, = children(first)
    os.kill(program, signal.SIGKILL)
    assert server.wait() == 128 + signal.SIGKILL
