import HTTPProtocol

/// A client's request, once it has passed the checks.
public struct ClientHandshake: Sendable, Hashable {
    /// The base64 of 16 bytes, as sent.
    public let key: String
    /// In the client's order of preference, without a ``BearerToken``; empty if there was no such
    /// field.
    public let offeredSubprotocols: [String]
    /// In the client's order of preference; empty if there was no such field.
    public let offeredExtensions: [ExtensionOffer]
    /// As sent; browsers always send one. It is not checked here.
    public let origin: String?

    /// 13, the only one that passes.
    public var version: Int { OpeningHandshake.version }
}

/// A server's choices, once its response has passed the checks.
public struct ServerHandshake: Sendable, Hashable {
    /// One of the offered ones; `nil` if none was chosen.
    public let subprotocol: String?
    /// The accepted ones, in the order in which they apply.
    public let extensions: [ExtensionOffer]
}

/// The opening handshake (RFC 6455 §4): its checks and responses, for both sides.
public enum OpeningHandshake {
    /// RFC 6455 §4.1: "The value of this header field MUST be 13."
    static let version = 13
    private static let versionText = "\(version)"

    /// Whether a request asks for WebSocket, even if it is wrong in other ways.
    public static func isUpgrade(_ head: RequestHead) -> Bool {
        head.fields.hasElement("websocket", in: "Upgrade")
    }

    /// Checks a client's request in the order of RFC 6455 §4.2.1.
    ///
    /// The first check is whether it asks for WebSocket at all, so that a browser on a handler's
    /// path gets the most helpful error.
    ///
    /// - Throws: `HandshakeError` for the first fault, which has the status and fields to answer.
    public static func check(_ head: RequestHead) throws(HandshakeError) -> ClientHandshake {
        guard isUpgrade(head) else { throw .notAnUpgrade }
        guard head.method == "GET" else { throw .wrongMethod(head.method) }
        guard head.version == .http11 else { throw .wrongHTTPVersion(head.version) }
        guard !head.lacksHost else { throw .missingHost }
        guard head.fields.hasElement("upgrade", in: "Connection") else {
            throw .connectionWithoutUpgrade
        }
        // A body would be read as frames; RFC 6455 §4.1 has none.
        guard !head.hasBody else { throw .hasBody }
        try checkVersion(head.fields)
        return ClientHandshake(
            key: try key(head.fields),
            offeredSubprotocols: BearerToken.separated(from: try subprotocols(head.fields))
                .subprotocols,
            offeredExtensions: try extensions(head.fields),
            origin: head.fields["Origin"])
    }

