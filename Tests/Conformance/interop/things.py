"""The things an echo server must do, the same for every client."""

TEXT_70K = "".join(chr(97 + index % 26) for index in range(70_000)) + "\u00e9\u20ac\U0001f600"

# Each goes there and back, with its type.
MESSAGES = {
    "text": "Hello",
    "empty": "",
    "unicode": "\u03ba\u03cc\u03c3\u03bc\u03b5 \u0000\u007f \uffff \U0001f600\ufdfd",
    "text70k": TEXT_70K,
    "bin1m": bytes((index * 31 + (index >> 8) * 7) & 255 for index in range(1 << 20)),
    "deflate": TEXT_70K,  # with permessage-deflate (RFC 7692), which must be agreed on
    "plain": TEXT_70K,  # without it, although the server could
}
# One message in fragments.
PARTS = ["fragment one, ", "\u00e9\u20ac, ", "and three"]
# The longest payload of a Ping (RFC 6455 §5.5).
PING = b"p" * 125
# Code and reason, which the server answers with the same. The last reason is the longest there is.
CLOSES = {"close1000": (1000, "bye"), "close3000": (3000, "caf\u00e9"), "close4999": (4999, "x" * 123)}

THINGS = ["text", "empty", "unicode", "text70k", "bin1m", "frag", "ping", *CLOSES, "deflate", "plain"]

# How long one thing may take, in seconds.
LIMIT = 15

# What clients in other languages need to know, as JSON; the binary message they make themselves.
FOR_PROGRAMS = {
    "things": THINGS, "messages": {name: text for name, text in MESSAGES.items() if isinstance(text, str)},
    "parts": PARTS, "closes": CLOSES, "limit": LIMIT}


class Impossible(Exception):
    """The client's interface cannot do that."""


def check_same(received, expected):
    if received != expected or type(received) is not type(expected):
        raise AssertionError(f"got {type(received).__name__} {received!r:.60}")


def check_close(received, expected):
    """`received`: code and reason; a code of None if no Close came, a reason of None if it is not shown."""
    code, reason = received
    if code is None:
        raise AssertionError("no Close came")
    if code != expected[0] or reason not in (None, expected[1]):
        raise AssertionError(f"answered {code} {reason!r:.60}")


def check_deflate(agreed, thing):
    """`agreed`: whatever is true if permessage-deflate is in use."""
    if thing in ("deflate", "plain") and bool(agreed) != (thing == "deflate"):
        raise AssertionError(f"extensions {agreed!r}")
