"""Topics of several server processes: what is published in one of them reaches the members in all."""

import itertools
import os
import signal
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from authoring import BUILD_TIMEOUT, echo, save, wait_for_answer
from wire import DEADLINE, TEXT, Wire, freeze, is_running, wait_until

ROOM = """import Glibc
import WebSocketHost

/// `subscribe TOPIC [POLICY]`, `publish TOPIC TEXT`, `count TOPIC`, `trap`.
public let handler = WebSocketHandler { socket in
    for try await case .text(let text) in socket {
        let words = text.split(separator: " ", maxSplits: 2).map(String.init)
        switch words[0] {
        case "subscribe":
            let policy = words.count > 2 ? SlowSubscriberPolicy(rawValue: words[2]) : nil
            try await socket.subscribe(to: words[1], slow: policy)
            try await socket.send("subscribed \\(getpid())")
        case "publish":
            socket.publish(words[2], to: words[1])
        case "count":
            try await socket.send("\\(socket.topics.subscriberCount(of: words[1]))")
        case "trap":
            let numbers = [1, 2, 3]
            try await socket.send("\\(numbers[words.count + 5])")
        default:
            try await socket.send("\\(getpid())")
        }
    }
}
"""

FEED = """import Glibc
import WebSocketHost

public let handler = WebSocketHandler(feed: { serving in
    for number in 0... {
        serving.publish("\\(getpid()) \\(number)", to: "feed")
        try await serving.sleep(for: .milliseconds(10))
    }
}, transferData: { _ in })
"""

# More than there are changes in any test, so that no process of before is ended for being the oldest.
KEEP_ALL = ("--max-old-generations", "60")


@pytest.fixture(scope="module")
def handlers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handlers")
    save(folder, "room_wsh.swift", ROOM)
    save(folder, "echo_wsh.swift", echo(0))
    save(folder, "feed_wsh.swift", FEED)
    return folder


class Member:
    """A client that is subscribed, and keeps what it gets, by publisher."""

    def __init__(self, server, topic="t", policy=""):
        self.socket = connect(
            server.url("/room"), open_timeout=DEADLINE, close_timeout=1, compression=None, max_size=None)
        self.socket.send(f"subscribe {topic} {policy}".strip())
        word, pid = self.socket.recv(DEADLINE).split()
        assert word == "subscribed"
        self.pid = int(pid)
        self.numbers, self.closed, self.failure = {}, None, None
        # Publishers as they followed each other.
        self.turns = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            while True:
                publisher, number, *_ = self.socket.recv().split()
                if self.turns[-1:] != [publisher]:
                    self.turns.append(publisher)
                self.numbers.setdefault(publisher, []).append(int(number))
        except ConnectionClosed as error:
            self.closed = (error.rcvd.code if error.rcvd else None,)
        except Exception as error:  # a test fails for it
            self.failure = repr(error)

    def last(self, publisher):
        numbers = self.numbers.get(publisher)
        return numbers[-1] if numbers else None

    def wait_for(self, publisher, number):
        wait_until(lambda: self.last(publisher) == number, DEADLINE, lambda: (
            f"{self.pid}: {publisher} {number} did not come, but {self.last(publisher)}; {self.closed} {self.failure}"))

    def assert_whole(self, publisher, *, first, last):
        """No gap, nothing twice, from `first` at the latest up to `last`."""
        numbers = list(self.numbers.get(publisher, []))
        assert numbers, f"{self.pid} got nothing of {publisher}"
        assert numbers == list(range(numbers[0], last + 1)), f"{self.pid}, {publisher}: {gaps(numbers)} up to {last}"
        assert numbers[0] <= first, f"{self.pid} missed the first of {publisher}: {numbers[0]}, not {first}"

    def close(self):
        self.socket.close()
        self._thread.join(DEADLINE)


def gaps(numbers):
    return [(a, b) for a, b in itertools.pairwise(numbers) if b != a + 1]


class Publisher:
    """Publishes numbers, so many a second, until it is stopped."""

    names = (f"p{number}" for number in itertools.count())

    def __init__(self, server, per_second=50, topic="t", payload=""):
        self.name = next(self.names)
        self.topic, self.payload = topic, payload
        self.next = 0
        self.socket = connect(server.url("/room"), open_timeout=DEADLINE, close_timeout=1, compression=None)
        self.socket.send("process")
        self.pid = int(self.socket.recv(DEADLINE))
        self._pause, self._is_over = 1 / per_second, threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self._thread.start()

    def _publish(self):
        try:
            while not self._is_over.wait(self._pause):
                number, self.next = self.next, self.next + 1
                self.socket.send(f"publish {self.topic} {self.name} {number} {self.payload}")
        except (ConnectionClosed, OSError):
            pass

    @property
    def last(self):
        return self.next - 1

    def stop(self):
        """The number of the last publication, which the server has carried out."""
        self._is_over.set()
        self._thread.join(DEADLINE)
        self.socket.send("process")
        self.socket.recv(DEADLINE)
        self.socket.close()
        return self.last


