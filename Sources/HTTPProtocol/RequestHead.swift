/// RFC 9112 §2.3: `HTTP-version = HTTP-name "/" DIGIT "." DIGIT`.
public struct HTTPVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// One digit on the wire.
    public let major: Int
    /// One digit on the wire.
    public let minor: Int

    /// Version `major.minor`.
    public init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// HTTP/1.0.
    public static let http10 = HTTPVersion(major: 1, minor: 0)
    /// HTTP/1.1.
    public static let http11 = HTTPVersion(major: 1, minor: 1)

    public static func < (first: Self, second: Self) -> Bool {
        (first.major, first.minor) < (second.major, second.minor)
    }

    /// `HTTP/1.1`.
    public var description: String { "HTTP/\(major).\(minor)" }

    /// - Returns: `nil` if the bytes are not a version.
    init?(_ bytes: Span<UInt8>) {
        let name: StaticString = "HTTP/"
        guard bytes.count == 8, Byte.isDigit(bytes[5]), Byte.isDigit(bytes[7]),
            bytes[6] == Byte.dot
        else { return nil }
        for index in 0..<5 where bytes[index] != name.utf8Start[index] { return nil }
        self.init(major: Int(bytes[5] - Byte.zero), minor: Int(bytes[7] - Byte.zero))
    }
}

/// Where the body of a request ends (RFC 9112 §6.3).
public enum BodyFraming: Sendable, Hashable {
    /// There is no body.
    case none
    /// `Content-Length`, 0 too.
    case length(Int)
    /// `Transfer-Encoding: chunked`.
    case chunked
}

/// A request line and its fields (RFC 9112 §3).
///
/// One that exists has passed the checks that decide where it ends and whom it is for; whether it
/// asks for something sensible is for others to find out.
public struct RequestHead: Sendable, Hashable {
    /// Any token; case matters.
    public let method: String
    /// As on the wire: visible ASCII, at least one character. `RequestTarget` takes it apart.
    public let target: String
    /// 1.x.
    public let version: HTTPVersion
    /// In the order they came.
    public let fields: Fields
    /// Where the body ends.
    public let bodyFraming: BodyFraming

    /// A head made by hand, held to the same rules as one that is parsed.
    ///
    /// - Throws: `RequestError` for a method that is not a token, a target with a byte that is not
    ///   visible ASCII, more than one Host or a malformed one, and fields from which two programs
    ///   may conclude different ends of the body.
    public init(
        method: String, target: String, version: HTTPVersion = .http11, fields: Fields = Fields()
    ) throws(RequestError) {
        guard HeaderGrammar.isToken(method) else { throw .invalidMethod(method) }
        guard !target.isEmpty else { throw .malformedRequestLine }
        if let byte = target.utf8.first(where: { !RequestLine.isTargetByte($0) }) {
            throw .invalidTargetByte(byte)
        }
        try self.init(RequestLine(method: method, target: target, version: version), fields)
    }

    init(_ line: RequestLine, _ fields: Fields) throws(RequestError) {
        // RFC 9112 §2.3: a server can answer 505 to a major version it does not support.
        guard line.version.major == 1 else { throw .unsupportedVersion(line.version) }
        try Self.checkHost(fields)
        method = line.method
        target = line.target
        version = line.version
        bodyFraming = try Self.bodyFraming(fields, line.version)
        self.fields = fields
    }

    /// The value of the Host field; may be empty.
    public var host: String? { fields["Host"] }

    /// RFC 9112 §3.2: a server MUST answer 400 to "any HTTP/1.1 request message that lacks a Host
    /// header field", with `RequestError.missingHost`.
    public var lacksHost: Bool { version >= .http11 && !fields.contains("Host") }

    /// `nil` if there is no Content-Length.
    public var contentLength: Int? {
        if case .length(let count) = bodyFraming { count } else { nil }
    }

    /// Whether any byte of a body follows.
    public var hasBody: Bool { bodyFraming != .none && bodyFraming != .length(0) }

    /// Whether the client asks to send another request on the connection (RFC 9112 §9.3).
    public var wantsKeepAlive: Bool {
        if fields.hasElement("close", in: "Connection") { return false }
        return version >= .http11 || fields.hasElement("keep-alive", in: "Connection")
    }

