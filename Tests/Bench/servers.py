"""The servers that are measured beside ours: those of Tests/Bench/peers that are installed, found here.

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


def listed():
    name = os.environ.get("WEBSOCKETHOST_PEERS")
    if not name:
        return []
    rows = [line.strip().split("|", 2) for line in pathlib.Path(name).read_text().splitlines() if line.strip()]
    return [Server(name, command.split(), path=path) for name, path, command in rows]


def peers(compression="off"):
    """Those that are installed. `compression`: "on" with their own defaults for it."""
    found = [python_peer("picows", compression) if compression == "off" else None, beast(compression),
             node_ws(compression), python_peer("websockets", compression), pywebsocket3(compression)]
    return [peer for peer in found if peer] + (listed() if compression == "off" else [])
