"""--messages-per-second over real sockets. MessageRateTests has the rest, on a clock that it moves."""

import time

from authoring import save
from wire import DEADLINE, HANDLERS, PING, PONG, TEXT, Wire, close_body, frame


def test_a_client_that_sends_more_waits(start_server):
    server = start_server("--messages-per-second", 20, "--message-burst", 10, "--ping-interval", 0.3, "--ping-timeout",
                          5, handlers=HANDLERS)
    with Wire.open(server) as wire:
        began = time.monotonic()
        wire.send(b"".join(frame(TEXT, f"{number}") for number in range(50)))
        received = []
        while len(received) < 50:
            if (one := wire.frame()).opcode == PING:  # keep-alive goes on; the answer waits to be read
                wire.send_frame(PONG, one.payload)
            else:
                received.append(int(one.payload))
        # 10 at once, one that is owed; each of the others waits for 50 ms.
        assert time.monotonic() - began >= 39 * 0.05 - 0.05
        assert received == list(range(50))
    server.wait_for_line("slowed /echo 127.0.0.1:")
    with Wire.open(server) as wire:  # each connection by itself
        wire.echo()


def test_a_client_whose_kernel_is_full_is_not_taken_for_dead(start_server):
    """What waits in its own kernel and ours is far more than is read within the two time-outs."""
    server = start_server("--messages-per-second", 20, "--ping-interval", 1, "--ping-timeout", 1, handlers=HANDLERS)
    with Wire.open(server, "/count") as wire:
        wire.socket.setblocking(False)
        data = b"".join(frame(TEXT, "x" * 1_000) for _ in range(20_000))
        sent, began = 0, time.monotonic()
        while time.monotonic() < began + 5:
            try:
                sent += wire.socket.send(data[sent:sent + 65_536])
            except BlockingIOError:
                time.sleep(0.05)
        assert 1_000_000 < sent < len(data)
        wire.socket.settimeout(DEADLINE)
        assert not any("ping time-out" in line for line in server.stderr_lines())
        wire.reset()


def test_a_handler_may_close_instead(start_server, tmp_path):
    save(tmp_path, "strict_wsh.swift", """import WebSocketHost

public let handler = WebSocketHandler(messageRate: MessageRate(1, burst: 3, excess: .closes)) { socket in
    for try await message in socket { try await socket.send(message) }
}
""")
    save(tmp_path, "free_wsh.swift", """import WebSocketHost

public let handler = WebSocketHandler(messageRate: .unlimited) { socket in
    for try await message in socket { try await socket.send(message) }
}
""")
    server = start_server("--messages-per-second", 1, handlers=tmp_path)
    with Wire.open(server, "/strict") as wire:
        wire.send(b"".join(frame(TEXT, f"{number}") for number in range(5)))
        assert [wire.text() for _ in range(3)] == ["0", "1", "2"]
        code, reason = wire.close_frame()
        assert (code, reason) == (1008, "more than 1 message a second (--messages-per-second)")
        wire.send_frame(8, close_body(1008))
        wire.assert_end()
    server.wait_for_line("closed /strict 127.0.0.1:")
    with Wire.open(server, "/free") as wire:
        for number in range(100):
            wire.echo(f"{number}")
