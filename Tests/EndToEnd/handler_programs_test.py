"""Any program as a handler: executables in the handlers directory, and what they can do wrong."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from authoring import BUILD_TIMEOUT, echo, save
from conftest import REPOSITORY, Server
from wire import CLOSE, DEADLINE, TEXT, Wire, close_body, handshake, is_running, request, wait_until


def program(folder, name, text, mode=0o755):
    """Saves a program; a shell script if it names no interpreter."""
    path = pathlib.Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text if text.startswith("#!") else "#!/bin/sh\n" + text)
    new.chmod(mode)
    os.replace(new, path)
    return path


PROGRAMS = {
    "cat_wsh": "exec cat",
    "count_wsh": "for i in 1 2 3; do echo $i; done",
    "greeter_wsh": 'while read -r name; do echo "Hello $name!"; done',
    "sub/who_wsh": 'echo "$SCRIPT_NAME $QUERY_STRING"',
    "env_wsh": "#!/usr/bin/env python3\nimport os\nfor item in sorted(os.environ.items()): print('%s=%s' % item)\nprint('folder', os.getcwd())",
    "exit_wsh": 'read -r code; echo "last words"; exit "$code"',
    "killed_wsh": "kill -9 $$",
    "ends_wsh": "exit 3",
    "pid_wsh": "trap '' TERM HUP INT; sleep 600 & echo $$ $!; while :; do sleep 0.1; done",
    "quiet_pid_wsh": "echo $$; exec sleep 600",
    "forever_wsh": "yes x | tr -d '\\n'",
    "flood_wsh": "echo $$; exec yes",
    "errors_wsh": 'echo "to the log" >&2; yes error | head -n 100000 >&2; echo done',
    "latin_wsh": "printf 'caf\\351\\n'; printf 'nul\\000\\n'; printf last",
    "no_interpreter_wsh": None,
    "half_wsh": "echo only; exec 1>&-; exec sleep 600",
    "grandchild_wsh": "setsid sh -c 'while :; do echo late; sleep 0.05; done' & echo first",
    "deaf_wsh": "exec 0<&-; echo ready; sleep 600",
    "slow_reader_wsh": 'echo $$; kill -STOP $$; exec wc -c',
    "upper_binary_wsh": "#!/usr/bin/env python3\nimport struct, sys\nwhile head := sys.stdin.buffer.read(4):\n"
        "    body = sys.stdin.buffer.read(struct.unpack('>I', head)[0])[::-1]\n"
        "    sys.stdout.buffer.write(struct.pack('>I', len(body)) + body)\n    sys.stdout.buffer.flush()",
    "bad_binary_wsh": "printf '\\377\\377\\377\\377x'",
    "raw_bytes_wsh": "exec cat",
    "chat_shared_wsh": "#!/usr/bin/env python3\nimport os, sys\nprint('started', os.getpid(), flush=True)\n"
        "for line in sys.stdin:\n    print(line.rstrip('\\n'), flush=True)\n    if line.endswith('text fail\\n'): sys.exit(1)\n"
        "    if line.endswith('text end\\n'): sys.exit(0)",
}


def documented():
    """The programs of docs/HANDLERS.md, by their names: the text of each block and its file's name."""
    page = (REPOSITORY / "docs" / "HANDLERS.md").read_text()
    blocks = re.findall(r"```(?:sh|python)\n(#![^\n]*\n# (\w+_wsh)\b.*?)```", page, re.DOTALL)
    blocks += re.findall(r"```swift\n(// (bc_wsh\.swift)\n.*?)```", page, re.DOTALL)
    return {name: text for text, name in blocks}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs") / "my handlers"
    for name, text in PROGRAMS.items():
        program(folder, name, text or "x")
    for name, text in documented().items():
        if name.endswith(".swift"):
            save(folder / "guide", name, text)
        else:
            program(folder / "guide", name, text)
    (folder / "no_interpreter_wsh").write_text("echo no first line\n")
    program(folder, "closed_wsh", "cat", mode=0o644)
    (folder / "alias.map").write_text("/other /count\n")
    return folder


