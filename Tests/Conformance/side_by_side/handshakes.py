"""The handshakes that both servers get: a name for each, as docs/PYWEBSOCKET.md writes it, and the bytes."""

from wire import KEY, handshake

SHORT, LONG = "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA="  # the base64 of 15 and of 17 bytes


def plain(path="/echo", method="GET", version="HTTP/1.1", fields=("Host: localhost",)):
    return "\r\n".join([f"{method} {path} {version}", *fields, "", ""]).encode()


def with_offer(text):
    return handshake(Sec_WebSocket_Extensions=text)


def with_key(text):
    return handshake(Sec_WebSocket_Key=text)


def with_protocol(text, path="/echo"):
    return handshake(path, Sec_WebSocket_Protocol=text)


REQUEST_LINE = {
    "as it should be": handshake(),
    "POST": handshake(method="POST"),
    "HEAD": handshake(method="HEAD"),
    "PUT": handshake(method="PUT"),
    "get": handshake(method="get"),
    "HTTP/1.0": handshake(version="HTTP/1.0"),
    "HTTP/1.2": handshake(version="HTTP/1.2"),
    "HTTP/2.0": handshake(version="HTTP/2.0"),
    "HTTP/x": handshake(version="HTTP/x"),
    "plain GET": plain(),
    "plain POST": plain(method="POST", fields=("Host: localhost", "Content-Length: 0")),
    "/nothing": handshake("/nothing"),
    "/echo/": handshake("/echo/"),
    "//echo": handshake("//echo"),
    "/Echo": handshake("/Echo"),
    "/%65cho": handshake("/%65cho"),
    "/x/../echo": handshake("/x/../echo"),
    "/echo?a=b": handshake("/echo?a=b"),
    "/echo#": handshake("/echo#"),
    "/echo#part": handshake("/echo#part"),
    "ws://localhost/echo": handshake("ws://localhost/echo"),
    "wss://localhost/echo": handshake("wss://localhost/echo"),
    "http://localhost/echo": handshake("http://localhost/echo"),
    "ws://localhost:x/echo": handshake("ws://localhost:x/echo"),
}

FIELDS = {
    "no Upgrade": handshake(drop=["Upgrade"]),
    "Upgrade: h2c": handshake(Upgrade="h2c"),
    "Upgrade: WebSocket": handshake(Upgrade="WebSocket"),
    "Upgrade: h2c, websocket": handshake(Upgrade="h2c, websocket"),
    "no Connection": handshake(drop=["Connection"]),
    "Connection: close": handshake(Connection="close"),
    "Connection: keep-alive, upgrade": handshake(Connection="keep-alive, upgrade"),
    "Connection: two lines": handshake(Connection="keep-alive", extra=["Connection: Upgrade"]),
    "Connection: a b": handshake(Connection="Upgrade a"),
    "no Host": handshake(drop=["Host"]),
    "Host: empty": handshake(host=""),
    "Host: a b": handshake(host="a b"),
    "Host: twice": handshake(extra=["Host: localhost"]),
    "no Version": handshake(drop=["Sec-WebSocket-Version"]),
    "Version: empty": handshake(Sec_WebSocket_Version=""),
    "Version: 13, 8": handshake(Sec_WebSocket_Version="13, 8"),
    "Version: 8": handshake(Sec_WebSocket_Version="8"),
    "Version: 14": handshake(Sec_WebSocket_Version="14"),
    "Version: 013": handshake(Sec_WebSocket_Version="013"),
    "Version: x": handshake(Sec_WebSocket_Version="x"),
    "Version: 13 twice": handshake(extra=["Sec-WebSocket-Version: 13"]),
    "no Key": handshake(drop=["Sec-WebSocket-Key"]),
    "Key: empty": with_key(""),
    "Key: two in one": with_key(f"{KEY}, {KEY}"),
    "Key: two lines": handshake(extra=[f"Sec-WebSocket-Key: {KEY}"]),
    "Key: 15 bytes": with_key(SHORT),
    "Key: 17 bytes": with_key(LONG),
    "Key: no base64": with_key("dGhlIHNhbXBsZSBub25jZ!=="),
    "Key: base64url": with_key("dGhlIHNhbXBsZSBub25_-Q=="),
    "Key: no padding": with_key(KEY.rstrip("=")),
    "Key: bits behind the 16 bytes": with_key("dGhlIHNhbXBsZSBub25jZR=="),
    "Content-Length: 5": handshake(extra=["Content-Length: 5"]) + b"hello",
    "a blank before the colon": handshake(extra=["X-Test : 1"]),
    "no colon": handshake(extra=["X-Test"]),
    "a folded line": handshake(extra=["X-Test: 1", " 2"]),
}

