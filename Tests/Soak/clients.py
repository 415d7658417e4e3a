"""Clients that do all as they should, and notice everything that they should not have to notice."""

import asyncio
import collections
import random
import time

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from soaked import is_running

# Within this time an answer has to come: blocked threads and machines that do other things included.
ANSWER_TIMEOUT = 30
# Until the process of a connection that broke is gone, if that is why it broke.
END_TIMEOUT = 20


class WellBehaved:
    """Numbered messages to /ledger, one after the other; the next when one was acknowledged.

    A connection may break only when its process ended. Then the client connects again, and sends the message that
    was not acknowledged once more.
    """

    def __init__(self, server, name, counts, faults):
        self.server, self.name, self.counts, self.faults = server, name, counts, faults
        self.acknowledged = 0
        self.is_connected = False

    async def run(self, is_over):
        while not is_over.is_set():
            pid = None
            try:
                began = time.monotonic()
                async with connect(
                        self.server.url("/ledger"), compression=None, open_timeout=ANSWER_TIMEOUT,
                        close_timeout=ANSWER_TIMEOUT, ping_interval=10, ping_timeout=ANSWER_TIMEOUT) as socket:
                    pid = int(await asyncio.wait_for(socket.recv(), ANSWER_TIMEOUT))
                    self.server.processes.add(pid)
                    self.counts["connections"] += 1
                    self._note_wait("longest connect", began)
                    self.is_connected = True
                    await self._talk(socket, is_over)
            except TimeoutError:
                self.faults.append(f"{self.name}: no answer within {ANSWER_TIMEOUT} s by process {pid}")
            except (ConnectionClosed, InvalidHandshake, OSError, EOFError) as error:
                await self._broken(pid, error, is_over)
            finally:
                self.is_connected = False

    async def _talk(self, socket, is_over):
        while not is_over.is_set():
            text = f"{self.name} {self.acknowledged + 1}"
            began = time.monotonic()
            await socket.send(text)
            answer = await asyncio.wait_for(socket.recv(), ANSWER_TIMEOUT)
            self._note_wait("longest answer", began)
            if answer != text:
                self.faults.append(f"{self.name}: {answer!r} is the answer to {text!r}")
                return
            self.acknowledged += 1
            self.counts["acknowledged"] += 1
            await asyncio.sleep(random.uniform(0.1, 0.5))

    async def _broken(self, pid, error, is_over):
        if pid is None:  # of the handshake: which process had it is not known
            self.counts["handshakes that broke"] += 1
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status is not None:
                self.faults.append(f"{self.name}: refused with {status}")
            return await asyncio.sleep(0.05)
        deadline = time.monotonic() + END_TIMEOUT
        while is_running(pid) and time.monotonic() < deadline and not is_over.is_set():
            await asyncio.sleep(0.05)
        if is_over.is_set():
            return
        if is_running(pid):
            self.faults.append(f"{self.name}: dropped by process {pid}, which still runs: {error}")
        self.counts["connections of processes that ended"] += 1

    def _note_wait(self, name, began):
        self.counts[name] = max(self.counts[name], time.monotonic() - began)


def missing_messages(ledger, clients):
    """Acknowledged messages that are not in the file."""
    seen = collections.defaultdict(set)
    for line in ledger.read_text().splitlines():
        name, number = line.split()
        seen[name].add(int(number))
    return [
        f"{client.name} {number}" for client in clients for number in range(1, client.acknowledged + 1)
        if number not in seen[client.name]]
