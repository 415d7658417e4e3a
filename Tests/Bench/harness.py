"""What the benchmarks share: building, servers that start and stop, wsload, tables, and their place in the docs.

Servers are pinned to the first core and the load generator to the last, so two idle cores are wanted. Everything
is on 127.0.0.1, every run is bounded, and only what was started here is stopped.
"""

import atexit
import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
WORK = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / "websockethost-bench"
HANDLERS = WORK / "handlers"
PAGE = PROJECT / "docs" / "PERFORMANCE.md"
STANDALONE = os.environ.get("WEBSOCKETHOST_COMMAND", str(PROJECT / "standalone.sh")).split()
START_TIMEOUT = STOP_TIMEOUT = SETTLE_TIMEOUT = 10  # seconds
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
DESCRIPTOR_LIMIT = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


# --- Building -------------------------------------------------------------------------------------

def set_up():
    """Builds wsload, the floor and the server, and raises the limit of descriptors."""
    WORK.mkdir(parents=True, exist_ok=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTOR_LIMIT, DESCRIPTOR_LIMIT))
    if SERVER_CORE == CLIENT_CORE:
        print("only one core: server and client share it", file=sys.stderr)
    libraries = ["-lm"]
    for header, flags in (("zlib.h", ["-lz"]), ("openssl/ssl.h", ["-lssl", "-lcrypto"])):
        found = subprocess.run(
            ["gcc", "-E", "-include", header, "-x", "c", "/dev/null"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        libraries += flags if found.returncode == 0 else []
    for name in ("wsload", "rawecho"):
        if not compile_once(["gcc", "-O3", "-march=native"], name, HERE / f"{name}.c", libraries):
            sys.exit(f"{name} does not compile")
    HANDLERS.mkdir(exist_ok=True)
    for source in (PROJECT / "handlers" / "echo_wsh.swift", *sorted(HERE.glob("*_wsh.swift"))):
        copy = HANDLERS / source.name
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            shutil.copyfile(source, copy)
    # Now, so that it is neither measured nor waited for with a short time limit.
    built = subprocess.run([*STANDALONE, "-w", HANDLERS, "--list-routes"], stdout=subprocess.DEVNULL)
    if built.returncode:
        sys.exit("the server does not build")


def compile_once(compiler, name, source, libraries=(), includes=()):
    """Compiles one file to WORK / name, unless it was from the same sources; `includes` are more of them. Says whether
    there is a program now."""
    program, stamp = WORK / name, WORK / f"{name}.stamp"
    command = [*compiler, "-o", program, source, *libraries]
    sources = [source, *sorted(HERE.glob("*.h")), *includes]
    made_of = hashlib.sha256(str(command).encode() + b"".join(path.read_bytes() for path in sources)).hexdigest()
    if program.exists() and stamp.exists() and stamp.read_text() == made_of:
        return True
    if subprocess.run(command).returncode:
        return False
    stamp.write_text(made_of)
    return True


# --- Servers --------------------------------------------------------------------------------------

RUNNING = set()


class Server:
    """One that can be started: its name, its command with PORT in it, and where it echoes, broadcasts and publishes to
    topics, if it does."""

    def __init__(self, name, command, path="/", broadcast=None, topics=None, publishes_only=False, load=(),
                 cores=(SERVER_CORE,), environment=None):
        self.name, self.command, self.path = name, [str(word) for word in command], path
        self.broadcast, self.topics, self.publishes_only = broadcast, topics, publishes_only
        self.load, self.cores = list(load), cores  # `load`: what wsload needs besides
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.port = 0

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [word.replace("PORT", str(self.port)) for word in self.command]
        log = WORK / f"log.{self.name.replace(' ', '-')}"
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                ["taskset", "-c", ",".join(map(str, self.cores)), *command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, env=self.environment)
        RUNNING.add(self)
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"{self.name} did not start:\n{log.read_text(errors='replace')[-500:]}")

    def settle(self):
        """Waits until it has done with a round, or for a while: one with a thread for each connection goes on for
        seconds after the last is closed, and the next server would pay for that."""
        deadline, before = time.monotonic() + SETTLE_TIMEOUT, None
        while self.is_up and (ticks := self._cpu_ticks()) != before and time.monotonic() < deadline:
            before = ticks
            time.sleep(0.05)

    def _cpu_ticks(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[11:13]

    def stop(self):
        RUNNING.discard(self)
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def our_server(*options, name="WebSocketHost", threads=1, **others):
    """Ours, in one process, so that the pid is the one that serves. No limit but that of connections is lifted."""
    command = [*STANDALONE, "-p", "PORT", "-H", "127.0.0.1", "--no-supervisor", "--threads", threads, "-w", HANDLERS,
               "--max-connections", DESCRIPTOR_LIMIT, "--log-level", "warning", *options]
    return Server(name, command, path="/echo", broadcast="/broadcast", topics="/topics", **others)


def floor(**others):
    """An echo in C with epoll, without WebSocket's rules, limits and time-outs."""
    return Server("raw-epoll", [WORK / "rawecho", "PORT", "epoll"], **others)


def stop_all(*_):
    for server in list(RUNNING):
        server.stop()


atexit.register(stop_all)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


# --- Load -----------------------------------------------------------------------------------------

def wsload(server, *options, path=None, duration=None, timeout=60, core=CLIENT_CORE):
    """Runs wsload against a server: what it measured, or None if it failed. `client_cpu` is its own CPU time."""
    command = ["taskset", "-c", str(core), WORK / "wsload", "--port", server.port, "--path", path or server.path,
               "--pid", server.pid, "--server-core", SERVER_CORE, "--connect-timeout", 30, "--warmup", 0.3,
               *server.load, *(["--duration", duration] if duration else []), *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(
            [str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        run = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        print(f"wsload failed with {server.name}: {' '.join(map(str, options))}", file=sys.stderr)
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    server.settle()
    run["client_cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if run["errors"]:
        print(f"{server.name}, {' '.join(map(str, options))}: {run['errors']} errors, {run['first_error']}",
              file=sys.stderr)
    if run["mode"] != "idle" and not run["msgs_per_cpu_s"]:
        print(f"{server.name}, {' '.join(map(str, options))}: not a message; the machine is busy", file=sys.stderr)
        return None
    return run


def interleaved(servers, repeats, measure):
    """Visits the servers in turn, so that what else the machine does hits all alike: a list of runs for each name."""
    results = in_turn(repeats, [lambda server=server: measure(server) for server in servers])
    return {server.name: runs for server, runs in zip(servers, results)}


def in_turn(repeats, jobs):
    """Runs each job so often, one after the other: a list of runs for each."""
    results = [[] for _ in jobs]
    for number in range(repeats):
        for result, job in zip(results, jobs):
            run = job()
            if run:
                result.append({**run, "round": number})
    return results


def ratios(runs, base):
    """Of each round to the same round, in which what else the machine did was alike; sorted."""
    rounds = {run["round"]: run["msgs_per_cpu_s"] for run in base}
    return sorted(run["msgs_per_cpu_s"] / rounds[run["round"]] for run in runs if run["round"] in rounds)


def ratio(runs, base):
    """The median of the ratios, and from which to which they were."""
    found = ratios(runs, base)
    if not found:
        return "–"
    text = f"{statistics.median(found):.2f}"
    return text + (f" ({found[0]:.2f}–{found[-1]:.2f})" if len(found) > 1 and runs is not base else "")


def median(runs, key):
    """0 if there is none."""
    return statistics.median(run[key] for run in runs) if runs else 0


class Idle:
    """Connections that are held open and say nothing while something else is measured."""

    def __init__(self, server, count):
        self.server, self.count, self.process = server, count, None

    def __enter__(self):
        if not self.count:
            return self
        command = [WORK / "wsload", "--port", self.server.port, "--path", self.server.path, "--idle", self.count,
                   "--hold", 600, "--no-touch", "--src-addrs", 100]
        self.process = subprocess.Popen(
            ["taskset", "-c", str(CLIENT_CORE), *map(str, command)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.process.kill)
        deadline = time.monotonic() + 60
        while len(os.listdir(f"/proc/{self.server.pid}/fd")) < self.count and time.monotonic() < deadline:
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()
            time.sleep(0.5)  # until the server has seen the ends


# --- Tables ---------------------------------------------------------------------------------------

def table(head, rows):
    """In Markdown, with columns as wide as they need to be for a terminal too."""
    rows = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def where():
    """The machine and the commit, in one sentence."""
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 os.uname().machine)
    git = ["git", "-C", str(PROJECT)]
    commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "Sources"], capture_output=True, text=True).stdout
    state = (commit or "unknown") + (" and changes" if changed.strip() else "")
    kernel = ".".join(os.uname().release.split(".")[:2])
    return f"{time.strftime('%Y-%m-%d')}, commit {state}, {len(CORES)} cores of {model}, Linux {kernel}"


def publish(name, text, writes):
    """Prints a result, and puts it in its place in docs/PERFORMANCE.md if that is wanted."""
    print("\n" + text + "\n", flush=True)
    if not writes:
        return
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    page = PAGE.read_text()
    if page.count(begin) != 1 or page.count(end) != 1:
        sys.exit(f"{PAGE.name} has no place for it: {begin} and {end}")
    before, rest = page.split(begin)
    _, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n{text}\n\n{where()}.\n{end}{after}")
