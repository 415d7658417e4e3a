import HTTPProtocol

/// A client's side of the opening handshake (RFC 6455 §4.1).
///
///     let request = ClientRequest(host: "localhost:9998", target: "/echo", using: &generator)
///     send(try request.head().serialized())
///     let chosen = try request.check(answer)
public struct ClientRequest: Sendable, Hashable {
    /// With the port, unless it is the default one.
    public var host: String
    /// Begins with "/"; percent-encoded.
    public var target: String
    /// The `Origin` field, as browsers send it; `nil`: none.
    public var origin: String?
    /// Offered, in order of preference.
    public var subprotocols: [String]
    /// Offered, in order of preference.
    public var extensions: [ExtensionOffer]
    /// Further fields, which come last.
    public var extraFields: Fields
    /// The base64 of 16 random bytes, new for each connection.
    public var key: String

    /// A request with a given key.
    public init(
        host: String, target: String = "/", origin: String? = nil, subprotocols: [String] = [],
        extensions: [ExtensionOffer] = [], extraFields: Fields = Fields(), key: String
    ) {
        self.host = host
        self.target = target
        self.origin = origin
        self.subprotocols = subprotocols
        self.extensions = extensions
        self.extraFields = extraFields
        self.key = key
    }

    /// A request with a new key.
    public init(
        host: String, target: String = "/", using generator: inout some RandomNumberGenerator
    ) {
        self.init(host: host, target: target, key: AcceptKey.random(using: &generator))
    }

    /// The head to send.
    ///
    /// - Throws: `HandshakeError.unsendableField` or `.unsendableRequest` for a value with a line
    ///   end or another character that a head may not contain; `.malformedSubprotocols` or
    ///   `.duplicateSubprotocol`.
    public func head() throws(HandshakeError) -> RequestHead {
        try checkSubprotocols()
        let fields: Fields
        do {
            fields = try self.fields()
        } catch {
            throw .unsendableField(error)
        }
        do {
            return try RequestHead(method: "GET", target: target, fields: fields)
        } catch {
            throw .unsendableRequest(error)
        }
    }

    /// §4.1: tokens, "and MUST all be unique strings".
    private func checkSubprotocols() throws(HandshakeError) {
        guard subprotocols.allSatisfy({ HeaderGrammar.isToken($0) }) else {
            throw .malformedSubprotocols(subprotocols.joined(separator: ", "))
        }
        var seen: Set<String> = []
        for name in subprotocols where !seen.insert(name).inserted {
            throw .duplicateSubprotocol(name)
        }
    }

    private func fields() throws(FieldError) -> Fields {
        var fields = Fields()
        try fields.append("Host", host)
        try fields.append("Upgrade", "websocket")
        try fields.append("Connection", "Upgrade")
        try fields.append("Sec-WebSocket-Key", key)
        if let origin { try fields.append("Origin", origin) }
        if !subprotocols.isEmpty {
            try fields.append("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", "))
        }
        if !extensions.isEmpty {
            try fields.append("Sec-WebSocket-Extensions", ExtensionOffer.serialize(extensions))
        }
        try fields.append("Sec-WebSocket-Version", "\(OpeningHandshake.version)")
        fields.append(contentsOf: extraFields)
        return fields
    }

    /// Checks the response to this request.
    public func check(_ answer: ResponseHead) throws(HandshakeError) -> ServerHandshake {
        try OpeningHandshake.checkResponse(
            answer, key: key, offeredSubprotocols: subprotocols, offeredExtensions: extensions)
    }
}
