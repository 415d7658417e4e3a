"""Echo on Python `websockets`, and a broadcast on /broadcast, as a peer to measure beside.

    websockets_echo.py PORT [on|off]

permessage-deflate is on with the package's own defaults, or off.
"""

import asyncio
import sys

import websockets
from websockets.asyncio.server import broadcast, serve

members = set()


async def talk(socket):
    try:
        if socket.request.path != "/broadcast":
            async for message in socket:
                await socket.send(message)
            return
        members.add(socket)
        async for message in socket:
            broadcast(members, message)
    except websockets.ConnectionClosed:
        pass
    finally:
        members.discard(socket)


async def main(port, compression):
    async with serve(
            talk, "127.0.0.1", port, compression=compression, ping_interval=None, max_size=2**24, backlog=4096):
        await asyncio.get_running_loop().create_future()


def run(main):
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


run(main(int(sys.argv[1]), None if sys.argv[2:] == ["off"] else "deflate"))
