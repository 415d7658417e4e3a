import EventLoop
import HTTPProtocol
import WebSocketHost

/// The answer to a request that is no handshake.
public struct TestResponse: Sendable, Hashable {
    public let status: Status
    public let fields: Fields
    public let body: [UInt8]

    /// The body as text; `nil` if it is not UTF-8.
    public var text: String? { String(validating: body, as: UTF8.self) }
}

extension TestHost {
    /// Sends a request that is no handshake, on a connection of its own, and waits for its answer:
    /// what the hook `http` returned, or what the server answers by itself.
    ///
    /// ```swift
    /// let answer = try await host.request("POST", body: Array("green".utf8))
    /// #expect(answer.status == .accepted)
    /// ```
    ///
    /// - Parameters:
    ///   - target: path and query, percent-encoded; empty: the path of the first route, `?query`:
    ///     there too.
    ///   - fields: added to the request, last and in this order. `Host`, `Connection: close` and
    ///     for a body its `Content-Length` are there.
    ///   - address: where the client is: an IP address.
    ///   - user: who the client is, as if it had passed the server's Basic authentication.
    ///   - tls: what TLS agreed on; `nil`: no TLS.
    /// - Throws: ``TestRejection/aborted`` if the server closes without an answer, ``TestFailure``
    ///   if it makes no sense or none comes.
    public func request(
        _ method: String = "GET", _ target: String = "", fields: Fields = Fields(),
        body: [UInt8] = [], from address: String = "192.0.2.1", user: String? = nil,
        tls: TLSInfo? = nil, fileID: String = #fileID, line: Int = #line
    ) async throws -> TestResponse {
        let place = TestPlace(fileID: fileID, line: line)
        var all: Fields = ["Host": "localhost", "Connection": "close"]
        if !body.isEmpty { try all.append("Content-Length", "\(body.count)") }
        all.append(contentsOf: fields)
        let head = try RequestHead(method: method, target: fullTarget(target), fields: all)
        let end = ClientEnd(self, head, body: body, tls: tls)
        try accept(end, from: address, user: user, place)
        return try await end.take("an answer to \(method)", self, place) { $0.takeResponse() }
    }
}