@pytest.fixture(scope="module")
def site(folder):
    server = Server(
        "-m", folder / "alias.map", "--max-programs", 20, "--program-stop-timeout", 1, "--log-level", "info",
        "--program-environment", "PATH,MY_OWN", "--ping-interval", 0, handlers=folder)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def own_variable(monkeypatch):
    monkeypatch.setenv("MY_OWN", "value")


def open_(server, path, **options):
    return connect(server.url(path), open_timeout=DEADLINE, close_timeout=DEADLINE, compression=None, **options)


def conversation(server, path, *messages):
    """All that comes, and the Close."""
    with open_(server, path) as socket:
        for message in messages:
            socket.send(message)
        received = []
        try:
            while True:
                received.append(socket.recv(DEADLINE))
        except ConnectionClosed as end:
            return received, (end.rcvd.code, end.rcvd.reason)


def status(server, path):
    with pytest.raises(InvalidStatus) as error:
        open_(server, path)
    return error.value.response


# --- Where they answer ------------------------------------------------------------------------------

def test_routes(site, folder):
    for path in ("/count", "/other"):
        assert conversation(site, path) == (["1", "2", "3"], (1000, ""))
    assert conversation(site, "/sub/who?a=b&c") == (["/sub/who a=b&c"], (1000, ""))
    assert status(site, "/closed").status_code == 404
    assert status(site, "/count_wsh").status_code == 404
    text = "\n".join(site.stderr_lines())
    assert f"skipped {folder}/closed_wsh: it is not executable (chmod +x {folder}/closed_wsh)" in text
    assert "/sub/who" in text, "the start lists the programs"


def test_listing(site, folder):
    listing = subprocess.run(
        [*site.command[:1], "--list-routes", "-w", folder], capture_output=True, text=True, timeout=BUILD_TIMEOUT)
    assert "/count\tcount_wsh\n" in listing.stdout and "/chat\tchat_shared_wsh\n" in listing.stdout
    assert "closed" not in listing.stdout


def test_greeter(site):
    with open_(site, "/greeter") as socket:
        for name in ("Ada", "Grüße 🌍", "a  b"):
            socket.send(name)
            assert socket.recv(DEADLINE) == f"Hello {name}!"
        socket.send("two\nlines")
        assert [socket.recv(DEADLINE) for _ in range(2)] == ["Hello two!", "Hello lines!"]


def test_environment(site, folder):
    with open_(site, "/env?q=%20x", additional_headers={"X-Own": "1", "Authorization": "Bearer t", "Proxy": "no"}) as socket:
        port = socket.local_address[1]
        lines = []
        try:
            while True:
                lines.append(socket.recv(DEADLINE))
        except ConnectionClosed:
            pass
    assert lines[-1] == f"folder {folder}"
    values = dict(line.split("=", 1) for line in lines[:-1])
    expected = {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "WebSocketHost", "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost", "SERVER_PORT": str(site.port), "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/env",
        "REQUEST_URI": "/env?q=%20x", "QUERY_STRING": "q=%20x", "PATH_INFO": "", "PATH_TRANSLATED": "/env",
        "REMOTE_PORT": str(port), "AUTH_TYPE": "", "CONTENT_LENGTH": "", "CONTENT_TYPE": "", "REMOTE_IDENT": "",
        "REMOTE_USER": "", "HTTP_X_OWN": "1", "HTTP_AUTHORIZATION": "Bearer t", "HTTP_UPGRADE": "websocket",
        "HTTP_SEC_WEBSOCKET_VERSION": "13"}
    assert {name: values.get(name) for name in expected} == expected
    assert values["REMOTE_ADDR"] == values["REMOTE_HOST"] and values["REMOTE_ADDR"] in ("127.0.0.1", "::1")
    assert values["UNIQUE_ID"] and "HTTP_PROXY" not in values and "HTTPS" not in values
    assert "HOME" not in values and "PATH" in values


# --- The guide's -------------------------------------------------------------------------------------

