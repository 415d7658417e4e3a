"""Clients of PyPI. Prints a line for each thing: its name, ok, - or FAIL, and what was wrong; tabs between.

    python_clients.py NAME URL
"""

import asyncio
import ssl
import struct
import sys
from urllib.parse import urlsplit

from things import CLOSES, LIMIT, MESSAGES, PARTS, PING, THINGS, Impossible, check_close, check_deflate, check_same

WHOLE = "".join(PARTS)


def tls_context(url):
    """For clients that are given one. It trusts what SSL_CERT_FILE names, as the others do by themselves."""
    return ssl.create_default_context() if urlsplit(url).scheme == "wss" else None


async def use_websockets(url, thing):
    from websockets.asyncio.client import connect
    compression = "deflate" if thing == "deflate" else None
    async with connect(url, compression=compression, max_size=None, open_timeout=LIMIT, proxy=None) as client:
        check_deflate(client.protocol.extensions, thing)
        if thing in MESSAGES:
            await client.send(MESSAGES[thing])
            check_same(await client.recv(), MESSAGES[thing])
        elif thing == "frag":
            await client.send(iter(PARTS))
            check_same(await client.recv(), WHOLE)
        elif thing == "ping":
            await (await client.ping(PING))
        else:
            await client.close(*CLOSES[thing])
            close = client.protocol.close_rcvd
            check_close((close.code, close.reason) if close else (None, None), CLOSES[thing])


async def use_websocket_client(url, thing):
    import websocket
    from websocket import ABNF
    if thing == "deflate":
        raise Impossible
    client = websocket.create_connection(url, timeout=LIMIT, enable_multithread=False)
    try:
        check_deflate(client.headers.get("sec-websocket-extensions"), thing)
        if thing in MESSAGES:
            send = client.send_binary if isinstance(MESSAGES[thing], bytes) else client.send
            send(MESSAGES[thing])
            check_same(client.recv(), MESSAGES[thing])
        elif thing == "frag":
            for index, part in enumerate(PARTS):
                opcode = ABNF.OPCODE_CONT if index else ABNF.OPCODE_TEXT
                client.send_frame(ABNF.create_frame(part.encode(), opcode, int(part is PARTS[-1])))
            check_same(client.recv(), WHOLE)
        elif thing == "ping":
            client.ping(PING)
            opcode, frame = client.recv_data_frame(True)
            check_same((opcode, bytes(frame.data)), (ABNF.OPCODE_PONG, PING))
        else:
            code, reason = CLOSES[thing]
            client.send_close(code, reason.encode())
            frame = client.recv_frame()
            check_same(frame.opcode, ABNF.OPCODE_CLOSE)
            body = bytes(frame.data)
            received = (struct.unpack("!H", body[:2])[0], body[2:].decode()) if body else (None, None)
            check_close(received, CLOSES[thing])
    finally:
        client.shutdown()


async def use_aiohttp(url, thing):
    import aiohttp
    if thing == "frag":
        raise Impossible
    compress = 15 if thing == "deflate" else 0
    async with aiohttp.ClientSession() as session, session.ws_connect(
            url, compress=compress, max_msg_size=0, autoping=False) as client:
        check_deflate(client.compress, thing)
        if thing in MESSAGES:
            send = client.send_bytes if isinstance(MESSAGES[thing], bytes) else client.send_str
            await send(MESSAGES[thing])
            check_same((await client.receive(LIMIT)).data, MESSAGES[thing])
        elif thing == "ping":
            await client.ping(PING)
            message = await client.receive(LIMIT)
            check_same((message.type, bytes(message.data)), (aiohttp.WSMsgType.PONG, PING))
        else:
            code, reason = CLOSES[thing]
            await client.close(code=code, message=reason.encode())
            check_close((client.close_code if client.close_code != 1006 else None, None), CLOSES[thing])


