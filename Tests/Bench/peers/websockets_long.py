"""One long message on Python `websockets`, as a peer to measure beside.

    websockets_long.py PORT on|off FILE

A path with a query gets the file as one message of fragments of 64 KiB; any other is received in pieces.
permessage-deflate is on with the package's own defaults, or off.
"""

import asyncio
import sys

import websockets
from websockets.asyncio.server import serve


async def pieces(path):
    with open(path, "rb") as file:
        while piece := file.read(65_536):
            yield piece


async def talk(socket):
    try:
        if "?" in socket.request.path:
            return await socket.send(pieces(sys.argv[3]))
        while True:
            count = 0
            async for piece in socket.recv_streaming():
                count += len(piece)
            await socket.send(str(count))
    except websockets.ConnectionClosed:
        pass


async def main(port, compression):
    async with serve(talk, "127.0.0.1", port, compression=compression, ping_interval=None, max_size=2**34):
        await asyncio.get_running_loop().create_future()


def run(main):
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


run(main(int(sys.argv[1]), None if sys.argv[2] == "off" else "deflate"))
