"""Conversations with the handlers that docs/PYWEBSOCKET.md ports, and with the examples: what comes, in words."""

import typing
import uuid

from wire import CLOSE, TEXT, Wire, close_body


def frames(wire):
    """The frames up to a Close, and whether TCP ends behind them."""
    seen = []
    try:
        while not seen or seen[-1][0] != CLOSE:
            received = wire.frame()
            seen.append((received.opcode, received.payload))
        wire.assert_end()
    except AssertionError as fault:
        if "the connection ended" not in str(fault):
            raise
    return seen


def after(path, *sent):
    """Sends frames after the handshake; what comes back up to the end."""
    def run(server):
        with Wire.open(server, path) as wire:
            for opcode, payload in sent:
                wire.send_frame(opcode, payload)
            return frames(wire)
    return run


def answering(path, *sent):
    """The same with an answer to the server's Close."""
    def run(server):
        with Wire.open(server, path) as wire:
            for opcode, payload in sent:
                wire.send_frame(opcode, payload)
            code, reason = wire.close_frame()
            wire.send_frame(CLOSE, close_body(code, reason))
            wire.assert_end()
            return code, reason
    return run


def channel(server):
    """Two connections of one key: what one end writes the other one reads, then the writer closes."""
    key = uuid.uuid4()
    with Wire.open(server, f"/wpt/msg_channel?uuid={key}&direction=write") as writer:
        writer.send_frame(TEXT, "before anybody reads")
        with Wire.open(server, f"/wpt/msg_channel?uuid={key}&direction=read") as reader:
            texts = [reader.text()]
            writer.send_frame(TEXT, "zwei ü")
            texts.append(reader.text())
            writer.send_frame(CLOSE, close_body(1000))
            closes = [writer.close_frame(), reader.close_frame()]
            return texts, closes


class Talk(typing.NamedTuple):
    name: str
    run: typing.Callable
    is_of_tests: bool = False

    def said(self, server):
        try:
            return self.run(server)
        except (AssertionError, OSError) as fault:
            return f"it broke off: {fault}"


TALKS = [
    Talk("/echo: Goodbye", answering("/echo", (TEXT, "Hello"), (TEXT, "Goodbye"))),
    Talk("/close: 4001 so long", answering("/close", (TEXT, "4001 so long"))),
    Talk("/close: 1005, which may not be sent", answering("/close", (TEXT, "1005 x"))),
    Talk("/close: the client's 3000", after("/close", (CLOSE, close_body(3000, "enough")))),
    Talk("/close: the client's empty Close", after("/close", (CLOSE, b""))),
    Talk("/cookie", answering("/cookie?set")),
    Talk("/hsts", answering("/hsts")),
    Talk("/internal_error", answering("/internal_error")),
    Talk("/abort", after("/abort")),
    Talk("/wpt/msg_channel", channel, is_of_tests=True),
]
