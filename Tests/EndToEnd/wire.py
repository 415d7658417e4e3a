"""A WebSocket client that can be wrong: frames and heads by hand, over a plain socket."""

import contextlib
import os
import pathlib
import shlex
import signal
import socket
import struct
import subprocess
import time
import zlib
from dataclasses import dataclass, field

HANDLERS = pathlib.Path(__file__).resolve().parent / "handlers"
REPOSITORY = HANDLERS.parents[2]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

# A frame's `rsv` where a compressed message begins (RFC 7692 §6).
RSV1 = 4

# The example of RFC 6455 §1.3.
KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

# How long anything may take that should take no time: generous, for machines that do other things.
DEADLINE = 20

# Signals to end that come sooner after the first one say nothing new; in seconds, with a reserve.
REPEAT_WINDOW = 0.6


def frame(opcode, payload=b"", fin=True, rsv=0, mask=b"\x12\x34\x56\x78", claim=None, width=None):
    """A frame whose every part can be wrong; `claim` is the length in the header, `width` its bytes."""
    payload = payload.encode() if isinstance(payload, str) else bytes(payload)
    length = len(payload) if claim is None else claim
    if width is None:
        width = 0 if length <= 125 else 2 if length <= 0xFFFF else 8
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    short = {0: length, 2: 126, 8: 127}[width] | (0x80 if mask else 0)
    head += bytes([short]) + {0: b"", 2: struct.pack(">H", length & 0xFFFF), 8: struct.pack(">Q", length)}[width]
    if not mask:
        return head + payload
    key = (mask * (len(payload) // 4 + 1))[:len(payload)]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")
    return head + mask + masked


def close_body(code=None, reason=""):
    return b"" if code is None else struct.pack(">H", code) + reason.encode()


class Deflate:
    """What RFC 7692 §7.2 makes of messages, one end in one direction, with a window from message to message."""

    def __init__(self, bits=15, level=9):
        self._bits = bits
        self._level = level
        self.reset()

    def reset(self):
        """Forgets the window: for a message without context takeover."""
        self._deflater = zlib.compressobj(self._level, zlib.DEFLATED, -max(self._bits, 9))  # 8 is not possible
        self._inflater = zlib.decompressobj(-self._bits)

    def compress(self, data):
        data = data.encode() if isinstance(data, str) else data
        payload = self._deflater.compress(data) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
        return payload.removesuffix(b"\0\0\xff\xff") if data else b"\0"

    def decompress(self, payload):
        """Byte by byte: zlib only knows that a distance leaves the window if the output before it is gone."""
        output = bytearray()
        data = payload + b"\0\0\xff\xff"
        for start in range(0, len(data), 64):
            rest = data[start:start + 64]
            while piece := self._inflater.decompress(rest, 1):
                output += piece
                rest = self._inflater.unconsumed_tail
        return bytes(output)


def handshake(path="/echo", *, host="localhost", drop=(), method="GET", version="HTTP/1.1", extra=(), **changes):
    """A handshake's bytes. `changes` replace fields (`Sec_WebSocket_Key="x"`), `drop` leaves some out."""
    fields = {
        "Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13"}
    fields.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = [f"{method} {path} {version}"]
    lines += [f"{name}: {value}" for name, value in fields.items() if name not in drop]
    return "\r\n".join([*lines, *extra, "", ""]).encode()


@dataclass
class Frame:
    opcode: int
    payload: bytes
    fin: bool
    rsv: int


@dataclass
class Answer:
    status: int
    fields: dict
    body: bytes = b""

    @property
    def text(self):
        return self.body.decode()


@dataclass
class Wire:
    """One TCP connection to a server."""

    socket: socket.socket
    buffer: bytes = field(default=b"")
    # Of the answer to the handshake.
    extensions: str | None = None

    @classmethod
    def connect(cls, server, *, receive_buffer=None):
        connection = socket.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(DEADLINE)
        connection.connect(("127.0.0.1", server.port))
        return cls(connection)

    @classmethod
    def open(cls, server, path="/echo", *, receive_buffer=None, **changes):
        """A connection whose handshake is done."""
        wire = cls.connect(server, receive_buffer=receive_buffer)
        wire.send(handshake(path, **changes))
        answer = wire.head()
        assert answer.status == 101, answer
        wire.extensions = answer.fields.get("sec-websocket-extensions")
        return wire

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_frame(self, *arguments, **named):
        self.send(frame(*arguments, **named))

    def reset(self):
        """Vanishes: the server gets a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def receive(self):
        """What comes next; empty at the end of the connection, be it orderly or not."""
        try:
            return self.socket.recv(1 << 20)
        except ConnectionError:
            return b""

    def read(self, count):
        while len(self.buffer) < count:
            data = self.receive()
            assert data, f"the connection ended with {self.buffer[:200]!r} where {count} bytes should come"
            self.buffer += data
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            data = self.receive()
            assert data, f"the connection ended with {self.buffer[:200]!r} where a head should come"
            self.buffer += data
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines)
        return Answer(int(first.split()[1]), {name.lower(): value for name, value in fields.items()})

    def answer(self, has_body=True):
        answer = self.head()
        if has_body:
            answer.body = self.read(int(answer.fields["content-length"]))
        return answer

    def frame(self):
        first, second = self.read(2)
        assert not second & 0x80, "a server's frame is masked"
        length = second & 0x7F
        if length == 126:
            length, = struct.unpack(">H", self.read(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.read(8))
        return Frame(first & 15, self.read(length), bool(first & 0x80), first >> 4 & 7)

    def message(self):
        """The message that comes next as one frame, without what its fragmentation says: no control frames."""
        first = last = self.frame()
        assert first.opcode in (TEXT, BINARY), first
        payload = first.payload
        while not last.fin:
            last = self.frame()
            assert (last.opcode, last.rsv) == (CONTINUATION, 0), last
            payload += last.payload
        return Frame(first.opcode, payload, True, first.rsv)

    def text(self):
        received = self.frame()
        assert (received.opcode, received.fin, received.rsv) == (TEXT, True, 0), received
        return received.payload.decode()

    def close_frame(self):
        """The Close that comes next, whatever messages come before it: code and reason."""
        while (received := self.frame()).opcode != CLOSE:
            pass
        if not received.payload:
            return None, ""
        code, = struct.unpack(">H", received.payload[:2])
        return code, received.payload[2:].decode()

    def assert_end(self):
        """Nothing more comes, and the connection ends."""
        rest = self.buffer + self.receive()
        assert rest == b"", f"{rest[:200]!r} where the connection should end"

    def assert_failed(self, code):
        """The server fails the connection with this code and ends it."""
        assert self.close_frame()[0] == code
        self.assert_end()

    def echo(self, text="still here"):
        """A message goes there and back."""
        self.send_frame(TEXT, text)
        assert self.text() == text


def request(server, data, has_body=True):
    """Sends bytes on a connection of their own; the answer to them."""
    with Wire.connect(server) as wire:
        wire.send(data)
        return wire.answer(has_body)


def wait_until(condition, timeout=DEADLINE, what="it did not come true"):
    """Asks until it is so; what it said last."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.01)
    return result


def is_running(pid):
    """Not ended, nor a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second if it ends between opening and reading
        return False


def freeze(pid):
    """SIGSTOP; waits until no thread runs any more. Until the first one has taken the signal, the others go on."""
    os.kill(pid, signal.SIGSTOP)

    def is_frozen():
        states = [stat.read_text().rsplit(")", 1)[1].split()[0] for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
        return set(states) <= {"T", "t"}
    wait_until(is_frozen)


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid):
    """User and system."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return [int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13]]


def peak_bytes(pid):
    """The most that was ever resident, or since `reset_peak`."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as references:
        references.write("5")


@contextlib.contextmanager
def bounded(server, what, *, cpu_limit, memory_limit):
    """Limits and prints what the server needs meanwhile: seconds of all its threads, and the resident bytes
    that it had at most more than before."""
    reset_peak(server.pid)
    before, used, began = resident_bytes(server.pid), sum(cpu_seconds(server.pid)), time.monotonic()
    yield
    used, more = sum(cpu_seconds(server.pid)) - used, peak_bytes(server.pid) - before
    print(f"\n{what}: {time.monotonic() - began:.2f} s, the server's {used:.2f} s of CPU time and "
          f"{more / 1024:.0f} KiB")
    assert used < cpu_limit, f"{used:.2f} s of CPU time"
    assert more < memory_limit, f"{more} bytes"


def descriptor_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def idle_descriptor_count(server, path="/echo"):
    """The descriptors of a server that has no connection."""
    with Wire.open(server, path) as wire:
        wire.echo()
        return descriptor_count(server.pid) - 1


def run_program(*options):
    """Runs the program where it should end by itself: exit code, standard output, standard error."""
    command = shlex.split(
        os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh")))
    done = subprocess.run(
        [*command, *map(str, options)], capture_output=True, text=True, timeout=300,
        stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


@contextlib.contextmanager
def occupied_port():
    """A port of the loopback address that somebody else listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@contextlib.contextmanager
def unanswered_port():
    """A port of the loopback address that nobody listens on, and that nobody else gets meanwhile: it is bound."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
