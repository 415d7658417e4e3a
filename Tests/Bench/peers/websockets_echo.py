"""Echo on Python `websockets` with its own defaults for permessage-deflate, as a peer to measure beside.

    websockets_echo.py PORT
"""

import asyncio
import sys

import websockets
from websockets.asyncio.server import serve


async def echo(socket):
    try:
        async for message in socket:
            await socket.send(message)
    except websockets.ConnectionClosed:
        pass


async def main(port):
    async with serve(echo, "127.0.0.1", port, ping_interval=None, max_size=2**24, backlog=4096):
        await asyncio.get_running_loop().create_future()


asyncio.run(main(int(sys.argv[1])))
