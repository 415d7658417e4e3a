import EventLoop
import Foundation
import HTTPProtocol
import TestSupport
import Testing
import WebSocketHost
import WebSocketProtocol

@testable import WebSocketClient

/// `wss://`, from this client to this server.
@Suite("RFC 6455 §3, §4.1: wss", .timeLimit(.minutes(3)))
struct SecureTests {
    /// Sends what the server knows of the client.
    private static let telling = WebSocketHandler { socket in
        let tls = socket.request.tls
        try await socket.send("\(tls?.version ?? "none") \(tls?.peerSubject ?? "-")")
        for try await message in socket { try await socket.send(message) }
    }

    private let localhost: SelfSignedCertificate
    private let trusted: String

    init() throws {
        localhost = try SelfSignedCertificate(names: ["localhost", "127.0.0.1"])
        trusted = try TemporaryFiles.write(localhost.certificatePEM, ".pem")
    }

    private func run(
        _ tls: TLSClientConfiguration,
        authentication: TLSConfiguration.ClientAuthentication = .none,
        _ body: @escaping @Sendable (WebSocketClient, String) async throws -> Void
    ) async throws {
        var configuration = Configuration()
        (configuration.host, configuration.port, configuration.threadCount) = ("127.0.0.1", 0, 1)
        var serverTLS = TLSConfiguration([.selfSigned(localhost)])
        serverTLS.clientAuthentication = authentication
        configuration.tls = serverTLS
        var routes = Routes()
        routes.add("/test", Self.telling)
        let server = try Server(configuration, routes: routes, log: Log(level: .critical))
        let port = try server.start()[0].port
        var clientConfiguration = ClientConfiguration.patient
        clientConfiguration.tls = tls
        let client = WebSocketClient(clientConfiguration, log: Log(level: .critical))
        defer {
            server.forceStop()
            server.waitUntilStopped()
            client.stop()
        }
        try await body(client, "wss://127.0.0.1:\(port)/test")
    }

    private func trusting(_ path: String) -> TLSClientConfiguration {
        var tls = TLSClientConfiguration()
        tls.trust = .file(path)
        return tls
    }

    @Test("messages of all lengths", arguments: [0, 125, 16_384, 65_536, 1 << 20])
    func echo(byteCount: Int) async throws {
        try await run(trusting(trusted)) { client, url in
            let message = Message.binary((0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            try await client.withConnection(to: url) { socket in
                #expect(socket.request.isSecure)
                #expect(socket.request.tls?.peerSubject == "CN=localhost")
                #expect(try await socket.receive() == .text("TLSv1.3 -"))
                try await socket.send(message)
                #expect(try await socket.receive() == message)
                try await socket.close()
            }
        }
    }

    @Test func clientCertificate() async throws {
        let alice = try SelfSignedCertificate(names: ["alice"])
        var tls = trusting(trusted)
        tls.identity = .selfSigned(alice)
        let authorities = try TemporaryFiles.write(alice.certificatePEM, ".pem")
        try await run(tls, authentication: .required(authorities: authorities)) { client, url in
            let socket = try await client.connect(url)
            #expect(try await socket.receive() == .text("TLSv1.3 CN=alice"))
            try await socket.close()
        }
        try await run(trusting(trusted), authentication: .required(authorities: authorities)) {
            client, url in
            await #expect("a certificate is missing") { try await client.connect(url) } throws: {
                error in
                guard case .tls(let reason) = error as? ConnectError else { return false }
                return "\(reason)".contains("certificate required")
            }
        }
    }

    @Test func untrusted() async throws {
        let untrusted = try TemporaryFiles.write(SelfSignedCertificate().certificatePEM, ".pem")
        for tls in [TLSClientConfiguration(), trusting(untrusted)] {
            try await run(tls) { client, url in
                await #expect("no trust") { try await client.connect(url) } throws: { error in
                    guard case .tls(.handshakeFailed(let reason)) = error as? ConnectError else {
                        return false
                    }
                    return reason.contains("certificate verify failed")
                }
            }
        }
        try await run(.trustsAnyCertificate) { client, url in
            try await client.connect(url).close()
        }
    }

    @Test func unreadableTrust() async throws {
        try await run(trusting("/nowhere/ca.pem")) { client, url in
            await #expect("no such file") { try await client.connect(url) } throws: { error in
                guard case .tlsFile(let reason) = error as? ConnectError else { return false }
                return reason.path == "/nowhere/ca.pem"
            }
        }
    }

    @Test("wss to a server that speaks no TLS, and ws to one that does")
    func mixedUp() async throws {
        let server = try CannedServer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        try await run(.trustsAnyCertificate) { client, url in
            await #expect("no TLS") {
                try await client.connect("wss" + server.url.dropFirst(2))
            } throws: { error in
                if case .tls(.handshakeFailed) = error as? ConnectError { true } else { false }
            }
            await #expect("TLS only") {
                try await client.connect("ws" + url.dropFirst(3))
            } throws: { error in
                guard case .refused(let head, let body) = error as? ConnectError else {
                    return false
                }
                return head.status == .badRequest
                    && String(decoding: body, as: UTF8.self).contains("wss://")
            }
        }
    }

    @Test(
        "the port that is not given, and the Host field",
        arguments: [
            ("wss://example.com/", 443, "example.com"),
            ("wss://example.com:443/", 443, "example.com"),
            ("wss://example.com:80/", 80, "example.com:80"),
            ("ws://example.com/", 80, "example.com"),
            ("ws://example.com:443/", 443, "example.com:443"),
            ("WSS://example.com/x", 443, "example.com"),
        ])
    func place(_ url: String, _ port: UInt16, _ authority: String) throws {
        let place = try Place(url)
        #expect(place.port == port && place.authority == authority)
        #expect(place.isSecure == url.lowercased().hasPrefix("wss"))
    }
}
