"""Handler files with anything in them: each costs its own route and nothing else, and the author reads why."""

import os

import pytest

from authoring import BUILD_TIMEOUT, ask, echo, save, wait_for_answer
from conftest import Server
from wire import handshake, request, run_program

pytestmark = pytest.mark.skipif(
    "standalone.sh" not in os.environ.get("WEBSOCKETHOST_COMMAND", "standalone.sh"),
    reason="only standalone.sh builds")

GOOD = """import WebSocketHost

public let handler = WebSocketHandler { socket in
    for try await message in socket { try await socket.send(message) }
}
"""
NO_HANDLER = "1:1: error: the file exports no handler: "
UTF8_HINT = "hint: save the file in UTF-8"
SHARED_STATE_HINT = 'docs/HANDLERS.md, "State that connections share"'
IMPORT_HINT = "hint: a handler file needs 'import WebSocketHost'"


def after(text):
    """A good file with more behind it."""
    return (GOOD + text).encode()


# By name of the handler: the file, and what the author reads about it, each below the one before.
BAD = {
    "utf16le": (GOOD.encode("utf-16"), "1:1: error: input files must be encoded as UTF-8", UTF8_HINT),
    "utf16be": (b"\xfe\xff" + GOOD.encode("utf-16-be"), "1:1: error: ", UTF8_HINT),
    "utf16_without_mark": (GOOD.encode("utf-16-le"), "error: "),
    "utf32": (GOOD.encode("utf-32"), "error: "),
    "latin1_comment": ("// café\n".encode("latin-1") + GOOD.encode(), "1:7: error: invalid UTF-8", UTF8_HINT),
    "latin1_text": (GOOD.encode() + 'let drink = "café"\n'.encode("latin-1"), "6:17: error: invalid UTF-8", UTF8_HINT),
    "latin1_name": (GOOD.encode() + "let café = 1\n".encode("latin-1"), "6:8: error: invalid UTF-8", UTF8_HINT),
    "surrogate": (after("let x = \"") + b"\xed\xa0\x80\"\n", "6:10: error: invalid UTF-8", UTF8_HINT),
    "nul_in_name": (after("let a\0b = 1\n"), "6:7: error: "),
    "bytes": (bytes(range(256)) * 80, "error: "),
    "shebang": (b"#!/usr/bin/env swift\n" + GOOD.encode(), "1:2: error: "),
    "conflict": (f"<<<<<<< HEAD\n{GOOD}=======\n{GOOD}>>>>>>> other\n".encode(), "1:2: error: source control conflict"),
    "error_line": (after('#error("not yet")\n'), "6:8: error: not yet"),
    "missing_brace": (GOOD[:-2].encode(), "error: expected '}'"),
    "open_text": (after('let x = "a\n'), "6:9: error: unterminated string literal"),
    "open_comment": (after("/* never ends\n"), "error: unterminated '/*' comment"),
    "open_condition": (after("#if os(Linux)\n"), "error: "),
    "curly_quotes": (after("let x = “a”\n"), "6:9: error: unicode curly quote found"),
    "empty": (b"", NO_HANDLER + "it needs 'public let handler = "),
    "only_a_comment": (b"// Later.\n", NO_HANDLER),
    "internal": (b"import WebSocketHost\nlet handler = WebSocketHandler { _ in }\n",
                 "2:5: error: the file exports no handler: 'handler' is not public"),
    "number": (b"import WebSocketHost\npublic let handler = 3\n", NO_HANDLER + "'handler' is of type 'Int'"),
    "function": (b"import WebSocketHost\npublic func handler() -> WebSocketHandler { WebSocketHandler { _ in } }\n",
                 NO_HANDLER + "'handler' is a function"),
    "main_actor": (b"import WebSocketHost\n@MainActor public let handler = WebSocketHandler { _ in }\n",
                   "2:23: error: the file exports no handler: 'handler' is isolated to the main actor"),
    "no_import": (GOOD.replace("import WebSocketHost\n", "").encode(), "2:22: error: cannot find 'WebSocketHandler'", IMPORT_HINT),
    "package": (after("import NIO\n"), "6:8: error: no such module 'NIO'", "hint: a handler file can import WebSocketHost"),
    "neighbour": (after("import good_wsh\n"), "6:8: error: no such module 'good_wsh'", "imported as 'Shared'"),
    "no_helpers": (after("import Shared\n"), "6:8: error: no such module 'Shared'", "hint: "),
    "global_variable": (after("var count = 0\n"), "6:5: error: var 'count' is not concurrency-safe", SHARED_STATE_HINT),
    "statement": (after('print("hello")\n'), "6:1: error: expressions are not allowed at the top level"),
    "main": (after("@main struct Program { static func main() {} }\n"), "6:1: error: '@main' has no place in a handler file"),
    "undefined_symbol": (after('@_silgen_name("not_anywhere") func no()\npublic func f() { no() }\n'),
                         "1:1: error: the file cannot be linked: it uses the symbol 'not_anywhere'"),
    "symbol_a": (after('@_cdecl("same_name") public func same() {}\n'),
                 "1:1: error: the file cannot be linked: it defines the symbol 'same_name'"),
    "symbol_b": (after('@_cdecl("same_name") public func same() {}\n'),
                 "1:1: error: the file cannot be linked: it defines the symbol 'same_name'"),
    "c_main": (after('@_cdecl("main") public func start() -> Int32 { 0 }\n'), "1:1: error: the file cannot be linked: "),
    "own_place": (b'#sourceLocation(file: "good_wsh.swift", line: 1)\nlet x: Int = "a"\n',
                  "1:1: error: the file does not compile; the messages name another place",
                  "good_wsh.swift:1:14: error: cannot convert value"),
}