async def use_tornado(url, thing):
    from tornado import websocket
    if thing == "frag":
        raise Impossible
    client = await websocket.websocket_connect(
        url, compression_options={} if thing == "deflate" else None, max_message_size=1 << 30)
    check_deflate(client.headers.get("Sec-WebSocket-Extensions"), thing)
    if thing in MESSAGES:
        await client.write_message(MESSAGES[thing], binary=isinstance(MESSAGES[thing], bytes))
        check_same(await client.read_message(), MESSAGES[thing])
        client.close()
    elif thing == "ping":
        pong = asyncio.get_running_loop().create_future()
        client.on_pong = lambda payload: pong.done() or pong.set_result(payload)
        client.protocol.write_ping(PING)
        check_same(await pong, PING)
        client.close()
    else:
        client.close(*CLOSES[thing])
        check_same(await client.read_message(), None)
        check_close((client.close_code, client.close_reason), CLOSES[thing])


class WsprotoClient:
    """The connection around wsproto, which only knows bytes and events."""

    async def open(self, url, extensions):
        from wsproto import ConnectionType, WSConnection
        from wsproto.events import AcceptConnection, Request
        address = urlsplit(url)
        self.reader, self.writer = await asyncio.open_connection(
            address.hostname, address.port, ssl=tls_context(url))
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self.send(Request(host=address.netloc, target=address.path or "/", extensions=extensions))
        return await self.event(AcceptConnection)

    def send(self, event):
        self.writer.write(self.protocol.send(event))

    async def event(self, kind):
        while (event := next(self.protocol.events(), None)) is None:
            self.protocol.receive_data(await self.reader.read(65_536) or None)
        if not isinstance(event, kind):
            raise AssertionError(f"got {event!r:.60}")
        return event

    async def message(self, empty):
        from wsproto.events import Message
        parts, is_finished = [], False
        while not is_finished:
            event = await self.event(Message)
            parts.append(event.data if isinstance(empty, str) else bytes(event.data))
            is_finished = event.message_finished
        return empty.join(parts)


async def use_wsproto(url, thing):
    from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
    from wsproto.extensions import PerMessageDeflate
    client = WsprotoClient()
    accepted = await client.open(url, [PerMessageDeflate()] if thing == "deflate" else [])
    try:
        check_deflate(accepted.extensions, thing)
        if thing in MESSAGES:
            message = MESSAGES[thing]
            client.send((BytesMessage if isinstance(message, bytes) else TextMessage)(data=message))
            check_same(await client.message(message[:0]), message)
        elif thing == "frag":
            for part in PARTS:
                client.send(TextMessage(data=part, message_finished=part is PARTS[-1]))
            check_same(await client.message(""), WHOLE)
        elif thing == "ping":
            client.send(Ping(payload=PING))
            check_same(bytes((await client.event(Pong)).payload), PING)
        else:
            client.send(CloseConnection(*CLOSES[thing]))
            close = await client.event(CloseConnection)
            check_close((int(close.code), close.reason or ""), CLOSES[thing])
            check_same(await client.reader.read(1), b"")
    finally:
        client.writer.close()