def test_programs_of_the_guide(site):
    assert set(documented()) == {"greeter_wsh", "reverse_binary_wsh", "room_shared_wsh", "bc_wsh.swift"}
    with open_(site, "/guide/greeter") as socket:
        socket.send("Ada")
        assert socket.recv(DEADLINE) == "Hello Ada!"
    with open_(site, "/guide/reverse") as socket:
        socket.send(b"abc")
        assert socket.recv(DEADLINE) == b"cba"
    with open_(site, "/guide/room") as ada, open_(site, "/guide/room") as bob:
        ada.send("Ada")
        bob.send("Bob")
        heard(ada, "Ada has joined", "Bob has joined")
        heard(bob, "Bob has joined")
        bob.send("hello there")
        assert heard(ada, "Bob: hello there")
        bob.close()
        assert ada.recv(DEADLINE) == "Bob has left"


@pytest.mark.skipif(not shutil.which("bc"), reason="bc is not installed")
def test_handler_with_a_subprocess(site):
    """The guide's bridge: lines both ways, errors to the log, the exit code as the close code."""
    with open_(site, "/guide/bc") as socket:
        socket.send("6 * 7")
        assert socket.recv(DEADLINE) == "42"
        start = len(site.stderr_lines())
        socket.send("1 / 0")
        site.wait_for_line("bc: ", start=start)
        pid = only_child(site, "bc")
    wait_until(lambda: not is_running(pid))
    assert conversation(site, "/guide/bc", "quit") == ([], (1000, ""))
    with open_(site, "/guide/bc") as socket:
        socket.send("1 + 1")
        socket.recv(DEADLINE)
        os.kill(only_child(site, "bc"), signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as end:
            socket.recv(DEADLINE)
        assert (end.value.rcvd.code, end.value.rcvd.reason) == (1011, "bc: signal 15 (SIGTERM)")


def only_child(site, name):
    pid, = [pid for pid in children(site) if open(f"/proc/{pid}/comm").read() == name + "\n"]
    return int(pid)


def children(site):
    files = pathlib.Path(f"/proc/{site.pid}/task").glob("*/children")
    return [pid for file in files for pid in file.read_text().split()]


# --- How they end -----------------------------------------------------------------------------------

def test_exit_codes(site):
    assert conversation(site, "/exit", "0") == (["last words"], (1000, ""))
    assert conversation(site, "/exit", "7") == (["last words"], (1011, "exit code 7"))
    assert conversation(site, "/killed") == ([], (1011, "signal 9 (SIGKILL)"))
    assert conversation(site, "/ends") == ([], (1011, "exit code 3"))


def test_what_closes_its_output_is_ended(site):
    assert conversation(site, "/half") == (["only"], (1000, ""))


def test_group_ends_with_its_client(site):
    """Even one that ignores SIGTERM, and what it has started."""
    with open_(site, "/pid") as socket:
        pids = [int(word) for word in socket.recv(DEADLINE).split()]
        assert all(is_running(pid) for pid in pids)
    wait_until(lambda: not any(is_running(pid) for pid in pids))


def test_client_that_vanishes(site):
    with Wire.open(site, "/quiet_pid") as wire:
        pid = int(wire.text())
        wire.reset()
    wait_until(lambda: not is_running(pid))


def test_close_is_answered_at_once(site):
    """Not when the program has ended, which takes this one a second and more."""
    with Wire.open(site, "/pid") as wire:
        wire.text()
        wire.send_frame(CLOSE, close_body(1000))
        began = time.monotonic()
        assert wire.close_frame()[0] == 1000
        assert time.monotonic() - began < 1


def test_grandchild_keeps_the_pipe(site):
    received, close = conversation(site, "/grandchild")
    assert received[0] == "first" and close[0] == 1000


# --- What they write --------------------------------------------------------------------------------

def test_not_utf8(site):
    received, close = conversation(site, "/latin")
    assert received == ["caf\ufffd", "nul\0", "last"] and close == (1000, "")
    site.wait_for_line("its output is not UTF-8")


def test_no_line_end_for_ever(start_server, folder):
    server = start_server("--max-message-size", 100_000, handlers=folder)
    received, close = conversation(server, "/forever")
    assert received == [] and close[0] == 1011 and "longer than 100000 bytes" in close[1]


def test_errors_go_to_the_log(site):
    start = len(site.stderr_lines())
    assert conversation(site, "/errors") == (["done"], (1000, ""))
    assert "/errors" in site.wait_for_line("stderr: to the log", start=start)
    site.wait_for_line("more lines, not logged", start=start)
    assert sum("stderr: " in line for line in site.stderr_lines()[start:]) < 1_000


def test_no_interpreter(site):
    received, close = conversation(site, "/no_interpreter")
    assert (received, close[0]) == ([], 1011)
    site.wait_for_line("Exec format error")


# --- Back-pressure ----------------------------------------------------------------------------------

def resident(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) << 10


def written(pid):
    for line in open(f"/proc/{pid}/io"):
        if line.startswith("wchar"):
            return int(line.split()[1])


def settled(ask):
    """What it says when it says the same twice with a pause."""
    last = None
    while (value := ask()) != last:
        last = value
        time.sleep(0.3)
    return value


def test_client_that_does_not_read(site):
    """The program is held back: what is under way is what sockets, pipes and one queue hold."""
    before = resident(site.pid)
    with Wire.open(site, "/flood", receive_buffer=65_536) as wire:
        pid = int(wire.text())
        total = settled(lambda: written(pid))
        assert 0 < total < 16 << 20
        assert resident(site.pid) < before + (32 << 20)
    wait_until(lambda: not is_running(pid))


def test_program_that_does_not_read(site):
    """The client is held back, and gets through once the program goes on."""
    before = resident(site.pid)
    with Wire.open(site, "/slow_reader") as wire:
        pid = int(wire.text())
        wire.socket.settimeout(1)
        sent = 0
        piece = b"x" * 65_000
        try:
            while sent < 256 << 20:
                wire.send_frame(TEXT, piece)
                sent += len(piece) + 1
        except TimeoutError:
            pass
        assert sent < 64 << 20, "it was not held back"
        assert resident(site.pid) < before + (64 << 20)
        os.kill(pid, signal.SIGCONT)
        wire.reset()
    wait_until(lambda: not is_running(pid))


def test_program_that_closes_its_input(site):
    with open_(site, "/deaf") as socket:
        assert socket.recv(DEADLINE) == "ready"
        for _ in range(1_000):
            socket.send("x" * 1_000)
        assert socket.ping().wait(DEADLINE)


# --- Binary -----------------------------------------------------------------------------------------

def test_length_prefixed(site):
    with open_(site, "/upper") as socket:
        for message in (b"", b"\0\1\2", bytes(range(256)) * 1_000, "text"):
            socket.send(message)
            whole = message.encode() if isinstance(message, str) else message
            assert socket.recv(DEADLINE) == whole[::-1]
    received, close = conversation(site, "/bad")
    assert received == [] and close[0] == 1011 and "4294967295 bytes" in close[1]


def test_raw_bytes(site):
    with open_(site, "/raw") as socket:
        socket.send(b"\0\xff")
        socket.send("text")
        received = b""
        while len(received) < 7:
            piece = socket.recv(DEADLINE)
            assert isinstance(piece, bytes)
            received += piece
        assert received == b"\0\xfftext\n"


# --- The limit --------------------------------------------------------------------------------------

def test_limit(site):
    """20 run; all others get 503, however many come."""
    # Until those of other tests are gone.
    wait_until(lambda: not children(site))
    sockets = [open_(site, "/cat") for _ in range(20)]
    for _ in range(1_000):
        answer = request(site, handshake("/cat"))
        assert answer.status == 503 and int(answer.fields["retry-after"]) > 0
    assert len(children(site)) == 20
    site.wait_for_line("20 programs run already (--max-programs)")
    sockets.pop().close()

    def has_place():
        try:
            sockets.append(open_(site, "/cat"))
            return True
        except InvalidStatus:
            return False
    wait_until(has_place)
    for socket in sockets:
        socket.send("still")
        assert socket.recv(DEADLINE) == "still"
        socket.close()


def test_no_zombies(site):
    for _ in range(30):
        conversation(site, "/count")
    wait_until(lambda: not [pid for pid in children(site) if is_zombie(pid)])


def is_zombie(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return False


# --- Once for all -----------------------------------------------------------------------------------

def heard(socket, *wanted, timeout=DEADLINE):
    """Receives until each of these has come; all that came."""
    received = []
    missing = set(wanted)
    while missing:
        received.append(socket.recv(timeout))
        missing.discard(received[-1])
    return received


def started(socket, timeout=DEADLINE):
    while not (line := socket.recv(timeout)).startswith("started "):
        pass
    return int(line.split()[1])


def own_number(socket):
    question = f"who has port {socket.local_address[1]}?"
    socket.send(question)
    while True:
        number, _, text = socket.recv(DEADLINE).partition(" ")
        if text == f"text {question}":
            return number


def test_shared(site):
    with open_(site, "/chat") as one:
        pid = started(one)
        first = own_number(one)
        with open_(site, "/chat") as two:
            second = own_number(two)
            assert first != second
            two.send("hello\nforged\r9 text x")
            for socket in (one, two):
                heard(socket, f"{second} text hello", f"{second} text forged", f"{second} text 9 text x")
        heard(one, f"{second} close")
        assert is_running(pid)
    wait_until(lambda: not is_running(pid))
    # It is started again for the next one.
    with open_(site, "/chat") as one:
        assert started(one) != pid


def test_shared_that_fails_is_started_again(site):
    with open_(site, "/chat") as one, open_(site, "/chat") as two:
        first = started(one)
        numbers = [own_number(socket) for socket in (one, two)]
        start = len(site.stderr_lines())
        one.send("fail")
        site.wait_for_line("the program ended with exit code 1", start=start)
        # What is sent while it does not run waits for the next one, which is told who is there.
        two.send("still here")
        for socket in (one, two):
            while started(socket) == first:
                pass
            received = heard(socket, f"{numbers[1]} text still here")
            assert {line.split(" ")[0] for line in received if " open " in line} == set(numbers)


def test_shared_that_ends_well_closes_all(site):
    with open_(site, "/chat") as one, open_(site, "/chat") as two:
        own_number(one)
        own_number(two)
        two.send("end")
        for socket in (one, two):
            with pytest.raises(ConnectionClosed) as end:
                while True:
                    socket.recv(DEADLINE)
            assert end.value.rcvd.code == 1000


# --- Live when saved --------------------------------------------------------------------------------

@pytest.mark.skipif(
    "standalone.sh" not in os.environ.get("WEBSOCKETHOST_COMMAND", "standalone.sh"),
    reason="only standalone.sh watches")
def test_watch(start_server, tmp_path):
    folder = tmp_path / "h"
    save(folder, "echo_wsh.swift", echo("v0"))
    file = program(folder, "say_wsh", 'echo one; read -r x; echo "$x"')
    server = start_server("--watch", handlers=folder)

    def wait(text, start):
        return server.wait_for_line(text, BUILD_TIMEOUT, start=start)

    with open_(server, "/say") as old:
        assert old.recv(DEADLINE) == "one"
        # Its content is what the file has when a client comes; those that run are not touched.
        program(folder, "say_wsh", "echo two")
        assert conversation(server, "/say") == (["two"], (1000, ""))
        start = len(server.stderr_lines())
        program(folder, "more_wsh", "echo more")
        wait("more_wsh added: live after", start)
        assert conversation(server, "/more") == (["more"], (1000, ""))
        start = len(server.stderr_lines())
        file.chmod(0o644)
        wait("say_wsh removed: live after", start)
        wait("say_wsh: it is not executable", start)
        assert status(server, "/say").status_code == 404
        start = len(server.stderr_lines())
        file.chmod(0o755)
        wait("say_wsh added: live after", start)
        assert conversation(server, "/say") == (["two"], (1000, ""))
        old.send("still")
        assert old.recv(DEADLINE) == "still"