    /// The head that opens the connection (RFC 6455 §4.2.2), as it is sent.
    ///
    /// - Parameters:
    ///   - subprotocol: one of the offered ones; `nil`: none.
    ///   - extensions: the accepted ones, with the negotiated parameters.
    ///   - extraFields: come last, in their order.
    /// - Throws: `FieldError` if the subprotocol was not offered or an extension cannot be sent.
    public static func answer(
        to client: ClientHandshake, subprotocol: String? = nil, extensions: [ExtensionOffer] = [],
        extraFields: Fields = Fields()
    ) throws(FieldError) -> [UInt8] {
        var fields = try choice(subprotocol, extensions, client)
        fields.append(contentsOf: extraFields)
        var writer = HeadWriter(.switchingProtocols, byteCount: usualAnswerByteCount)
        writer.append(
            lines: "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        ) { AcceptKey.appendValue(for: client.key, to: &$0) }
        writer.append(fields)
        return writer.finish()
    }

    /// 224: the shortest answer has 129 bytes, and one with compression about 200.
    private static let usualAnswerByteCount = 224

    /// The fields with the server's choices.
    private static func choice(
        _ subprotocol: String?, _ extensions: [ExtensionOffer], _ client: ClientHandshake
    ) throws(FieldError) -> Fields {
        var fields = Fields()
        if let subprotocol {
            guard HeaderGrammar.isToken(subprotocol),
                client.offeredSubprotocols.contains(subprotocol)
            else {
                throw .invalidValue(name: "Sec-WebSocket-Protocol", value: subprotocol)
            }
            try fields.append("Sec-WebSocket-Protocol", subprotocol)
        }
        if !extensions.isEmpty {
            try fields.append("Sec-WebSocket-Extensions", ExtensionOffer.serialize(extensions))
        }
        return fields
    }

    /// Checks a server's response in the order of RFC 6455 §4.1.
    ///
    /// - Parameters:
    ///   - key: the key of the request.
    ///   - offeredSubprotocols: those of the request.
    ///   - offeredExtensions: those of the request. Only their names are compared: each extension
    ///     checks its own parameters.
    @discardableResult
    public static func checkResponse(
        _ head: ResponseHead, key: String, offeredSubprotocols: [String] = [],
        offeredExtensions: [ExtensionOffer] = []
    ) throws(HandshakeError) -> ServerHandshake {
        guard head.status == .switchingProtocols else { throw .refused(head.status) }
        guard head.version == .http11 else { throw .wrongHTTPVersion(head.version) }
        // A list that contains it is wrong: §4.1 requires the value "websocket".
        guard HeaderGrammar.equalsIgnoringCase("websocket", head.fields["Upgrade"] ?? "") else {
            throw .notAnUpgrade
        }
        guard head.fields.hasElement("upgrade", in: "Connection") else {
            throw .connectionWithoutUpgrade
        }
        guard let acceptKey = head.fields["Sec-WebSocket-Accept"] else { throw .missingAcceptKey }
        guard acceptKey == AcceptKey.value(for: key) else { throw .wrongAcceptKey(acceptKey) }
        let subprotocol = head.fields["Sec-WebSocket-Protocol"]
        if let subprotocol, !offeredSubprotocols.contains(subprotocol) {
            throw .unofferedSubprotocol(subprotocol)
        }
        let accepted = try extensions(head.fields)
        for name in accepted.map(\.name)
        where !offeredExtensions.contains(where: { $0.name == name }) {
            throw .unofferedExtension(name)
        }
        return ServerHandshake(subprotocol: subprotocol, extensions: accepted)
    }

    private static func checkVersion(_ fields: Fields) throws(HandshakeError) {
        guard let value = fields["Sec-WebSocket-Version"] else { throw .missingVersion }
        guard value == versionText else { throw .unsupportedVersion(value) }
    }

    private static func key(_ fields: Fields) throws(HandshakeError) -> String {
        guard let (key, lineCount) = fields.firstValue(of: "Sec-WebSocket-Key") else {
            throw .missingKey
        }
        guard lineCount == 1 else { throw .duplicateKey(count: lineCount) }
        guard AcceptKey.isValid(key) else { throw .malformedKey(key) }
        return key
    }

    /// RFC 6455 §4.1: the elements "MUST be non-empty strings with characters in the range U+0021
    /// to U+007E not including separator characters […] and MUST all be unique strings".
    public static func subprotocols(_ fields: Fields) throws(HandshakeError) -> [String] {
        guard let value = fields["Sec-WebSocket-Protocol"] else { return [] }
        guard let names = HeaderGrammar.elements(of: value), !names.isEmpty,
            names.allSatisfy({ HeaderGrammar.isToken($0) })
        else { throw .malformedSubprotocols(value) }
        guard names.count > 1 else { return names }
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted { throw .duplicateSubprotocol(name) }
        return names
    }

    /// RFC 6455 §9.1: the field may be split over several lines, each of which has the grammar.
    public static func extensions(_ fields: Fields) throws(HandshakeError) -> [ExtensionOffer] {
        let name = "Sec-WebSocket-Extensions"
        guard let (first, lineCount) = fields.firstValue(of: name) else { return [] }
        var extensions = try extensions(in: first)
        if lineCount > 1 {
            for value in fields.values(of: name).dropFirst() {
                extensions += try self.extensions(in: value)
            }
        }
        return extensions
    }

    private static func extensions(in value: String) throws(HandshakeError) -> [ExtensionOffer] {
        guard let extensions = ExtensionOffer.parse(value) else {
            throw .malformedExtensions(value)
        }
        return extensions
    }
}