def ask(server, text):
    with connect(server.url("/room"), open_timeout=DEADLINE, close_timeout=1, compression=None) as socket:
        socket.send(text)
        return socket.recv(DEADLINE)


def change_over(server):
    """A new process serves; its number."""
    before = ask(server, "process")
    server.signal(signal.SIGHUP)
    return int(wait_until(lambda: (now := ask(server, "process")) != before and now, BUILD_TIMEOUT))


def test_twenty_saves(start_server, handlers):
    """Members in every generation; publishers in the first one, and in the newest. 100 publications a second."""
    server = start_server("--watch", *KEEP_ALL, handlers=handlers)
    steady = Publisher(server)
    members = [Member(server)]
    firsts, past = [{steady.name: steady.next}], []
    newest = Publisher(server)
    for version in range(1, 21):
        save(handlers, "echo_wsh.swift", echo(version))
        wait_for_answer(server, f"{version} x")
        member = Member(server)
        # Whoever has been told that it is subscribed misses nothing that is published from then on.
        firsts.append({steady.name: steady.next, newest.name: newest.next})
        members.append(member)
        if version % 2:
            past.append((newest.name, newest.stop()))
            newest = Publisher(server)
    lasts = dict([*past, (newest.name, newest.stop()), (steady.name, steady.stop())])
    assert len({member.pid for member in members}) == 21
    for index, (member, first) in enumerate(zip(members, firsts)):
        for name in [steady.name, newest.name] + [name for name, _ in past][index // 2:]:
            # A publisher may have ended when the member had just subscribed.
            if first.get(name, 0) <= lasts[name]:
                member.wait_for(name, lasts[name])
                member.assert_whole(name, first=first.get(name, 0), last=lasts[name])
        assert set(member.numbers) <= set(lasts) and member.closed is None and member.failure is None
    assert ask(server, "count t") == str(len(members))
    assert not [line for line in server.stderr_lines() if " warning " in line or " error " in line]
    for member in members:
        member.close()
    wait_until(lambda: ask(server, "count t") == "0")


def test_trap(start_server, handlers):
    """Loses the members of its own process; those of an older one hear the next one as they heard it."""
    server = start_server(*KEEP_ALL, handlers=handlers)
    old = Member(server)
    steady = Publisher(server)
    change_over(server)
    lost, trapping = Member(server), Publisher(server)
    assert lost.pid == trapping.pid != old.pid
    wait_until(lambda: old.last(trapping.name))
    with connect(server.url("/room"), open_timeout=DEADLINE, compression=None) as socket:
        socket.send("trap")
        wait_until(lambda: lost.closed)
    assert lost.closed == (None,)
    wait_until(lambda: int(ask(server, "process")) not in (old.pid, lost.pid))
    new, newest = Member(server), Publisher(server)
    first = steady.next
    wait_until(lambda: newest.next > 20)
    last, last_of_newest = steady.stop(), newest.stop()
    for member in (old, new):
        member.wait_for(steady.name, last)
        member.wait_for(newest.name, last_of_newest)
        member.assert_whole(newest.name, first=0, last=last_of_newest)
    old.assert_whole(steady.name, first=0, last=last)
    new.assert_whole(steady.name, first=first, last=last)
    assert not gaps(old.numbers[trapping.name]) and trapping.name not in new.numbers
    wait_until(lambda: ask(server, "count t") == "2")
    assert old.closed is None and new.closed is None


def test_kill(start_server, handlers):
    """In the middle of whatever it sends: the others get what came whole, and go on."""
    server = start_server(*KEEP_ALL, handlers=handlers)
    killed = [Publisher(server, per_second=5_000, payload="x" * 30_000) for _ in range(3)]
    old = killed[0].pid
    change_over(server)
    member, publisher = Member(server, policy="skip-newest"), Publisher(server)
    wait_until(lambda: all(member.last(other.name) for other in killed))
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: not is_running(old))
    first = publisher.next
    wait_until(lambda: publisher.next > first + 20)
    last = publisher.stop()
    member.wait_for(publisher.name, last)
    for other in killed:
        numbers = member.numbers[other.name]
        assert numbers == sorted(set(numbers))
    numbers = [number for number in member.numbers[publisher.name] if number >= first]
    assert numbers == list(range(first, last + 1))
    assert member.closed is None and member.failure is None
    assert int(ask(server, "process")) == member.pid


