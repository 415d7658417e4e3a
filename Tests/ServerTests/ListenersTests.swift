import EventLoop
import HTTPProtocol
import Testing
import WebSocketHost

@Suite("Several listeners of one server")
struct ListenersTests {
    private static func configuration() throws -> Configuration {
        var configuration = Configuration()
        configuration.threadCount = 1
        configuration.tls = TLSConfiguration([.selfSigned(try SelfSignedCertificate())])
        configuration.listeners = [
            ListenerSettings(host: "127.0.0.1", port: 0),
            ListenerSettings(host: "127.0.0.1", port: 0, isSecure: true),
        ]
        return configuration
    }

    @Test("one is plain, the other speaks TLS, and both are found by their place in the list")
    func both() async throws {
        let server = try Server(Self.configuration(), log: Log(level: .critical))
        try server.route("/test", WebSocketHandler { try await $0.send("\($0.request.isSecure)") })
        #expect(server.addresses(ofListener: 0).isEmpty)
        let all = try server.start()
        defer {
            server.forceStop()
            server.waitUntilStopped()
        }
        let plain = server.addresses(ofListener: 0)
        let secure = server.addresses(ofListener: 1)
        #expect(plain.count == 1 && secure.count == 1 && all == plain + secure)
        #expect(server.addresses(ofListener: 2).isEmpty)
        let (plainPort, securePort) = (plain[0].port, secure[0].port)
        let (text, status) = try await onThread { () throws -> (String, Int?) in
            let text = try TestClient(plainPort).text()
            do {
                _ = try TestClient(securePort)
                return (text, nil)
            } catch TestClientError.refused(let head) {
                return (text, head.status.code)
            }
        }
        #expect(text == "false" && status == 400)
    }

    @Test("connections of a socket that no listener has are closed: it may have spoken TLS")
    func unknown() async throws {
        var configuration = try Self.configuration()
        let sockets = try Server.listeningSockets(configuration)
        let securePort = try #require(sockets.last).address.port
        // As a new server process has them whose settings have less than the supervisor's had.
        configuration.listeners.removeLast()
        configuration.tls = nil
        let server = try Server(configuration, log: Log(level: .critical))
        try server.route("/test", WebSocketHandler { try await $0.send("plain") })
        try server.start(on: sockets)
        defer {
            server.forceStop()
            server.waitUntilStopped()
        }
        let text = try await onThread { try? TestClient(securePort).text() }
        #expect(text == nil)
        #expect(try await onThread { try TestClient(sockets[0].address.port).text() } == "plain")
    }

    @Test("without a certificate nothing is opened")
    func noCertificate() throws {
        var configuration = try Self.configuration()
        configuration.tls = nil
        let server = try Server(configuration, log: Log(level: .critical))
        #expect {
            try server.start()
        } throws: { error in
            if case .certificateMissing = error as? ListenError { true } else { false }
        }
    }

    @Test("a port that is in use is blamed on its listener, and the other is closed again")
    func inUse() throws {
        let taken = try Server.listeningSockets(Self.configuration())
        defer { for socket in taken { socket.close() } }
        var configuration = try Self.configuration()
        configuration.listeners[1].address = .internet(
            host: "127.0.0.1", port: taken[1].address.port)
        configuration.listeners[1].option = "--tls-port"
        #expect {
            try Server.listeningSockets(configuration)
        } throws: { error in
            guard case .addressInUse(let address, let option) = error as? ListenError else {
                return false
            }
            return address == taken[1].address && option == "--tls-port"
        }
        #expect(taken.map(\.listenerIndex) == [0, 1])
    }
}
