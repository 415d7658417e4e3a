"""The same bytes through our Session and through other implementations: all must say the same.

    differential.py [--cases N] [--seed N] [--replay PROGRAM]

Random sequences of frames, valid and not, go to a server or a client in the middle of a connection. Each
implementation answers with the messages, Pings, Pongs and Close it saw and the close code it fails the
connection with, if it does. Where another one is known to differ, a row of DIFFERENCES says how and why;
each row has to be met, so that none outlives its reason. The program is built by Tests/Fuzzing/run --replay.

Needs the packages websockets and wsproto. Exit code 1: an unexplained difference.
"""

import argparse
import codecs
import collections
import importlib.metadata
import json
import logging
import pathlib
import random
import re
import struct
import subprocess
import sys
import typing

from websockets import frames as websockets_frames
from websockets import protocol as websockets_protocol
from wsproto import frame_protocol

SERVER, CLIENT = 0, 1
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN = 0x80
SHOWN = 10


class Case(typing.NamedTuple):
    role: int
    limit: int
    data: bytes


class Outcome(typing.NamedTuple):
    events: list  # ["text", hex] …, ["close", code or None, hex]
    failure: typing.Optional[int]


# --- The implementations --------------------------------------------------------------------------


def ours(program, cases):
    records = b"".join(
        struct.pack("<BII", case.role, case.limit, len(case.data)) + case.data for case in cases)
    result = subprocess.run([program], input=records, stdout=subprocess.PIPE, timeout=120, check=True)
    lines = result.stdout.splitlines()
    assert len(lines) == len(cases), f"{len(lines)} lines for {len(cases)} inputs"
    return [Outcome(**json.loads(line)) for line in lines]


class Joiner:
    """Joins the pieces of messages, which both libraries leave to their caller."""

    def __init__(self):
        self.events, self.kind, self.parts = [], None, []

    def add(self, kind, part, is_final):
        if kind is not None:
            self.kind, self.parts = kind, []
            self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.parts.append(part)
        if self.kind == "text":
            self.decoder.decode(part, is_final)  # raises UnicodeDecodeError
        if is_final:
            self.events.append([self.kind, b"".join(self.parts).hex()])


def websockets(case):
    """websockets' Protocol: gives frames, answers them by itself, and does not look into text."""
    side = websockets_protocol.CLIENT if case.role == CLIENT else websockets_protocol.SERVER
    protocol = websockets_protocol.Protocol(side, max_size=case.limit)
    protocol.receive_data(case.data)
    joiner = Joiner()
    try:
        for frame in protocol.events_received():
            if frame.opcode in (PING, PONG):
                joiner.events.append([frame.opcode.name.lower(), bytes(frame.data).hex()])
            elif frame.opcode == CLOSE:
                close = websockets_frames.Close.parse(frame.data)
                joiner.events.append(
                    ["close", close.code if frame.data else None, close.reason.encode().hex()])
            else:
                kind = None if frame.opcode == CONTINUATION else frame.opcode.name.lower()
                joiner.add(kind, bytes(frame.data), frame.fin)
    except UnicodeDecodeError:
        return Outcome(joiner.events, 1007)
    failed = protocol.parser_exc is not None
    return Outcome(joiner.events, int(protocol.close_sent.code) if failed else None)


def wsproto(case):
    """wsproto's FrameProtocol, a layer below Connection, which reports a fault like a Close frame."""
    protocol = frame_protocol.FrameProtocol(case.role == CLIENT, [])
    protocol.receive_bytes(case.data)
    joiner, begins = Joiner(), True
    try:
        for frame in protocol.received_frames():
            if frame.opcode in (PING, PONG):
                joiner.events.append([frame.opcode.name.lower(), bytes(frame.payload).hex()])
            elif frame.opcode == CLOSE:
                code, reason = frame.payload
                code = None if code == 1005 else int(code)
                joiner.events.append(["close", code, reason.encode().hex()])
            else:
                part = frame.payload.encode() if frame.opcode == TEXT else bytes(frame.payload)
                is_final = frame.frame_finished and frame.message_finished
                joiner.add(frame.opcode.name.lower() if begins else None, part, is_final)
                begins = is_final
    except frame_protocol.ParseFailed as error:
        return Outcome(joiner.events, int(error.code))
    return Outcome(joiner.events, None)


# --- Known differences ----------------------------------------------------------------------------


class Frame(typing.NamedTuple):
    opcode: int
    is_final: bool
    count: int  # announced bytes of payload
    payload: bytes
    is_whole: bool
    is_minimal: bool