    /// The head as a client sends it.
    public func serialized() -> [UInt8] {
        var writer = HeadWriter(method: method, target: target, version: version)
        writer.append(fields)
        return writer.finish()
    }

    /// RFC 9112 §3.2: a server MUST answer 400 to "more than one Host header field line or a Host
    /// header field with an invalid field value". An empty one is valid: the target has no host.
    private static func checkHost(_ fields: Fields) throws(RequestError) {
        try fields.withFirstValue(of: "Host") { host, lineCount throws(RequestError) in
            guard lineCount == 1 else { throw .duplicateHost(count: lineCount) }
            guard host.isEmpty || Authority.isValid(host) else { throw .invalidHost(host.text) }
        }
    }

    /// RFC 9112 §6.1–6.3, without the leniency: whatever smuggling is made of is refused.
    private static func bodyFraming(
        _ fields: Fields, _ version: HTTPVersion
    ) throws(RequestError) -> BodyFraming {
        let length = fields.firstValue(of: "Content-Length")
        if let encoding = fields["Transfer-Encoding"] {
            guard length == nil else { throw .contentLengthWithTransferEncoding }
            guard version >= .http11 else { throw .transferEncodingInOldVersion(version) }
            try checkTransferEncoding(encoding)
            return .chunked
        }
        guard let (value, lineCount) = length else { return .none }
        guard lineCount == 1 else { throw .duplicateContentLength(count: lineCount) }
        guard let byteCount = Byte.number(value.utf8) else { throw .invalidContentLength(value) }
        return .length(byteCount)
    }

    /// RFC 9112 §6.1: chunked MUST NOT be applied twice and has to come last in a request; a server
    /// that does not know a coding SHOULD answer 501.
    private static func checkTransferEncoding(_ value: String) throws(RequestError) {
        let codings = HeaderGrammar.elements(of: value) ?? []
        let chunkedCount = codings.count { HeaderGrammar.equalsIgnoringCase($0, "chunked") }
        guard let last = codings.last, HeaderGrammar.equalsIgnoringCase(last, "chunked"),
            chunkedCount == 1
        else { throw .invalidTransferEncoding(value) }
        guard codings.count == 1 else { throw .unsupportedTransferEncoding(value) }
    }
}

/// RFC 9112 §3: `request-line = method SP request-target SP HTTP-version`.
struct RequestLine: StartLine {
    let method: String
    let target: String
    let version: HTTPVersion

    /// RFC 9112 §2.2: a server "SHOULD ignore at least one empty line (CRLF) received prior to the
    /// request-line"; old clients send one after a body.
    static let leadingEmptyLineLimit = 1

    init(method: String, target: String, version: HTTPVersion) {
        self.method = method
        self.target = target
        self.version = version
    }

    init(_ line: Span<UInt8>) throws(RequestError) {
        guard let methodEnd = line.firstIndex(of: Byte.space),
            let targetEnd = line.firstIndex(of: Byte.space, from: methodEnd + 1),
            targetEnd > methodEnd + 1
        else { throw .malformedRequestLine }
        method = line.extracting(..<methodEnd).text
        guard HeaderGrammar.isToken(method) else { throw .invalidMethod(method) }
        for index in (methodEnd + 1)..<targetEnd where !Self.isTargetByte(line[index]) {
            throw .invalidTargetByte(line[index])
        }
        target = line.extracting((methodEnd + 1)..<targetEnd).text
        guard let version = HTTPVersion(line.extracting((targetEnd + 1)..<line.count)) else {
            throw .malformedRequestLine
        }
        self.version = version
        guard version.major == 1 else { throw .unsupportedVersion(version) }
    }

    /// RFC 3986 §2 allows less than all of visible ASCII, but browsers send `|` and `^` as they
    /// are.
    static func isTargetByte(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }

    static func tooLong(byteLimit: Int) -> RequestError {
        .requestLineTooLong(byteLimit: byteLimit)
    }

    static func failure(_ error: HeadError) -> RequestError { .head(error) }
}
