"""docs/PYWEBSOCKET.md, held to the program, to Sources and to the tree: what it promises is there."""

import re
import sys

import pytest
from client_test import CANNOT_CONNECT, run as run_client
from wire import REPOSITORY, run_program, unanswered_port

sys.path.append(str(REPOSITORY / "Tests" / "Conformance" / "side_by_side"))
import page  # noqa: E402

# pywebsocket3's options, each with a value that does no harm; False: a flag, None: it ends the program itself.
OPTIONS = [
    ("h", "help", None),
    (None, "config", "{file}"),
    ("H", "server-host", "127.0.0.1"),
    ("V", "validation-host", "example.com"),
    ("p", "port", "0"),
    ("P", "validation-port", "80"),
    ("w", "websock-handlers", "{handlers}"),
    ("m", "websock-handlers-map-file", "{map}"),
    ("s", "scan-dir", "{handlers}"),
    (None, "allow-handlers-outside-root-dir", False),
    ("d", "document-root", "{folder}"),
    ("x", "cgi-paths", "/cgi-bin"),
    ("t", "tls", False),
    ("k", "private-key", "{key}"),
    ("c", "certificate", "{certificate}"),
    (None, "tls-client-auth", False),
    (None, "tls-client-cert-optional", False),
    (None, "tls-client-ca", "{certificate}"),
    (None, "basic-auth", False),
    (None, "basic-auth-credential", "test:test"),
    ("l", "log-file", "{log}"),
    (None, "log-level", "warn"),
    (None, "deflate-log-level", "warn"),
    (None, "log-max", "262144"),
    (None, "log-count", "5"),
    (None, "thread-monitor-interval-in-sec", "-1"),
    ("q", "queue", "128"),
    (None, "handler-encoding", "utf-8"),
]
# Those of its echo_client.py, in the same way.
CLIENT_OPTIONS = [
    ("h", "help", None),
    ("s", "server-host", "127.0.0.1"),
    ("p", "server-port", "{port}"),
    ("o", "origin", "http://example.com"),
    ("r", "resource", "/echo"),
    ("m", "message", "Hello,<>"),
    ("q", "quiet", False),
    ("t", "tls", False),
    ("k", "socket-timeout", "10"),
    (None, "use-permessage-deflate", False),
    (None, "log-level", "warn"),
]
# Words of Swift and of its library in the column "here".
SWIFT = {
    "Task", "actor", "async", "await", "cancel", "case", "false", "for", "handler", "in", "let", "message", "nil",
    "print", "public", "sleep", "throw", "true", "try", "var", "Mutex", "zero"}
# What stands for the reader's own in `request.fields["Cookie"]`.
EXAMPLES = {"Cookie"}


@pytest.fixture(scope="module")
def help_options():
    code, text, _ = run_program("--help")
    assert code == 0
    found = options_in(text)
    assert len(found) > len(OPTIONS)
    return found


@pytest.fixture(scope="module")
def client_options():
    result = run_client("--help")
    assert result.code == 0
    found = options_in(result.stdout)
    assert len(found) > len(CLIENT_OPTIONS)
    return found


def options_in(text):
    """All spellings that a help lists."""
    found = re.findall(r"^  (?:(-\w), |    )(--[\w-]+)", text, re.MULTILINE)
    return {spelling for pair in found for spelling in pair if spelling}


def spellings(letter, name):
    short = [f"-{letter}"] if letter else []
    return [*short, f"--{name}", *([f"--{name.replace('-', '_')}"] if "-" in name else [])]


def option_rows():
    return {tuple(page.quoted(row.there)): row for row in page.rows() if row.heading == "## Options"}


# --- Options ----------------------------------------------------------------------------------------

def test_every_option_has_a_row():
    expected = {tuple(spellings(letter, name)[:2 if letter else 1]) for letter, name, _ in OPTIONS}
    assert set(option_rows()) == expected


@pytest.mark.parametrize("letter, name, _", OPTIONS, ids=lambda value: str(value))
def test_every_option_is_in_the_help(help_options, letter, name, _):
    assert f"--{name}" in help_options
    assert not letter or f"-{letter}" in help_options


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Files and folders that the values name."""
    folder = tmp_path_factory.mktemp("values")
    for name in ("key", "certificate", "log", "map"):
        (folder / name).touch()
    (folder / "file").write_text("[pywebsocket]\n")
    names = {name: folder / name for name in ("key", "certificate", "log", "map", "file")}
    return names | {"folder": folder, "handlers": REPOSITORY / "handlers"}


@pytest.mark.parametrize("letter, name, value", OPTIONS, ids=lambda value: str(value))
def test_every_spelling_is_understood(places, letter, name, value):
    for spelling in spellings(letter, name):
        if value is None:
            given = [spelling]
        elif value is False:  # a letter alone sets the flag, and what comes later takes it back
            given = [spelling, f"--{name}=false"] if len(spelling) == 2 else [f"{spelling}=false"]
        else:
            given = [spelling, value.format(**places)]
        code, text, errors = run_program(*given, "--print-config")
        assert code == 0, (spelling, errors)
        if value is not None and name != "config":
            key = name.replace("-", "_")
            lines = text.splitlines()
            index = next(index for index, line in enumerate(lines) if line.startswith(f"{key} ="))
            assert lines[index - 1].startswith("# command line: "), (spelling, lines[index - 1:index + 1])


def test_every_option_of_the_client_has_a_row(client_options):
    """The row has it in the same spellings on both sides, and the client's help too."""
    rows = {tuple(page.quoted(row.there)): page.quoted(row.here) for row in page.rows()
            if row.heading == "## The client" and row.there.endswith(" of the client")}
    expected = {}
    for letter, name, _ in CLIENT_OPTIONS:
        pair = tuple(spellings(letter, name)[:2 if letter else 1])
        expected[pair] = [f"client {spelling}" for spelling in pair]
    assert rows == expected
    assert {spelling for pair in expected for spelling in pair} <= client_options