def frames(data):
    """Takes the bytes apart by the lengths they announce, without judging them."""
    offset = 0
    while offset + 2 <= len(data):
        first, second = data[offset:offset + 2]
        size = {126: 2, 127: 8}.get(second & 0x7F, 0)
        key_start = offset + 2 + size
        start = key_start + (4 if second & 0x80 else 0)
        if key_start > len(data):
            break
        count = int.from_bytes(data[offset + 2:key_start], "big") if size else second & 0x7F
        key, payload, offset = data[key_start:start], data[start:start + count], start + count
        if len(key) == 4:
            payload = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
        yield Frame(first & 0xF, bool(first & FIN), count, payload, offset <= len(data),
                    count >= {0: 0, 2: 126, 8: 65536}[size])
    if offset < len(data):
        yield Frame(CONTINUATION, False, 0, b"", False, True)


def begins_with(longer, shorter):
    return longer.events[:len(shorter.events)] == shorter.events


def ends_inside_frame(case):
    parts = list(frames(case.data))
    return bool(parts) and not parts[-1].is_whole


def fails_sooner(case, our, their):
    return their.failure is None and our.events == their.events and ends_inside_frame(case)


def fails_later(case, our, their):
    return our.failure is None and their.failure == 1009 and our.events == their.events \
        and ends_inside_frame(case)


def takes_long_form(case, our, their):
    parts = frames(case.data)
    return our.failure == 1002 and begins_with(their, our) and any(not part.is_minimal for part in parts)


def refuses_close_inside_message(case, our, their):
    return (our.failure is None and their.failure == 1002 and our.events[:-1] == their.events
            and our.events[-1][0] == "close" and is_message_open(case))


def is_message_open(case):
    """Whether the first Close frame comes before the end of a message."""
    is_open = False
    for frame in frames(case.data):
        if frame.opcode == CLOSE:
            return is_open
        if frame.opcode < CLOSE:
            is_open = not frame.is_final
    return False


def decodes_reason_first(case, our, their):
    return our.failure == 1002 and their.failure == 1007 and our.events == their.events and any(
        frame.opcode == CLOSE and not is_utf8(frame.payload[2:]) for frame in frames(case.data))


def is_utf8(data):
    try:
        return data.decode() is not None
    except UnicodeDecodeError:
        return False


def checks_size_first(case, our, their):
    return our.failure == 1002 and their.failure == 1009 and our.events == their.events


def limits_control_frames(case, our, their):
    if their.failure != 1009 or not begins_with(our, their):
        return False
    received = 0
    for frame in frames(case.data):
        if frame.opcode >= CLOSE and received + frame.count > case.limit:
            return True
        if frame.opcode < CLOSE:
            received = 0 if frame.is_final else received + frame.count
    return False


def waits_for_surrogate(case, our, their):
    if our.failure != 1007 or not begins_with(their, our):
        return False
    message = b""
    for frame in frames(case.data):
        if frame.opcode < CLOSE:
            message += frame.payload
            if re.search(b"\xed[\xa0-\xbf]$", message):
                return True
            message = b"" if frame.is_final else message
    return False


def has_no_limit(case, our, their):
    return our.failure == 1009 and begins_with(their, our)


def refuses_1014(case, our, their):
    return their.failure == 1002 and begins_with(our, their) and any(
        frame.opcode == CLOSE and frame.payload[:2] == b"\x03\xf6" for frame in frames(case.data))


DIFFERENCES = [
    # name, library, test, why ours is as it is
    ("fails sooner", websockets, fails_sooner,
     "It reads a frame whole before it judges it; we fail at the byte that is wrong."),
    ("fails sooner", wsproto, fails_sooner,
     "It reads the length before it judges the reserved bits and the mask."),
    ("fails later", websockets, fails_later,
     "It judges a length before the masking key has come, which ours reads as one header."),
    ("waits for surrogate", websockets, waits_for_surrogate,
     "Python's decoder waits for the third byte of ED A0…BF, which no byte can make valid."),
    ("waits for surrogate", wsproto, waits_for_surrogate,
     "The same."),
    ("takes long form", websockets, takes_long_form,
     "It takes lengths in more bytes than needed; RFC 6455 §5.2: the minimal number MUST be used."),
    ("refuses Close inside message", websockets, refuses_close_inside_message,
     "RFC 6455 §5.4 lets control frames stand between fragments, Close too."),
    ("decodes reason first", websockets, decodes_reason_first,
     "A Close that is wrong in code and reason: either code may be answered."),
    ("checks size first", websockets, checks_size_first,
     "A frame that is too big and wrong in another way: either code may be answered."),
    ("limits control frames", websockets, limits_control_frames,
     "It holds Ping, Pong and Close to what the message in progress has left."),
    ("has no limit", wsproto, has_no_limit,
     "It leaves the message limit to its caller."),
    ("refuses 1014", wsproto, refuses_1014,
     "1014 was registered after RFC 6455; its list ends at 1013."),
]


# --- Random frames --------------------------------------------------------------------------------

