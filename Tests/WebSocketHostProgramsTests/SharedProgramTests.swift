import EventLoop
import Glibc
import Testing
import WebSocketClient
import WebSocketHost
import WebSocketHostPrograms
import WebSocketProtocol

@Suite("A program for all connections of a path")
struct SharedProgramTests {
    @Test("a client that closes in the moment in which it comes has left, for the program too")
    func leavesAtOnce() async throws {
        var configuration = Configuration()
        configuration.host = "127.0.0.1"
        configuration.port = 0
        configuration.threadCount = 1
        var routes = Routes()
        routes.add("/cat", .sharedProgram("/bin/cat"))
        let server = try Server(configuration, routes: routes, log: Log(level: .critical))
        let port = try server.start()[0].port
        defer {
            server.forceStop()
            server.waitUntilStopped()
        }
        let socket = try await WebSocketClient().connect("ws://127.0.0.1:\(port)/cat")
        let own = try await number(of: "open", from: socket)
        // Handshake and Close in one segment: the handler begins with what has ended already.
        let other = try sendAtOnce(
            """
            GET /cat HTTP/1.1\r
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

    /// Waits for the line that tells this of a connection.
    private func number(of event: String, from socket: WebSocket) async throws -> Substring? {
        while case .text(let line)? = try await socket.receive(timeout: .seconds(60)) {
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
