import HTTPProtocol

/// A request, as responders see it.
package struct Request {
    private var received: Received
    /// Whether the connection ends after the answer.
    package private(set) var isLast: Bool
    /// Whether limits of the client have counted it.
    package var isCounted = false
    /// The client's user, by Basic authentication.
    package var user: String?
    /// Who asks, where that is not the peer; see ``Exchange/address(of:)``.
    package var client: RequestClient?
    /// How many scripts redirected it within this server.
    private(set) var redirectCount = 0

    init(_ head: RequestHead, user: String?, _ settings: ExchangeSettings) {
        self.user = user
        received = Received(head, settings)
        // A body would have to be read to find the next request, and after a refused upgrade some
        // clients wait for the end.
        isLast = received.isUpgrade || head.hasBody || !head.wantsKeepAlive
    }

    package var head: RequestHead { received.head }
    /// `nil` if the request line's has no valid form.
    var target: RequestTarget? { received.target }
    /// The target's, percent-decoded; empty if that has no valid form. ``TargetResponder`` lets
    /// such a request through to nobody.
    package var path: String { received.path }
    /// Whether it asks for the protocol that connections may be upgraded to.
    package var isUpgrade: Bool { received.isUpgrade }
    /// The path as it was sent, below ``base``.
    var rawPath: String { received.below?.rawPath ?? target?.path ?? "" }
    /// What stands before ``path`` in URLs; `nil`: nothing.
    package var base: BasePath? { received.below?.base }
    /// What follows the `?`; `nil` if there is none.
    package var query: String? { target?.query }

    /// The server as the client names it, with a port or without; empty or `nil` if it does not.
    /// That of an absolute target counts and not the Host field (RFC 9112 §3.2.2), and what a
    /// trusted proxy says before both.
    package var authority: String? { client?.authority ?? receivedAuthority }
    /// The same without what a proxy says: not all of them remove what a client wrote there.
    package var receivedAuthority: String? { target?.authority ?? head.host }

    package var isHead: Bool { head.method == "HEAD" }
    /// Whether the method only reads.
    package var isReading: Bool { head.method == "GET" || isHead }

    /// Hands it on as if it were for a server that is not below another path.
    ///
    /// - Parameter rawPath: what follows the base, not decoded.
    mutating func enter(_ base: BasePath, _ rawPath: String) {
        received = Received(received, below: base, rawPath)
    }

    /// For an answer that comes when the body has been read.
    package var afterBody: Request {
        var request = self
        request.isLast = !head.wantsKeepAlive
        return request
    }

    /// For an answer that comes before the body, which is not looked for any more.
    package var withoutBody: Request {
        var request = self
        request.isLast = true
        return request
    }

    /// The request for another resource of this server that a script asks to be answered instead
    /// (RFC 3875 §6.2.2).
    ///
    /// - Returns: `nil` if `target` is not usable.
    func redirected(to target: String, _ settings: ExchangeSettings) -> Request? {
        var fields = head.fields
        for name in Self.fieldsOfOneResource { fields.remove(name) }
        let head = try? RequestHead(
            method: isHead ? "HEAD" : "GET", target: target, version: head.version, fields: fields)
        var request = head.map { Request($0, user: user, settings) }
        request?.redirectCount = redirectCount + 1
        request?.client = client
        request?.isCounted = isCounted
        return request
    }

    /// What is about the body, or about the resource that was asked for.
    private static let fieldsOfOneResource = [
        "Content-Length", "Content-Type", "Transfer-Encoding", "Expect", "Range", "If-Range",
        "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
    ]

    /// What stays as it came, in memory of its own: to hand a request on costs one reference.
    private final class Received: Sendable {
        let head: RequestHead
        let target: RequestTarget?
        let path: String
        let isUpgrade: Bool
        let below: (base: BasePath, rawPath: String)?

        /// - Parameter rawPath: part of a path that can be decoded.
        init(_ whole: Received, below base: BasePath, _ rawPath: String) {
            head = whole.head
            target = whole.target
            path = ResourcePath.percentDecoded(rawPath) ?? ""
            isUpgrade = whole.isUpgrade
            below = (base, rawPath)
        }

        init(_ head: RequestHead, _ settings: ExchangeSettings) {
            self.head = head
            below = nil
            let target = RequestTarget(head.target)
            let path = target.flatMap { ResourcePath.percentDecoded($0.path) }
            let isValid = path != nil && (target?.fragment ?? "").isEmpty
            self.target = isValid ? target : nil
            self.path = isValid ? path ?? "" : ""
            isUpgrade =
                settings.upgradeProtocol.map { head.fields.hasElement($0, in: "Upgrade") } ?? false
        }
    }
}