TEXTS = [
    b"", b"Hello", "aé€😀".encode(), "aé€😀".encode()[:-1], b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90", b"\xff"]
CODES = [
    0, 999, 1000, 1001, 1003, 1004, 1005, 1006, 1007, 1011, 1012, 1013, 1014, 1015, 1016, 2999, 3000, 4999,
    5000, 65535]
COUNTS = [0, 1, 15, 16, 17, 124, 125, 126, 127, 200]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, one_in):
        return self.random.randrange(one_in) == 0

    def case(self):
        role = self.random.choice((SERVER, CLIENT))
        limit = self.random.choice((1 << 20, 1 << 20, 300, 16))
        parts = []
        for _ in range(self.random.randint(1, 5)):
            parts += self.message(role)
        data = bytearray(b"".join(parts))
        if self.chance(8):
            data[self.random.randrange(len(data))] = self.random.randrange(256)
        if self.chance(8):
            del data[self.random.randrange(len(data)):]
        return Case(role, limit, bytes(data))

    def message(self, role):
        kind = self.random.randrange(10)
        if kind == 0:
            return [self.frame(role, FIN | CLOSE, self.close_payload())]
        if kind == 1:
            return [self.frame(role, FIN | self.random.choice((PING, PONG)), self.payload())]
        if kind == 2:  # any first byte: reserved bits and opcodes
            return [self.frame(role, self.random.randrange(256), self.payload())]
        if kind < 6:
            return [self.frame(role, FIN | self.random.choice((TEXT, BINARY)), self.payload())]
        opcode, payload = self.random.choice((TEXT, BINARY)), self.payload()
        count = self.random.randint(2, 4)
        cuts = sorted(self.random.randint(0, len(payload)) for _ in range(count - 1))
        pieces = [payload[start:end] for start, end in zip([0] + cuts, cuts + [len(payload)])]
        parts = []
        for index, piece in enumerate(pieces):
            fin = FIN if index == count - 1 else 0
            parts.append(self.frame(role, fin | (CONTINUATION if index else opcode), piece))
            if self.chance(4):
                parts.append(self.frame(role, FIN | self.random.choice((PING, PONG, CLOSE)), b""))
        return parts

    def payload(self):
        if self.chance(3):
            return self.random.randbytes(self.random.choice(COUNTS))
        if self.chance(200):
            return b"a" * self.random.choice((65535, 65536))
        texts = TEXTS[:3] if self.chance(2) else TEXTS
        return b"".join(self.random.choices(texts, k=self.random.randint(0, 4)))

    def close_payload(self):
        if self.chance(4):
            return self.random.randbytes(self.random.randint(0, 3))
        return struct.pack(">H", self.random.choice(CODES)) + self.random.choice(TEXTS)

    def frame(self, role, first, payload):
        count, size = len(payload), 0
        if count >= 126 or self.chance(60):
            size = 2
        if count >= 65536 or self.chance(60):
            size = 8
        if self.chance(100):
            size, count = 8, self.random.getrandbits(64) >> self.random.randrange(64)
        masks = (role == SERVER) != self.chance(60)
        mask = 0x80 if masks else 0
        head = bytes([first, mask | {0: count, 2: 126, 8: 127}[size]]) + (count.to_bytes(size, "big") if size else b"")
        if not masks:
            return head + payload
        key = self.random.randbytes(4)
        return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


# --- Comparison -----------------------------------------------------------------------------------


def explanation(library, case, our, their):
    """The row of DIFFERENCES that explains it; nothing if they differ without a reason."""
    for row in DIFFERENCES:
        if row[1] is library and row[2](case, our, their):
            return row
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay")
    options = parser.parse_args()
    logging.disable()
    run = pathlib.Path(__file__).resolve().parent.parent / "Fuzzing" / "run"
    program = options.replay or subprocess.run(
        [run, "--replay"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    generator = Generator(options.seed)
    cases = [generator.case() for _ in range(options.cases)]
    outcomes = ours(program, cases)
    failures = collections.Counter(str(outcome.failure) for outcome in outcomes)
    events = sum(len(outcome.events) for outcome in outcomes)
    print(f"{len(cases)} inputs, {events} events, failures: {dict(failures)}")
    unexplained = 0
    for library in (websockets, wsproto):
        met = collections.Counter()
        for case, our in zip(cases, outcomes):
            their = library(case)
            if their == our:
                continue
            row = explanation(library, case, our, their)
            if row:
                met[row[0]] += 1
                continue
            unexplained += 1
            if unexplained <= SHOWN:
                print(f"{library.__name__}: {'client' if case.role else 'server'}, limit {case.limit}\n"
                      f"  bytes  {case.data[:200].hex()}\n  theirs {their}\n  ours   {our}")
        print(f"{library.__name__} {importlib.metadata.version(library.__name__)}: known differences {dict(met)}")
        for name, of, _, _ in DIFFERENCES:
            if of is library and not met[name] and options.cases >= 10_000:
                unexplained += 1
                print(f"  {name}: not met, so the row can go")
    print(f"{unexplained} unexplained")
    return bool(unexplained)


sys.exit(main())
