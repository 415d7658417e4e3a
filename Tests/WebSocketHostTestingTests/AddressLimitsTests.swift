import Testing
import WebSocketHostTesting

/// Limits of one client's address, on a clock that the test moves. `address_limits_test.py` has
/// them over real sockets and processes.
@Suite("Limits of addresses")
struct AddressLimitsTests {
    private static let echo = WebSocketHandler { socket in
        for try await message in socket { try await socket.send(message) }
    }

    private func host(
        open: Int? = nil, perMinute: Int? = nil, trusted: String? = nil
    ) throws -> TestHost {
        var configuration = Configuration()
        configuration.connectionsPerAddressLimit = open
        configuration.handshakesPerMinuteLimit = perMinute
        configuration.proxies.trusted.ranges =
            trusted.flatMap { AddressRange($0) }.map { [$0] } ?? []
        return try TestHost(Self.echo, configuration: configuration, logLevel: .info)
    }

    /// The seconds after which a refused client may come again; `nil`: it was admitted, and left.
    private func retryAfter(
        _ host: TestHost, from address: String, fields: Fields = Fields()
    ) async throws -> Int? {
        do {
            let client = try await host.connect(fields: fields, from: address)
            try await client.close()
            try await host.settle()
            return nil
        } catch TestRejection.response(let status, let fields, let body) {
            #expect(status == .tooManyRequests)
            #expect(body.hasPrefix("Your address "))
            return fields["Retry-After"].flatMap { Int($0) }
        }
    }

    @Test("so many open connections of one client, and as many of another one")
    func open() async throws {
        let host = try host(open: 2)
        var clients = [try await host.connect(from: "2001:db8::1")]
        clients.append(try await host.connect(from: "2001:db8::9:9"))
        #expect(try await retryAfter(host, from: "2001:db8::3") == 10)
        #expect(try await retryAfter(host, from: "2001:db8:0:1::3") == nil)
        #expect(try await retryAfter(host, from: "192.0.2.1") == nil)
        try await clients[0].drop()
        try await host.settle()
        clients[0] = try await host.connect(from: "2001:db8::1")
        #expect(try await retryAfter(host, from: "2001:db8::1") == 10)
        #expect(host.logLines.contains { $0.contains("it has 2 connections open") })
    }

    @Test("a minute's handshakes at once, then one each time that its part of a minute is over")
    func rate() async throws {
        let host = try host(perMinute: 4)
        for _ in 0..<4 { #expect(try await retryAfter(host, from: "192.0.2.1") == nil) }
        #expect(try await retryAfter(host, from: "192.0.2.1") == 15)
        #expect(try await retryAfter(host, from: "192.0.2.2") == nil)
        try await host.advance(by: .milliseconds(14_001))
        #expect(try await retryAfter(host, from: "192.0.2.1") == 1)
        try await host.advance(by: .seconds(1))
        #expect(try await retryAfter(host, from: "192.0.2.1") == nil)
        #expect(try await retryAfter(host, from: "192.0.2.1") == 15)
        try await host.advance(by: .seconds(60))
        for _ in 0..<4 { #expect(try await retryAfter(host, from: "192.0.2.1") == nil) }
        #expect(try await retryAfter(host, from: "192.0.2.1") == 15)
        let answer = try await host.request("GET", from: "192.0.2.1")
        #expect(answer.status != .tooManyRequests, "what is no handshake is not counted")
    }

    @Test("behind a trusted proxy, whom its field names; the proxy itself has no limit")
    func proxied() async throws {
        let host = try host(open: 1, perMinute: 3, trusted: "10.0.0.1")
        func client(_ address: String) throws -> Fields {
            var fields = Fields()
            try fields.append("X-Forwarded-For", address)
            return fields
        }
        let one = try await host.connect(fields: client("192.0.2.1"), from: "10.0.0.1")
        #expect(
            try await retryAfter(host, from: "10.0.0.1", fields: client("192.0.2.1")) == 10)
        for _ in 0..<5 { #expect(try await retryAfter(host, from: "10.0.0.1") == nil) }
        let other = try await host.connect(fields: client("192.0.2.2"), from: "10.0.0.1")
        try await one.close()
        try await host.settle()
        #expect(try await retryAfter(host, from: "10.0.0.1", fields: client("192.0.2.1")) == nil)
        #expect(
            try await retryAfter(host, from: "10.0.0.1", fields: client("192.0.2.1")) == 20)
        // Whoever is no proxy is counted for what it is.
        let self_ = try await host.connect(fields: client("192.0.2.2"), from: "192.0.2.9")
        #expect(
            try await retryAfter(host, from: "192.0.2.9", fields: client("192.0.2.7")) == 10)
        try await other.close()
        try await self_.close()
    }
}
