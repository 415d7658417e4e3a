"""The servers that are measured beside ours: those of Tests/Bench/peers that are installed, found here.

uWebSockets comes in no package. It is measured where WEBSOCKETHOST_UWS names a folder with checkouts of both of its
repositories, `uWebSockets` and `uSockets`; nothing is fetched, and nothing is written there.

More of them: WEBSOCKETHOST_PEERS names a file with a line each, `name|/path|command with PORT in it`.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import harness
from harness import HERE, WORK, Server

TEMPORARY = os.environ.get("TMPDIR", "/tmp")
# Where .ci/run and the tests' own scripts put what they install.
PYTHONS = [
    os.environ.get("PYTHON"), sys.executable, shutil.which("python3"), f"{TEMPORARY}/websockethost-ci/venv/bin/python"]
PYWEBSOCKET_FOLDERS = [
    os.environ.get("PYWEBSOCKET_VENV"), f"{TEMPORARY}/pywebsocket3-venv", f"{TEMPORARY}/websockethost-ci/pywebsocket3"]

UWS_FLAGS = ["-O3", "-march=native", "-flto=auto", "-w"]


def works(*command, environment=None):
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20,
            env=environment)
    except OSError:
        return False
    return done.returncode == 0


def python_with(module):
    return next((python for python in PYTHONS if python and works(python, "-c", f"import {module}")), None)


def python_peer(name, compression):
    python = python_with(name)
    if not python:
        return None
    return Server(name, [python, HERE / "peers" / f"{name}_echo.py", "PORT", compression], broadcast="/broadcast")


def node_ws(compression):
    node = shutil.which("node")
    environment = {**os.environ, "NODE_PATH": os.environ.get("NODE_PATH", "/usr/share/nodejs")}
    if not node or not works(node, "-e", 'require("ws")', environment=environment):
        return None
    command = [node, HERE / "peers" / "ws_echo.js", "PORT", compression]
    return Server("node-ws", command, broadcast="/broadcast", environment=environment)


def pywebsocket3(compression):
    """As the tests beside it install it, with its examples. It agrees on compression by itself."""
    for folder in filter(None, PYWEBSOCKET_FOLDERS):
        examples = sorted(pathlib.Path(folder).glob("pywebsocket3-*/example/echo_wsh.py"))
        if examples and (pathlib.Path(folder) / "installed").exists():
            command = [f"{folder}/bin/python", "-m", "pywebsocket3.standalone", "-p", "PORT", "-H", "127.0.0.1",
                       "-w", examples[0].parent, "-d", examples[0].parent, "--log-level", "error", "-q", "4096"]
            return Server("pywebsocket3", command, path="/echo")
    return None


def beast(compression):
    """Boost's headers are Debian's libboost-dev. Its echo has no compression."""
    if compression == "on" or not os.path.exists("/usr/include/boost/beast.hpp") or not shutil.which("g++"):
        return None
    compiler = ["g++", "-std=c++20", "-O3", "-march=native", "-w"]
    if not harness.compile_once(compiler, "beast_echo", HERE / "peers" / "beast_echo.cpp"):
        return None
    return Server("beast", [WORK / "beast_echo", "PORT"])


def uws(compression):
    """uWebSockets on epoll with zlib, without TLS, and built as its own makefiles do. `compression` may also be
    "prepared" (peers/uws_publish.cpp)."""
    checkouts = pathlib.Path(os.environ.get("WEBSOCKETHOST_UWS") or "/nonexistent")
    sources = [checkouts / "uWebSockets" / "src", checkouts / "uSockets" / "src"]
    if not all(source.is_dir() for source in sources) or not shutil.which("g++"):
        return None
    includes = [flag for source in sources for flag in ("-I", source)]
    headers = [header for source in sources for header in sorted(source.rglob("*.h"))]
    objects = []
    for source in [*sorted(sources[1].glob("*.c")), *sorted(sources[1].glob("eventing/*.c"))]:
        objects.append(WORK / f"usockets_{source.stem}.o")
        compiler = ["gcc", "-std=c11", "-DLIBUS_NO_SSL", *UWS_FLAGS, *includes, "-c"]
        if not harness.compile_once(compiler, objects[-1].name, source, includes=headers):
            return None
    if not harness.compile_once(
            ["g++", "-std=c++20", *UWS_FLAGS, *includes], "uws_publish", HERE / "peers" / "uws_publish.cpp",
            [*objects, "-lz"], headers):
        return None
    name = "uWebSockets-prepared" if compression == "prepared" else "uWebSockets"
    return Server(name, [WORK / "uws_publish", "PORT", compression], broadcast="/broadcast", topics="/topics",
                  publishes_only=compression == "prepared")


def listed():
    name = os.environ.get("WEBSOCKETHOST_PEERS")
    if not name:
        return []
    rows = [line.strip().split("|", 2) for line in pathlib.Path(name).read_text().splitlines() if line.strip()]
    return [Server(name, command.split(), path=path) for name, path, command in rows]


def peers(compression="off"):
    """Those that are installed. `compression`: "on" with their own defaults for it."""
    found = [python_peer("picows", compression) if compression == "off" else None, beast(compression),
             uws(compression), node_ws(compression), python_peer("websockets", compression), pywebsocket3(compression)]
    return [peer for peer in found if peer] + (listed() if compression == "off" else [])


def prepared():
    """Those that can compress a message once for all to whom it is published, where that is not their default."""
    return [peer for peer in [uws("prepared")] if peer]
