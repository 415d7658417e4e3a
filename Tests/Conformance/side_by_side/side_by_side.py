"""pywebsocket3's genuine server and ours get the same handshakes, and its client talks to both.

    side_by_side.py [--only NAME…] [--list]

What they answer must be the same, but for what a table in docs/PYWEBSOCKET.md lists: each row names the
handshakes, both answers and the reason, and must be met, so that none outlives its reason. The handlers that the
page ports from Python run on both sides too, and must say the same.

Compared are the status, and of a 101 all fields with their order, of a 400 Sec-WebSocket-Version. Needs Python
3.8 to 3.11 for the reference, pytest here, and a few seconds. WEBSOCKETHOST_COMMAND names another command than
standalone.sh; PYWEBSOCKET_VENV says where the reference is installed. Exit code 1: an unexplained difference.
"""

import argparse
import pathlib
import re
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
sys.path[:0] = [str(PROJECT / "Tests" / "EndToEnd")]

import page  # noqa: E402
import talks  # noqa: E402
from conftest import Server  # noqa: E402
from handshakes import OF_TESTS, REQUESTS  # noqa: E402
from reference import VERSION, Reference, ReferenceServer  # noqa: E402
from wire import HANDLERS, Wire  # noqa: E402

SILENCE = 5  # seconds until a server that says nothing has said so
# What there is besides pywebsocket3's own examples: the answer that a test of clients asks for.
PROTOCOL_HANDLER = '''
from urllib.parse import parse_qs, urlsplit


def web_socket_do_extra_handshake(request):
    answer = parse_qs(urlsplit(request.ws_resource).query).get("answer")
    request.ws_protocol = answer[0] if answer else None


def web_socket_transfer_data(request):
    request.ws_stream.send_message(request.ws_protocol or "none")
'''


def answer(server, data):
    """What a server says to a handshake, in one line."""
    with Wire.connect(server) as wire:
        wire.socket.settimeout(SILENCE)
        wire.send(data)
        try:
            while b"\r\n\r\n" not in wire.buffer:
                piece = wire.receive()
                if not piece:
                    return "a page without a head" if wire.buffer else "no answer"
                wire.buffer += piece
        except TimeoutError:
            return "silence"
    first, *lines = wire.buffer.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    status = first.split()[1]
    if status == "101":
        usual = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        if tuple(lines[:3]) == usual:
            return ", ".join(["101", *lines[3:]])
        return ", ".join(["101", *lines])
    version = [line for line in lines if line.lower().startswith("sec-websocket-version:")]
    return ", ".join([status, *version])


def compare_handshakes(theirs, ours, ours_of_tests, names, differences):
    """Prints the table; how many differences nobody explains."""
    unexplained, met, same = 0, set(), 0
    for name in names:
        their = answer(theirs, REQUESTS[name])
        our = answer(ours_of_tests if name in OF_TESTS else ours, REQUESTS[name])
        row = differences.get(name)
        if their == our:
            same += 1
            mark, why = "same", ""
        elif row and (row.there, row.here) == (their, our):
            met.add(name)
            mark, why = "differs", row.why
        else:
            unexplained += 1
            mark, why = "UNEXPLAINED", f"docs/PYWEBSOCKET.md:{row.line} says otherwise" if row else ""
        print(f"{mark:11} {name:40} {their}" + ("" if their == our else f"\n{'':52} ours: {our}"))
        if why:
            print(f"{'':52} {why}")
    for name in set(differences) & set(names) - met:
        print(f"docs/PYWEBSOCKET.md:{differences[name].line}: {name!r} is not met as it stands there")
        unexplained += 1
    for name in set(differences) - set(REQUESTS):
        print(f"docs/PYWEBSOCKET.md:{differences[name].line}: there is no handshake {name!r}")
        unexplained += 1
    print(f"{same} answered alike, {len(met)} differ with a reason, {unexplained} without\n")
    return unexplained


def compare(what, their, our):
    if their == our:
        print(f"same        {what}: {their}")
        return 0
    print(f"UNEXPLAINED {what}\n  theirs: {their}\n  ours:   {our}")
    return 1