async def use_picows(url, thing):
    import picows
    from picows import WSMsgType
    if thing == "deflate":
        raise Impossible
    received = asyncio.Queue()

    class Listener(picows.WSListener):
        def __init__(self):
            self.payload, self.kind = bytearray(), None

        def on_ws_frame(self, transport, frame):
            if frame.msg_type == WSMsgType.PONG:
                received.put_nowait(frame.get_payload_as_bytes())
            elif frame.msg_type == WSMsgType.CLOSE:
                reason = frame.get_close_message() or b""
                reason = reason if isinstance(reason, str) else bytes(reason).decode()
                received.put_nowait((int(frame.get_close_code()), reason))
                transport.disconnect()
            else:
                self.kind = frame.msg_type if frame.msg_type != WSMsgType.CONTINUATION else self.kind
                self.payload += frame.get_payload_as_bytes()
                if frame.fin:
                    whole, self.payload = bytes(self.payload), bytearray()
                    received.put_nowait(whole if self.kind == WSMsgType.BINARY else whole.decode())

    client, _ = await picows.ws_connect(Listener, url, max_frame_size=1 << 26, ssl_context=tls_context(url))
    try:
        check_deflate(client.response.headers.get("Sec-WebSocket-Extensions"), thing)
        if thing in MESSAGES:
            message = MESSAGES[thing]
            if isinstance(message, bytes):
                client.send(WSMsgType.BINARY, message)
            else:
                client.send(WSMsgType.TEXT, message.encode())
            check_same(await received.get(), message)
        elif thing == "frag":
            for index, part in enumerate(PARTS):
                opcode = WSMsgType.CONTINUATION if index else WSMsgType.TEXT
                client.send(opcode, part.encode(), fin=part is PARTS[-1])
            check_same(await received.get(), WHOLE)
        elif thing == "ping":
            client.send_ping(PING)
            check_same(await received.get(), PING)
        else:
            code, reason = CLOSES[thing]
            client.send_close(picows.WSCloseCode(code) if code == 1000 else code, reason.encode())
            check_close(await received.get(), CLOSES[thing])
    finally:
        client.disconnect()


async def use_autobahn(url, thing):
    from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol
    from autobahn.websocket.compress import (
        PerMessageDeflateOffer, PerMessageDeflateResponse, PerMessageDeflateResponseAccept)
    loop = asyncio.get_running_loop()
    opened, received, ended = loop.create_future(), asyncio.Queue(), loop.create_future()

    class Client(WebSocketClientProtocol):
        def onConnect(self, response):
            self.agreed = response.extensions

        def onOpen(self):
            opened.set_result(None)

        def onMessage(self, payload, is_binary):
            received.put_nowait(bytes(payload) if is_binary else payload.decode())

        def onPong(self, payload):
            received.put_nowait(bytes(payload))

        def onClose(self, was_clean, code, reason):
            if not opened.done():
                opened.set_exception(ConnectionError(str(reason)))
            if not ended.done():
                ended.set_result((code if was_clean else None, reason or ""))

    def accept(response):
        is_right = isinstance(response, PerMessageDeflateResponse)
        return PerMessageDeflateResponseAccept(response) if is_right else None

    factory = WebSocketClientFactory(url)
    factory.protocol = Client
    factory.setProtocolOptions(openHandshakeTimeout=LIMIT, closeHandshakeTimeout=LIMIT)
    if thing == "deflate":
        factory.setProtocolOptions(
            perMessageCompressionOffers=[PerMessageDeflateOffer()], perMessageCompressionAccept=accept)
    address = urlsplit(url)
    _, client = await loop.create_connection(factory, address.hostname, address.port, ssl=tls_context(url))
    await opened
    check_deflate(client.agreed, thing)
    if thing in MESSAGES:
        message = MESSAGES[thing]
        is_binary = isinstance(message, bytes)
        client.sendMessage(message if is_binary else message.encode(), is_binary)
        check_same(await received.get(), message)
    elif thing == "frag":
        client.sendMessage(WHOLE.encode(), False, fragmentSize=5)
        check_same(await received.get(), WHOLE)
    elif thing == "ping":
        client.sendPing(PING)
        check_same(await received.get(), PING)
    expected = CLOSES.get(thing, (1000, "done"))
    client.sendClose(*expected)
    check_close(await ended, expected)


CLIENTS = {
    "websockets": use_websockets, "websocket-client": use_websocket_client, "aiohttp": use_aiohttp,
    "tornado": use_tornado, "wsproto": use_wsproto, "picows": use_picows, "autobahn": use_autobahn}


def main(name, url):
    for thing in THINGS:
        try:
            asyncio.run(asyncio.wait_for(CLIENTS[name](url, thing), LIMIT))
            result, note = "ok", ""
        except Impossible:
            result, note = "-", ""
        except ImportError as error:
            print(f"*\tabsent\t{error}")
            return
        except Exception as error:
            result, note = "FAIL", f"{type(error).__name__}: {error}"
        print(thing, result, " ".join(note.split())[:150], sep="\t", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
