"""The Swift code of README.md and docs (documents.py): every handler file in it is served, and talked to.

Tests/Embedding/run builds and runs the programs and tests among them.
"""

import contextlib
import json
import os

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from authoring import save
from conftest import Server
from documents import FILE, HANDLER, HELPER, REPOSITORY, blocks
from wire import DEADLINE, wait_until

pytestmark = pytest.mark.skipif(
    "standalone.sh" not in os.environ.get("WEBSOCKETHOST_COMMAND", "standalone.sh"),
    reason="only standalone.sh builds")

HANDLERS = blocks(HANDLER)

# What is asked and answered, where the page says so. All others get a message too, see test_every_handler.
CONVERSATIONS = {
    "greet": [("Ada", "Hello, Ada!")],
    "functions": [("hello", "hello")],
    "receiving": [("Ada", None), ("four", "Ada wrote 4 characters"), (b"123", "Ada sent 3 bytes")],
    "closing": [("hello", "hello")],
    "fetch": [("root", "0"), ("no such user", "nobody")],
    "lookup": [("", "Send a name."), ("Ada", "Ada is number 3")],
    "orders": [('{"item": "tea", "count": 2}', '{"text":"2 × tea","total":2}')],
    "dispatch": [('{"type": "point", "at": {"x": 1, "y": -2.5}}', '{"x":-1,"y":2.5}'),
                 ('{"type":"other"}', '{"error":"unknown type"}'),
                 ("[", '{"error":". (byte 1): expected a value, found the end"}')],
    "calendar": [('{"at":"2026-02-28T12:00:00Z"}', '{"at":"2026-03-01T12:00:00Z"}')],
    "shout": [("hello", "HELLO!")],
    "upload": [(b"12345", "5 bytes")],
    "time": [(None, "You said hello")],
    "pulse": [("hello", "0 pings so far")],
}
# The codes with which the server closes after a message.
CLOSES = {
    "orders": ('{"item": "tea", "count": "two"}', 1003, ".count (byte 25): expected a whole number, found a string"),
    "rooms": ("cellar", 4004, "there is no room cellar"),
    "closing": ("quit", 4001, "you asked for it"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory, server):
    """All handler files of all pages in one directory, with the helper code between them. What they say of the server
    at port 9998 means one with the handlers that are shipped."""
    folder = tmp_path_factory.mktemp("documents")
    for block in blocks(HANDLER, HELPER):
        save(folder, block.name, block.code.replace("localhost:9998", f"localhost:{server.port}"))
    with pytest.MonkeyPatch.context() as environment:
        for name in ("NOTES_FILE", "VISITS_FILE"):
            environment.setenv(name, str(folder / name.lower()))
        site = Server(handlers=folder)
    yield site
    site.stop()


def route(block):
    return "/" + block.name.removesuffix("_wsh.swift")


def open_connection(server, path, timeout=DEADLINE):
    """One that reads all that comes, also while it closes."""
    return connect(
        server.url(path), open_timeout=timeout, close_timeout=timeout, compression=None, max_size=None, max_queue=None)


def test_every_block_has_a_rule_and_a_name_of_its_own():
    names = [block.name for block in blocks(HANDLER, HELPER)]
    assert len(names) > 30
    assert sorted(names) == sorted(set(names))
    assert {*CONVERSATIONS, *CLOSES} <= {name.removesuffix("_wsh.swift") for name in names}


def test_files_of_the_repository_are_shown_as_they_are():
    shown = blocks(FILE)
    assert len(shown) >= 4
    for block in shown:
        code = block.code.split("\n", 1)[1]
        assert (REPOSITORY / block.name).read_text() == code, f"{block.place}: {block.name} is another one"


@pytest.mark.parametrize("block", HANDLERS, ids=lambda block: f"{block.page.stem}-{block.line}-{block.name}")
def test_every_handler(site, block):
    """A handshake, a message, a Close: whatever the handler makes of them, it neither fails nor ends its process."""
    pid, start = site.pid, len(site.stderr_lines())
    breaks_rules = "unsafe" in block.code or "abort" in block.code
    try:
        with open_connection(site, route(block), 2 if breaks_rules else DEADLINE) as socket:
            with contextlib.suppress(ConnectionClosed):  # some say one thing, and close
                socket.send("hello")
            socket.close()
            with pytest.raises(ConnectionClosed) as ended:
                while True:
                    socket.recv(DEADLINE)
        code = ended.value.rcvd.code if ended.value.rcvd else 1006
        assert code != 1011 and (code != 1006 or breaks_rules), block.place
    except InvalidStatus as refused:
        # Its own hook has refused; 404, 500 and 503 would be the server's.
        assert refused.response.status_code in (302, 307, 401, 403), f"{block.place}: {refused}"
    except (InvalidMessage, InvalidHandshake, EOFError, ConnectionResetError, TimeoutError):
        assert breaks_rules, block.place
    assert not [line for line in site.stderr_lines()[start:] if "the handler threw" in line], block.place
    assert site.pid == pid, f"{block.place} has ended its process"


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversations(site, name):
    with open_connection(site, f"/{name}") as socket:
        for question, answer in CONVERSATIONS[name]:
            if question is not None:
                socket.send(question)
            if answer is not None:
                assert socket.recv(DEADLINE) == answer


@pytest.mark.parametrize("name", CLOSES)
def test_closes(site, name):
    question, code, reason = CLOSES[name]
    with open_connection(site, f"/{name}") as socket:
        socket.send(question)
        with pytest.raises(ConnectionClosed) as ended:
            socket.recv(DEADLINE)
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (code, reason)


def test_answers_in_json_may_have_their_members_in_any_order(site):
    with open_connection(site, "/dispatch") as socket:
        socket.send('{"type": "ping", "id": [1, "a"]}')
        assert json.loads(socket.recv(DEADLINE)) == {"type": "pong", "id": [1, "a"]}


def test_rooms_meet(site):
    for path in ("/room", "/everyone"):
        with open_connection(site, path) as one, open_connection(site, path) as two:
            two.send("hello")
            assert one.recv(DEADLINE).endswith("hello")


def test_those_who_come_later_see_what_was_said(site):
    with open_connection(site, "/history") as one:
        one.send("the last")
        while not (line := one.recv(DEADLINE)).endswith(" the last"):
            pass
    with open_connection(site, "/history") as two:
        while two.recv(DEADLINE) != line:
            pass


def test_cookies_and_tokens(site):
    for fields, user in [({"Cookie": "session=s3cret"}, "Ada"), ({"Authorization": "Bearer t0ken"}, "Grace")]:
        with connect(site.url("/login"), additional_headers=fields) as socket:
            assert socket.recv(DEADLINE) == f"Welcome, {user}"
    with connect(site.url("/login"), subprotocols=["bearer", "t0ken"]) as socket:
        assert socket.subprotocol is None and socket.recv(DEADLINE) == "Welcome, Grace"
    with pytest.raises(InvalidStatus) as refused:
        connect(site.url("/login"), additional_headers={"Authorization": "Bearer wrong"})
    assert refused.value.response.status_code == 401


def test_pages_are_fetched(site, server):
    with open_connection(site, "/fetch") as socket:
        socket.send(f"http://localhost:{server.port}/")
        assert int(socket.recv(DEADLINE).removesuffix(" bytes")) > 1_000


def test_state_in_files(site):
    for number in (1, 2):
        with open_connection(site, "/visits") as socket:
            socket.send("Ada")
            assert socket.recv(DEADLINE) == f"Ada was here {number} times"
    with open_connection(site, "/notes") as socket:
        socket.send("one\ntwo")
        while socket.recv(DEADLINE) != "kept":
            pass
    with open_connection(site, "/notes") as socket:
        while socket.recv(DEADLINE) != "one two":
            pass


def test_feeds(site):
    with open_connection(site, "/uptime") as socket:
        first, second = (int(socket.recv(DEADLINE).removeprefix("up for ").removesuffix(" s")) for _ in range(2))
        assert second > first

    def closed():
        return len([line for line in site.stderr_lines() if "close /price " in line])

    for _ in range(2):  # it begins again with each first subscriber
        before = closed()
        with open_connection(site, "/price") as socket:
            assert [socket.recv(DEADLINE) for _ in range(2)] == ["100", "101"]
        wait_until(lambda: closed() == before + 1)

    def rate(currency):
        with open_connection(site, "/exchange") as socket:
            socket.send(currency)
            return socket.recv(DEADLINE)

    wait_until(lambda: rate("USD") == "1.08")
    assert rate("nothing") == "not known, or not yet"