def compare_clients(reference, theirs, ours):
    """echo_client.py of the source distribution."""
    faults = 0
    for options in [["-m", "Hello,wörld,Goodbye"], ["-m", "Hello", "--use-permessage-deflate"],
                    ["-m", "x" * 70_000, "--use-permessage-deflate"], ["-r", "/echo?a=b", "-m", ""]]:
        results = [
            reference.run(reference.examples / "echo_client.py", "-s", "127.0.0.1", "-p", server.port,
                          "-o", "http://localhost", "-r", "/echo", *options)
            for server in (theirs, ours)]
        their, our = [(code, re.sub(r"x{9,}", "xxx…", text)) for code, text, _ in results]
        shown = " ".join(options)
        faults += compare(f"echo_client.py {re.sub(r'x{9,}', 'xxx…', shown)}", their, our)
        if our[0] or "Recv ack" not in our[1] and "Send ack" not in our[1]:
            faults += 1
            print("UNEXPLAINED it failed:", *(errors[-300:] for _, _, errors in results))
    return faults


def check_page(reference):
    """The page has what this version of pywebsocket3 has."""
    faults = 0
    there = page.column("there")
    for option in reference.options():
        if option not in there and option.replace("_", "-") not in there:
            faults += 1
            print(f"docs/PYWEBSOCKET.md has no row for the option {option}")
    for path in sorted(reference.examples.rglob("*.py")):
        name = path.name.removesuffix("_wsh.py")
        if not {name, "/" + name, path.name, "cgi-bin/" + path.name} & there:
            faults += 1
            print(f"docs/PYWEBSOCKET.md has no row for the example {path.name}")
    for name in public_names(reference.source / "pywebsocket3"):
        if not any(re.search(rf"\b{name}\b", quoted) for quoted in there):
            faults += 1
            print(f"docs/PYWEBSOCKET.md has no row for {name}")
    return faults


def public_names(folder):
    """What a handler may use: classes and functions, their methods, and attributes of `request`."""
    inner = {"get_extension_processor", "get_extension_response", "setup_stream_options", "run", "request"}
    names = {"AbortedByUserException", "HandshakeException", "VersionException", "DispatchException"}
    for name in ["stream", "msgutil", "_stream_exceptions", "extensions", "common"]:
        text = (folder / f"{name}.py").read_text()
        # Private classes, with their methods.
        text = re.sub(r"^class _.*?(?=^\S)", "", text, flags=re.MULTILINE | re.DOTALL)
        names.update(re.findall(r"^(?:    )?(?:class|def) ([A-Za-z]\w+)", text, re.MULTILINE))
    for path in folder.rglob("*.py"):
        names.update(re.findall(r"request\.(ws_\w+|on_\w+|extra_\w+|\w+_terminated)\b", path.read_text()))
    return sorted(names - inner)


def prepare_handlers(reference, folder):
    """Their handlers: the examples, over them the page's, and one that chooses subprotocols."""
    for path in reference.examples.glob("*_wsh.py"):
        shutil.copy(path, folder)
    files = page.code_blocks("python") | {"wpt/protocol_wsh.py": PROTOCOL_HANDLER}
    for name, text in files.items():
        path = folder / name.removeprefix("handlers/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=REQUESTS, metavar="NAME")
    parser.add_argument("--list", action="store_true", help="the names of the handshakes")
    options = parser.parse_args()
    if options.list:
        print(*REQUESTS, sep="\n")
        return 0
    reference = Reference()
    print(f"pywebsocket3 {VERSION}, {reference.run('--version')[1].strip()}")
    running = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            prepare_handlers(reference, pathlib.Path(folder))
            running.append(theirs := ReferenceServer(reference, folder))
            running.append(ours := Server("-H", "127.0.0.1", handlers=PROJECT / "handlers"))
            running.append(ours_of_tests := Server("-H", "127.0.0.1", handlers=HANDLERS))
            names = options.only or list(REQUESTS)
            faults = compare_handshakes(theirs, ours, ours_of_tests, names, page.differences())
            if not options.only:
                for talk in talks.TALKS:
                    our_server = ours_of_tests if talk.is_of_tests else ours
                    faults += compare(talk.name, talk.said(theirs), talk.said(our_server))
                faults += compare_clients(reference, theirs, ours)
                faults += check_page(reference)
        finally:
            for server in reversed(running):
                server.stop()
    print(f"{faults} unexplained" if faults else "all explained")
    return bool(faults)


sys.exit(main())
