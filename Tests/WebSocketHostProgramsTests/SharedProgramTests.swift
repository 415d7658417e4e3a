import EventLoop
import Glibc
import Testing
import WebSocketClient
import WebSocketHost
import WebSocketHostPrograms
import WebSocketProtocol

@Suite("A program for all connections of a path")
struct SharedProgramTests {
    private func serve(
        _ program: WebSocketHandler,
        _ body: (_ server: Server, _ port: UInt16) async throws -> Void
    ) async throws {
        var configuration = Configuration()
        configuration.host = "127.0.0.1"
        configuration.port = 0
        configuration.threadCount = 1
        configuration.connection.closeTimeout = .milliseconds(50)
        var routes = Routes()
        routes.add("/shared", program)
        let server = try Server(configuration, routes: routes, log: Log(level: .critical))
        let port = try server.start()[0].port
        defer {
            server.forceStop()
            server.waitUntilStopped()
        }
        try await body(server, port)
    }

    @Test("a client that closes in the moment in which it comes has left, for the program too")
    func leavesAtOnce() async throws {
        try await serve(.sharedProgram("/bin/cat")) { _, port in
            let url = "ws://127.0.0.1:\(port)/shared"
            let socket = try await WebSocketClient(.patient).connect(url)
            let own = try await number(of: "open", from: socket)
            // Handshake and Close in one segment: the handler begins with what has ended already.
            let other = try sendAtOnce(
                """
                GET /shared HTTP/1.1\r
                Host: localhost\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
                Sec-WebSocket-Version: 13\r
                \r

                """.utf8 + [0x88, 0x80, 0, 0, 0, 0], to: port)
            defer { close(other) }
            let opened = try await number(of: "open", from: socket)
            #expect(opened != own)
            #expect(try await number(of: "close", from: socket) == opened)
        }
    }

    @Test("so has one that is gone while the program reads nothing")
    func leavesUnread() async throws {
        let stopping = ["-c", "echo 0 stops $$; kill -STOP $$; exec cat"]
        try await serve(.sharedProgram("/bin/sh", stopping)) { server, port in
            let url = "ws://127.0.0.1:\(port)/shared"
            let socket = try await WebSocketClient(.patient).connect(url)
            var stopped: pid_t?
            while stopped == nil,
                case .text(let line)? = try await socket.receive(timeout: .seconds(300))
            {
                stopped = line.split(separator: " ").last.flatMap { pid_t($0) }
            }
            let pid = try #require(stopped)
            let client = WebSocketClient(.patient)
            let other = try await client.connect(url)
            // More than the pipe holds, so that a write waits when its task is cancelled.
            for _ in 0..<6 { try await other.send(String(repeating: "x", count: 40_000)) }
            client.stop()
            while server.openConnectionCount > 1 { try await Task.sleep(for: .milliseconds(5)) }
            kill(pid, SIGCONT)
            let own = try await number(of: "open", from: socket)
            let opened = try await number(of: "open", from: socket)
            #expect(opened != own)
            #expect(try await number(of: "close", from: socket) == opened)
        }
    }

    /// Waits for the line that tells this of a connection.
    private func number(of event: String, from socket: WebSocket) async throws -> Substring? {
        while case .text(let line)? = try await socket.receive(timeout: .seconds(300)) {
            let words = line.split(separator: " ")
            if words.count > 1 && words[1] == event { return words[0] }
        }
        return nil
    }

    private func sendAtOnce(_ bytes: [UInt8], to port: UInt16) throws -> Int32 {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafeBytes(of: address) {
            connect(
                fd, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        try #require(connected == 0)
        try #require(send(fd, bytes, bytes.count, 0) == bytes.count)
        return fd
    }
}

extension ClientConfiguration {
    /// For tests that share the machine with others, which may keep it busy for long.
    fileprivate static var patient: Self {
        var configuration = Self()
        configuration.connectTimeout = .seconds(300)
        return configuration
    }
}
