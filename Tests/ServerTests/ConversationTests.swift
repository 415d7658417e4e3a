import HTTPProtocol
import Testing
import WebSocketHost
import WebSocketProtocol

private let echo = WebSocketHandler { socket in
    for try await message in socket { try await socket.send(message) }
}

@Suite("A conversation over a real socket")
struct ConversationTests {
    static let boundaryLengths = [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20]

    @Test("messages of every length form come back", arguments: boundaryLengths)
    func lengths(_ byteCount: Int) async throws {
        let text = String(repeating: "é", count: byteCount / 2) + (byteCount % 2 == 1 ? "x" : "")
        try await TestServer(echo).run { port in
            let client = try TestClient(port)
            try client.send(text)
            #expect(try client.message() == .text(text))
            let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0) }
            try client.send(.binary(bytes))
            #expect(try client.message() == .binary(bytes))
        }
    }

    @Test("a thousand messages in one piece come back in order")
    func burst() async throws {
        try await TestServer(echo).run { port in
            let client = try TestClient(port)
            for number in 0..<1_000 { try client.send("\(number)") }
            for number in 0..<1_000 { #expect(try client.text() == "\(number)") }
        }
    }

    @Test("fragments with a Ping between them are one message, and the Pong comes first")
    func fragments() async throws {
        try await TestServer(echo).run { port in
            let client = try TestClient(port)
            try client.sendFragment(.text, Array("Hel".utf8), isFinal: false)
            try client.ping([1, 2, 3])
            try client.sendFragment(.text, Array("lo".utf8), isFinal: true)
            #expect(try client.event() == .pong([1, 2, 3]))
            #expect(try client.event() == .message(.text("Hello")))
        }
    }

    @Test("a message piece by piece, mixed with a Ping")
    func pieces() async throws {
        let handler = WebSocketHandler { socket in
            try await socket.send("Hel", end: false)
            async let answerTime = socket.ping([7])
            try await socket.send("lo", end: true)
            _ = try await answerTime
            await #expect(throws: ConnectionError.notSendable(.kindChangedInsideMessage)) {
                try await socket.send("text", end: false)
                try await socket.send([1], end: true)
            }
            try await socket.send("", end: true)
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            var messages: [Message] = []
            while messages.count < 2 {
                switch try client.event() {
                case .ping(let payload): try client.pong(payload)
                case .message(let message): messages.append(message)
                default: break
                }
            }
            #expect(messages == [.text("Hello"), .text("text")])
            #expect(try client.closeReceived() == Close(.normalClosure))
        }
    }

    @Test("a Ping is answered while the handler is busy elsewhere")
    func pingWhileBusy() async throws {
        let release = Signal<Void>()
        let handler = WebSocketHandler { socket in
            _ = await release.next()
            try await socket.send("done")
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            try client.send("unread")
            try client.ping([9])
            #expect(try client.event() == .pong([9]))
            release.send(())
            #expect(try client.text() == "done")
        }
    }

    @Test("receive(timeout:) gives up and the connection goes on")
    func receiveTimeout() async throws {
        let handler = WebSocketHandler { socket in
            await #expect(throws: ConnectionError.timedOut) {
                try await socket.receive(timeout: .milliseconds(20))
            }
            try await socket.send("ready")
            #expect(try await socket.receive(timeout: .seconds(30)) == .text("hello"))
            #expect(try await socket.receive() == nil)
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "ready")
            try client.send("hello")
            try client.sendClose()
            #expect(try client.closeReceived() == Close(.normalClosure))
            #expect(try client.endsCleanly())
        }
    }

    @Test("a cancelled receive gives up and the connection goes on")
    func cancelledReceive() async throws {
        let handler = WebSocketHandler { socket in
            await withTaskGroup(of: ConnectionError?.self) { group in
                group.addTask {
                    do throws(ConnectionError) {
                        _ = try await socket.receive()
                        return nil
                    } catch {
                        return error
                    }
                }
                group.cancelAll()
                #expect(await group.next() == .cancelled)
            }
            try await socket.send("still here")
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            #expect(try client.text() == "still here")
            #expect(try client.closeReceived().code == .normalClosure)
        }
    }

    @Test("other tasks send while one receives; frames never mix")
    func concurrentSenders() async throws {
        let handler = WebSocketHandler { socket in
            await withTaskGroup(of: Void.self) { group in
                for sender in 0..<8 {
                    group.addTask {
                        for number in 0..<50 { try? await socket.send("\(sender) \(number)") }
                    }
                }
                // One that runs on no loop at all.
                group.addTask {
                    await Task.detached {
                        for number in 0..<50 { try? await socket.send("8 \(number)") }
                    }.value
                }
            }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            var last = [Int](repeating: -1, count: 9)
            for _ in 0..<450 {
                let words = try client.text().split(separator: " ").compactMap { Int($0) }
                #expect(words.count == 2 && last[words[0]] + 1 == words[1])
                last[words[0]] = words[1]
            }
            #expect(try client.closeReceived().code == .normalClosure)
        }
    }

    @Test("send waits for a client that reads late")
    func slowReader() async throws {
        let handler = WebSocketHandler { socket in
            let piece = [UInt8](repeating: 42, count: 1 << 20)
            for _ in 0..<16 { try await socket.send(piece) }
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            for _ in 0..<16 {
                guard case .binary(let bytes) = try client.message() else {
                    throw TestClientError.ended
                }
                #expect(bytes.count == 1 << 20)
            }
        }
    }

    @Test("long messages that the socket was not asked for yet are no queue")
    func longMessagesWithinTheLimit() async throws {
        var configuration = Configuration()
        configuration.connection.sendQueueByteLimit = 100_000
        let handler = WebSocketHandler { socket in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { try? await socket.send([UInt8](repeating: 1, count: 60_000)) }
                }
            }
            try await socket.send("all")
        }
        try await TestServer(configuration, handler).run { port in
            let client = try TestClient(port)
            for _ in 0..<4 {
                guard case .binary(let bytes) = try client.message() else {
                    throw TestClientError.ended
                }
                #expect(bytes.count == 60_000)
            }
            guard case .text("all") = try client.message() else { throw TestClientError.ended }
        }
    }

    @Test("what waits for one client is limited when several tasks send at once")
    func sendQueueLimit() async throws {
        var configuration = Configuration()
        configuration.connection.sendQueueByteLimit = 4 << 20
        let hasRefused = Gate()
        let handler = WebSocketHandler { socket in
            let piece = [UInt8](repeating: 1, count: 1 << 20)
            let failed = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        do throws(ConnectionError) {
                            try await socket.send(piece)
                            return false
                        } catch {
                            guard case .sendQueueFull = error else { return false }
                            hasRefused.open()
                            return true
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try await socket.send("\(failed)")
        }
        try await TestServer(configuration, handler).run { port in
            let client = try TestClient(port)
            // A client that read from the start could keep up, and nothing would have to wait.
            hasRefused.block()
            var received = 0
            while true {
                switch try client.message() {
                case .binary: received += 1
                case .text(let failed):
                    #expect(received + (Int(failed) ?? 0) == 64)
                    #expect(received < 64)
                    return
                }
            }
        }
    }

    @Test("reading stops while the handler does not receive, and nothing is lost")
    func backPressure() async throws {
        let release = Signal<Void>()
        let handler = WebSocketHandler { socket in
            _ = await release.next()
            var count = 0
            while count < 3_000, try await socket.receive() != nil { count += 1 }
            try await socket.send("\(count)")
        }
        try await TestServer(handler).run { port in
            let client = try TestClient(port)
            for _ in 0..<3_000 { try client.send(String(repeating: "x", count: 100)) }
            release.send(())
            #expect(try client.text() == "3000")
        }
    }

    @Test("connections are dealt out over several loops")
    func severalLoops() async throws {
        try await TestServer(echo, threads: 3).run { port in
            let clients = try (0..<30).map { _ in try TestClient(port) }
            for (number, client) in clients.enumerated() { try client.send("\(number)") }
            for (number, client) in clients.enumerated() {
                #expect(try client.text() == "\(number)")
            }
        }
    }
}
