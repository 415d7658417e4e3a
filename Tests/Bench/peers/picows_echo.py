"""Echo on `picows`, and a broadcast on /broadcast, as a peer to measure beside. It has no compression.

    picows_echo.py PORT
"""

import asyncio
import sys

from picows import WSListener, WSMsgType, ws_create_server

members = set()


class Echo(WSListener):
    def on_ws_frame(self, transport, frame):
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview())


class Broadcast(Echo):
    def on_ws_connected(self, transport):
        members.add(transport)

    def on_ws_disconnected(self, transport):
        members.discard(transport)

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == WSMsgType.CLOSE:
            return super().on_ws_frame(transport, frame)
        payload = frame.get_payload_as_bytes()
        for member in members:
            member.send(frame.msg_type, payload)


def listener(request):
    path = request.path.decode() if isinstance(request.path, bytes) else request.path
    return Broadcast() if path == "/broadcast" else Echo()


async def main(port):
    server = await ws_create_server(listener, "127.0.0.1", port)
    await server.serve_forever()


def run(main):
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)


run(main(int(sys.argv[1])))