@pytest.mark.parametrize("letter, name, value", CLIENT_OPTIONS, ids=lambda value: str(value))
def test_every_spelling_is_understood_by_the_client(letter, name, value):
    with unanswered_port() as port:
        for spelling in spellings(letter, name):
            given = [spelling] if not value else [spelling, value.format(port=port)]
            others = [] if name == "server-port" else ["-p", port]
            # Understood, and then there is nobody to connect to.
            assert run_client(*given, *others).code == (0 if value is None else CANNOT_CONNECT), spelling


def test_no_other_option_is_named(help_options, client_options):
    """What looks like an option in the column "here", or in the text, is one."""
    text = re.sub(r"^```.*?^```$", "", page.PATH.read_text(), flags=re.MULTILINE | re.DOTALL)
    of_pywebsocket = {"--tls-module", "--allow-draft75", "--document-ro", "--list"}
    of_the_client = [row for row in page.rows() if row.heading == "## The client"]
    for row in of_the_client:
        of_pywebsocket.update(word for word in page.quoted(row.there) if word.startswith("-"))
    seen = 0
    for quoted in page.quoted(text):
        is_of_client = quoted.startswith(("client ", "./standalone.sh client"))
        known = client_options if is_of_client else help_options | of_pywebsocket
        for option in re.findall(r"(?<!\S)--?[a-zA-Z][\w-]*", quoted):
            if quoted.startswith("python "):
                continue
            seen += 1
            assert option in known, f"`{quoted}`"
    assert seen > 60


# --- Names and files --------------------------------------------------------------------------------

def declared_names():
    """Every name that a declaration in Sources introduces, parameters' labels among them."""
    names = set()
    for path in (REPOSITORY / "Sources").rglob("*.swift"):
        text = path.read_text()
        names.update(re.findall(r"\b(?:func|var|let|struct|class|enum|actor|protocol|typealias) `?(\w+)", text))
        for cases in re.findall(r"^ *case ([a-z]\w*(?:\([^)]*\))?(?:, [a-z]\w*)*)", text, re.MULTILINE):
            names.update(re.findall(r"\w+", cases))
        names.update(re.findall(r"(?:[(,]\s*|^\s+)(\w+)(?: \w+)?: ", text, re.MULTILINE))
    return names


def is_path(quoted):
    return re.fullmatch(r"[\w./-]*/[\w./-]+|\w+\.(?:sh|txt|md)", quoted) is not None


def test_every_name_is_in_sources():
    declared = declared_names()
    assert {"offeredSubprotocols", "closed", "messageByteLimit", "maxMessageSize"} <= declared
    assert "web_socket_transfer_data" not in declared
    seen = set()
    for row in page.rows():
        for quoted in page.quoted(row.here):
            if quoted.startswith(("-", ".swift", "_", "[", "wss:", "client ", "./standalone.sh client")) or is_path(quoted):
                continue
            words = set(re.findall(r"[A-Za-z_]\w+", re.sub(r"\b0x[0-9A-F]\b", "", quoted)))
            seen |= words - SWIFT - EXAMPLES
            missing = words - declared - SWIFT - EXAMPLES
            assert not missing, f"{page.PATH.name}:{row.line}: Sources declare no {missing} (`{quoted}`)"
    assert len(seen) > 60


def test_every_file_exists():
    seen = 0
    for row in page.rows():
        for quoted in page.quoted(row.here):
            if not is_path(quoted) or quoted.startswith("/"):
                continue
            seen += 1
            assert (REPOSITORY / quoted).exists(), f"{page.PATH.name}:{row.line}: {quoted}"
    assert seen > 20


def test_every_example_of_ours_has_its_name():
    """A handler has the name that it has there, so that its URL is the same."""
    rows = [row for row in page.rows() if row.heading == "## Examples and pages" and "_wsh.py" in row.there]
    assert len(rows) == 11
    for row in rows:
        name, = page.quoted(row.there)
        assert page.quoted(row.here) == ["handlers/" + name.replace(".py", ".swift")]


def test_ports_are_the_files():
    """What the page shows is compiled, and tested with what it belongs to."""
    blocks = page.code_blocks("swift")
    assert len(blocks) == len(page.code_blocks("python")) == 3
    for path, text in blocks.items():
        assert (REPOSITORY / path).read_text() == text, f"{path} is not what docs/PYWEBSOCKET.md shows"


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)\s]+)\)", page.PATH.read_text())
    assert len(links) > 20
    for link in links:
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.PATH.parent / name if name else page.PATH
        assert target.exists(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE) if anchor else []
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, link