SUBPROTOCOLS = {
    "chat offered, none chosen": with_protocol("chat"),
    "Protocol: empty": with_protocol(""),
    "Protocol: a b": with_protocol("a b"),
    "Protocol: a,,b": with_protocol("a,,b"),
    "Protocol: ,": with_protocol(","),
    "Protocol: a;b": with_protocol("a;b"),
    "Protocol: a twice": with_protocol("a, a"),
    "chat chosen": with_protocol("chat", "/wpt/protocol?answer=chat"),
    "chosen without an offer": handshake("/wpt/protocol?answer=chat"),
    "another one chosen": with_protocol("chat", "/wpt/protocol?answer=other"),
    "no token chosen": with_protocol("chat", "/wpt/protocol?answer=a%20b"),
}

DEFLATE = "permessage-deflate"
EXTENSIONS = {
    "Extensions: empty": with_offer(""),
    "Extensions: ;": with_offer(";"),
    "Extensions: a;": with_offer("a;"),
    "Extensions: a; b=": with_offer("a; b="),
    'Extensions: a; b="c': with_offer('a; b="c'),
    "Extensions: a b": with_offer("a b"),
    "Extensions: unknown": with_offer("x-unknown; a=b"),
    "deflate": with_offer(DEFLATE),
    "deflate behind unknown": with_offer("x-unknown, " + DEFLATE),
    "deflate; server_no_context_takeover": with_offer(DEFLATE + "; server_no_context_takeover"),
    "deflate; server_no_context_takeover=1": with_offer(DEFLATE + "; server_no_context_takeover=1"),
    "deflate; server_max_window_bits=10": with_offer(DEFLATE + "; server_max_window_bits=10"),
    "deflate; server_max_window_bits=8": with_offer(DEFLATE + "; server_max_window_bits=8"),
    "deflate; server_max_window_bits=7": with_offer(DEFLATE + "; server_max_window_bits=7"),
    "deflate; server_max_window_bits=16": with_offer(DEFLATE + "; server_max_window_bits=16"),
    "deflate; server_max_window_bits=08": with_offer(DEFLATE + "; server_max_window_bits=08"),
    "deflate; server_max_window_bits": with_offer(DEFLATE + "; server_max_window_bits"),
    "deflate; client_max_window_bits": with_offer(DEFLATE + "; client_max_window_bits"),
    "deflate; client_max_window_bits=10": with_offer(DEFLATE + "; client_max_window_bits=10"),
    "deflate; client_no_context_takeover": with_offer(DEFLATE + "; client_no_context_takeover"),
    "deflate; unknown": with_offer(DEFLATE + "; unknown"),
    "deflate; unknown, deflate": with_offer(f"{DEFLATE}; unknown, {DEFLATE}"),
    "deflate, deflate": with_offer(f"{DEFLATE}, {DEFLATE}"),
}

HANDLERS = {
    "/abort_handshake": handshake("/abort_handshake"),
    "/origin_check without Origin": handshake("/origin_check"),
    "/origin_check from elsewhere": handshake("/origin_check", Origin="http://example.org"),
    "/origin_check from example.com": handshake("/origin_check", Origin="http://example.com"),
    "/echo from elsewhere": handshake(Origin="http://example.org"),
    "/echo_noext": handshake("/echo_noext", Sec_WebSocket_Extensions=DEFLATE),
    "/hsts": handshake("/hsts"),
    "/cookie?set": handshake("/cookie?set"),
    "/cookie?set_httponly": handshake("/cookie?set_httponly"),
    "/cookie?clear": handshake("/cookie?clear"),
}

REQUESTS = REQUEST_LINE | FIELDS | SUBPROTOCOLS | EXTENSIONS | HANDLERS
# These the ports of the end-to-end tests' folder answer; all others the shipped handlers.
OF_TESTS = {name for name, data in REQUESTS.items() if b"/wpt/" in data}