def test_stopped_process(start_server, handlers):
    """Nobody waits for it, not even a process that starts; its members get their policy's word when it goes on."""
    server = start_server(*KEEP_ALL, handlers=handlers)
    closing, skipping = Member(server), Member(server, policy="skip-newest")
    old = closing.pid
    change_over(server)
    member = Member(server)
    freeze(old)
    try:
        # More than sockets and queues take, in portions that a member who reads has no trouble with.
        with Wire.open(server, "/room") as wire:
            for number in range(120):
                wire.send_frame(TEXT, f"publish t big {number} " + "x" * 100_000)
                if number % 4 == 3:
                    member.wait_for("big", number)
        member.assert_whole("big", first=0, last=119)
        server.wait_for_line("does not read what is published here")
        began = time.monotonic()
        newest = change_over(server)
        assert time.monotonic() - began < DEADLINE
        server.wait_for_line("an older server process does not answer")
        assert closing.closed is None and "big" not in closing.numbers
    finally:
        os.kill(old, signal.SIGCONT)
    wait_until(lambda: closing.closed)
    assert closing.closed == (1013,)
    got = closing.numbers["big"]
    assert got == list(range(len(got))) and 0 < len(got) < 120
    # Others hear it again, and it hears them, also the process that came while it was stopped.
    late, publisher = Member(server), Publisher(server)
    assert late.pid == publisher.pid == newest
    wait_until(lambda: publisher.next > 20)
    last = publisher.stop()
    for each in (late, member):
        each.wait_for(publisher.name, last)
        each.assert_whole(publisher.name, first=0, last=last)
    skipping.wait_for(publisher.name, last)
    got = skipping.numbers["big"]
    assert got == sorted(set(got)) and len(got) < 120
    assert skipping.closed is None and member.closed is None


def test_counts(start_server, handlers):
    """Subscribers in all processes are counted, those of a process that starts later too."""
    server = start_server(*KEEP_ALL, handlers=handlers)
    old = [Member(server, topic) for topic in ("a", "a", "b")]
    change_over(server)
    new = Member(server, "a")
    assert new.pid != old[0].pid
    wait_until(lambda: ask(server, "count a") == "3" and ask(server, "count b") == "1")
    with connect(server.url("/room"), open_timeout=DEADLINE, compression=None) as socket:
        change_over(server)
        wait_until(lambda: ask(server, "count a") == "3" and ask(server, "count b") == "1")
        old[0].close()
        new.close()
        wait_until(lambda: ask(server, "count a") == "1")
        old[1].close()
        old[2].close()
        # The process has ended with its last connection.
        wait_until(lambda: not is_running(old[0].pid))
        wait_until(lambda: ask(server, "count a") == ask(server, "count b") == "0")

        def count():
            socket.send("count b")
            return socket.recv(DEADLINE)
        wait_until(lambda: count() == "0")


def test_feed(start_server, handlers):
    """Runs once over all processes: after a change-over in the newest one, after a trap or a kill in the next."""
    server = start_server(*KEEP_ALL, handlers=handlers)
    member = Member(server, "feed")
    pids = [member.pid]

    def is_running_in(pid):
        wait_until(lambda: len(member.numbers.get(str(pid), ())) > 10, DEADLINE, lambda: member.turns)

    is_running_in(member.pid)
    for end in ("change", "change", "trap", "change", "kill"):
        if end == "change":
            pids.append(change_over(server))
        else:
            if end == "kill":
                os.kill(pids[-1], signal.SIGKILL)
            else:
                with connect(server.url("/room"), open_timeout=DEADLINE, compression=None) as socket:
                    socket.send("trap")
                    with pytest.raises(ConnectionClosed):
                        socket.recv(DEADLINE)
            pids.append(int(wait_until(lambda: (now := quietly_ask(server)) not in (None, str(pids[-1])) and now)))
        is_running_in(pids[-1])
    assert member.turns == [str(pid) for pid in pids], "one after the other, and never two at a time"
    for pid, numbers in member.numbers.items():
        assert not gaps(numbers) and (numbers[0] == 0 or pid == str(member.pid)), "it began before the member came"
    # One that cannot end its feed does not keep the next one from beginning.
    freeze(pids[-1])
    try:
        pids.append(change_over_from(server))
        is_running_in(pids[-1])
        server.wait_for_line(f"the feeds of the server process {pids[-2]} have not ended within 5 s")
    finally:
        os.kill(pids[-2], signal.SIGCONT)


def quietly_ask(server):
    try:
        return ask(server, "process")
    except (OSError, TimeoutError, ConnectionClosed):
        return None


def change_over_from(server):
    """The number of the process that takes the place of a stopped one, which answers nobody."""
    def now():
        with connect(server.url("/room"), open_timeout=1, close_timeout=0.1, compression=None) as socket:
            socket.send("process")
            return int(socket.recv(1))

    def quietly():
        try:
            return now()
        except (OSError, TimeoutError, ConnectionClosed):
            return None
    server.signal(signal.SIGHUP)
    return wait_until(quietly, BUILD_TIMEOUT)