# Odd, and nothing is wrong with it.
ODD = {
    "good": GOOD.encode(),
    "byte_order_mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "windows": GOOD.replace("\n", "\r\n").encode(),
    "no_last_line_end": GOOD.rstrip().encode(),
    "nul_in_comment": b"// a\0b\n" + GOOD.encode(),
    "large": GOOD.encode() + b"// A line of text that says nothing.\n" * 28_000,
    "hard_space": after("let\u00a0x = 1\n"),
    "warning": after("func f() { let unused = 3 }\n"),
    "client": after("import WebSocketClient\n"),
    "foundation": after("import Foundation\nlet now = Date()\n"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """All of them in one directory, whose name is odd too."""
    folder = tmp_path_factory.mktemp("site") / "it's \"ödd\" $(x)"
    folder.mkdir()
    for name, (source, *_) in BAD.items():
        (folder / f"{name}_wsh.swift").write_bytes(source)
    for name, source in ODD.items():
        (folder / f"{name}_wsh.swift").write_bytes(source)
    server = Server(handlers=folder)
    yield folder, server
    server.stop()


@pytest.mark.parametrize("name", ODD)
def test_served(site, name):
    _, server = site
    assert ask(server, f"/{name}", "hello") == "hello"


@pytest.mark.parametrize("name", BAD)
def test_left_out(site, name):
    """On the terminal with the directory as it was typed; at the route without it."""
    folder, server = site
    _, first, *others = BAD[name]
    lines = server.stderr_lines()
    own = [index for index, line in enumerate(lines) if line.startswith(f"{folder}/{name}_wsh.swift:")]
    own = own or [index for index, line in enumerate(lines) if first in line]
    text = "\n".join(lines[own[0]:own[-1] + 8])
    position = 0
    for part in (first, *others):
        assert part in text[position:], text
        position = text.index(part, position)
    answer = request(server, handshake(f"/{name}"))
    assert answer.status == 503
    assert first in answer.text and str(folder) not in answer.text


def test_nothing_else_is_named(site):
    _, server = site
    text = "\n".join(server.stderr_lines())
    assert "/.build/" not in text and "not a handler's fault" not in text
    assert "warning_wsh.swift:6:16: warning: initialization of immutable value" in text
    assert len(text) < 200_000


def test_check(site):
    """The same again, with the exit code."""
    folder, _ = site
    code, _, errors = run_program("-w", folder, "--check")
    assert code == 4
    for name in BAD:
        assert f"{name}_wsh.swift" in errors


@pytest.mark.parametrize("bad", [
    "// café\n".encode("latin-1") + GOOD.encode(), GOOD.encode("utf-16"), b"", after("let x: Int = \"\"\n")])
def test_while_watching(start_server, tmp_path, bad):
    """What the file was goes on, other files go live, and a good version is taken again."""
    save(tmp_path, "good_wsh.swift", echo("v0"))
    save(tmp_path, "bad_wsh.swift", echo("v0"))
    server = start_server("--watch", handlers=tmp_path)
    (tmp_path / "bad_wsh.swift").write_bytes(bad)
    server.wait_for_line(f"{tmp_path}/bad_wsh.swift:", BUILD_TIMEOUT)
    save(tmp_path, "good_wsh.swift", echo("v1"))
    wait_for_answer(server, "v1 x", "/good")
    assert ask(server, "/bad") == "v0 x"
    save(tmp_path, "bad_wsh.swift", echo("v1"))
    wait_for_answer(server, "v1 x", "/bad")
    assert ask(server, "/good") == "v1 x"


def test_names_that_unicode_calls_equivalent(start_server, tmp_path):
    """Two files to the kernel are two handlers with two routes; so is a folder."""
    names = {"caf\u00e9": "caf%C3%A9", "cafe\u0301": "cafe%CC%81"}
    for number, name in enumerate(names):
        save(tmp_path, f"{name}_wsh.swift", echo(f"file{number}"))
        save(tmp_path, f"{name}/in_wsh.swift", echo(f"folder{number}"))
    server = start_server(handlers=tmp_path)
    for number, path in enumerate(names.values()):
        assert ask(server, f"/{path}") == f"file{number} x"
        assert ask(server, f"/{path}/in") == f"folder{number} x"
    server.stop()
    # A link from a directory of handlers into its sibling leads out of it.
    composed, decomposed = (tmp_path / name for name in names)
    (composed / "link_wsh.swift").symlink_to(decomposed / "in_wsh.swift")
    server = start_server(handlers=composed)
    assert "outside" in server.wait_for_line("link_wsh.swift")
    assert request(server, handshake("/link")).status == 404
