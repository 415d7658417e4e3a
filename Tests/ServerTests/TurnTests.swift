import Glibc
import HTTPProtocol
import Synchronization
import Testing
import WebSocketHost
import WebSocketProtocol

@Suite("What one turn of the loop finds")
struct TurnTests {
    @Test("reading goes on after Pings of ours held it up")
    func readsOnAfterPings() async throws {
        let isHeldUp = Signal<Void>()
        let handler = WebSocketHandler { socket in
            if try await socket.receive() == .text("held up") { return isHeldUp.send(()) }
            _ = await isHeldUp.next()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<600 {
                    group.addTask { try await socket.ping([UInt8](repeating: 0, count: 125)) }
                }
                // So that the Pings are in the queue, and not yet sent.
                await Task.yield()
                var count = 1
                while count < 3_000, try await socket.receive() != nil { count += 1 }
                group.cancelAll()
                try await socket.send("\(count)")
                await socket.abort()
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            // In one piece, so that reading stops in the midst of it.
            try client.write(
                [[UInt8]](repeating: [0x81, 0x80, 0, 0, 0, 0], count: 3_000).flatMap(\.self))
            let other = try TestClient(port)
            try other.send("held up")
            #expect(try client.text() == "3000")
        }
    }

    @Test("a handler that sends without end to a quick client leaves the others their turn")
    func endlessSender() async throws {
        let hasStopped = Atomic<Bool>(false)
        let handler = WebSocketHandler { socket in
            if try await socket.receive() == .text("stop") {
                return hasStopped.store(true, ordering: .sequentiallyConsistent)
            }
            let piece = [UInt8](repeating: 0, count: 1_024)
            while !hasStopped.load(ordering: .sequentiallyConsistent) {
                try await socket.send(piece)
                // So that the client keeps up.
                for _ in 0..<8 { sched_yield() }
            }
        }
        try await TestServer(handler).run { port in
            let other = try TestClient(port)
            let reader = try TestClient(port)
            try reader.send("flood")
            _ = try reader.message()
            try other.send("stop")
            #expect(try reader.closeReceived() == Close(.normalClosure))
        }
    }

    private final class Count: Sendable {
        let value = Mutex(0)
    }

    @Test("so does one whose messages are almost nothing when compressed")
    func compressingSender() async throws {
        let handler = WebSocketHandler { socket in
            let count = Count()
            // Runs as soon as the loop has a turn for it.
            async let countAtTurn = count.value.withLock { $0 }
            let piece = [UInt8](repeating: 0, count: 65_536)
            for _ in 0..<100 {
                try await socket.send(piece)
                count.value.withLock { $0 += 1 }
            }
            try await socket.send("\(await countAtTurn)")
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port, offering: [ExtensionOffer("permessage-deflate")])
            try client.compress(CompressionSettings())
            for _ in 0..<100 { _ = try client.message() }
            // 256 KiB, and what goes over them.
            let countAtTurn = try client.text()
            #expect(["1", "2", "3", "4", "5"].contains(countAtTurn))
        }
    }

    @Test("raw bytes wait for the client too")
    func unsafeWriteWaits() async throws {
        let ended = Signal<ConnectionError?>()
        let handler = WebSocketHandler { socket in
            let piece = [UInt8](repeating: 0, count: 1 << 20)
            ended.send(
                await failure { () async throws(ConnectionError) in
                    while true {
                        #expect(await socket.queuedByteCount <= 65_536)
                        try await socket.unsafeWrite(piece)
                    }
                })
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            for _ in 0..<100 { _ = try client.readSome() }
            client.reset()
        }
        #expect(await ended.next() == .lost)
    }

    @Test(
        "nothing is looked at after abort(), and the handler is cancelled after the close time-out")
    func nothingAfterAbort() async throws {
        var configuration = Configuration()
        configuration.connection.closeTimeout = .milliseconds(50)
        let leftOver = Signal<Message?>()
        let handler = WebSocketHandler { socket in
            _ = try await socket.receive()
            await socket.abort()
            try? await Task.sleep(for: .seconds(3_600))
            var last: Message?
            while let message = try? await socket.receive() { last = message }
            leftOver.send(last)
        }
        try await TestServer(configuration, handler).run { port in
            let client = try TestClient(port)
            var bytes: [UInt8] = []
            for number in UInt8(0)..<100 { bytes += [0x82, 0x81, 0, 0, 0, 0, number] }
            try client.write(bytes + [0x88, 0x80, 0, 0, 0, 0])
            #expect(throws: (any Error).self) { try client.event() }
        }
        #expect(await leftOver.next() != .some(.binary([99])))
    }

    @Test("a plain request is answered to a client that has ended its half")
    func halfClosedRequest() async throws {
        let gate = Gate()
        let handler = WebSocketHandler { socket in
            _ = try await socket.receive()
            gate.block()
        }
        try await TestServer(handler).run { port in
            let blocking = try TestClient(port)
            try blocking.send("block")
            gate.waitUntilBlocked()
            let client = try TestClient(tcp: port)
            try client.write(Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            client.halfClose()
            gate.open()
            #expect(try client.readHead().status == .ok)
        }
    }

    @Test("a Close with the end of the stream right behind it is a Close")
    func closeThenEnd() async throws {
        let gate = Gate()
        let ended = Signal<ConnectionError?>()
        let handler = WebSocketHandler { socket in
            _ = try await socket.receive()
            gate.block()
            ended.send(
                await failure { () async throws(ConnectionError) in
                    for try await message in socket { try await socket.send(message) }
                })
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.send("block")
            gate.waitUntilBlocked()
            try client.send("last")
            try client.sendClose(Close(3000))
            client.halfClose()
            gate.open()
            #expect(try client.text() == "last")
            #expect(try client.closeReceived() == Close(3000))
            #expect(try client.endsCleanly())
        }
        #expect(await ended.next() == .some(nil))
    }

    @Test("passiveClosingHandshake answers too when the handler returns before it")
    func hookWhenHandlerReturns() async throws {
        let handler = WebSocketHandler(
            transferData: { socket in _ = try await socket.receive() },
            passiveClosingHandshake: { _ in
                await Task.yield()
                return Close(4000)
            })
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.write([0x82, 0x80, 0, 0, 0, 0, 0x88, 0x80, 0, 0, 0, 0])
            #expect(try client.closeReceived() == Close(4000))
        }
    }

    @Test("passiveClosingHandshake that does not return is cancelled after the close time-out")
    func endlessHook() async throws {
        var configuration = Configuration()
        configuration.connection.closeTimeout = .milliseconds(50)
        let cancelled = Signal<Void>()
        let handler = WebSocketHandler(
            transferData: { socket in while try await socket.receive() != nil {} },
            passiveClosingHandshake: { close in
                try? await Task.sleep(for: .seconds(3_600))
                cancelled.send(())
                return close
            })
        try await TestServer(configuration, handler).run { port in
            let client = try TestClient(port)
            try client.sendClose()
            #expect(throws: (any Error).self) { try client.event() }
        }
        #expect(await cancelled.next() != nil)
    }
}
