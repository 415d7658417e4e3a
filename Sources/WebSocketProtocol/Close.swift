/// A status code of a Close frame (RFC 6455 §7.4).
public struct CloseCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible,
    ExpressibleByIntegerLiteral
{
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }
    public init(integerLiteral value: UInt16) { rawValue = value }

    /// The purpose of the connection is fulfilled.
    public static let normalClosure: Self = 1000
    /// The server stops, or the browser leaves the page.
    public static let goingAway: Self = 1001
    public static let protocolError: Self = 1002
    /// A kind of message that this endpoint does not accept.
    public static let unsupportedData: Self = 1003
    /// Never sent: stands for a Close frame without a code.
    public static let noStatusReceived: Self = 1005
    /// Never sent: stands for a connection that ended without a Close frame.
    public static let abnormalClosure: Self = 1006
    /// Text that is not UTF-8.
    public static let invalidFramePayloadData: Self = 1007
    public static let policyViolation: Self = 1008
    public static let messageTooBig: Self = 1009
    /// Sent by a client only: the server did not accept an extension that the client needs.
    public static let mandatoryExtension: Self = 1010
    /// The server failed, through no fault of the client.
    public static let internalError: Self = 1011
    public static let serviceRestart: Self = 1012
    public static let tryAgainLater: Self = 1013
    public static let badGateway: Self = 1014

    /// Whether a Close frame may contain the code.
    ///
    /// RFC 6455 §7.4.1 and §7.4.2 with the IANA registry: 1000–1003 and 1007–1014 have meanings,
    /// 3000–4999 belong to libraries and applications; 1004–1006 and 1015 are reserved.
    public var isSendable: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    public var description: String { String(rawValue) }
}

/// The content of a Close frame (RFC 6455 §5.5.1).
public struct Close: Sendable, Hashable, CustomStringConvertible {
    /// `nil` when the frame had no body; ``CloseCode/noStatusReceived`` stands for that elsewhere.
    public var code: CloseCode?
    /// At most ``reasonByteLimit`` bytes of UTF-8.
    public var reason: String

    /// 123: the 125 bytes of RFC 6455 §5.5 less the two of the code.
    public static let reasonByteLimit = 123

    public init(_ code: CloseCode? = nil, reason: String = "") {
        self.code = code
        self.reason = reason
    }

    /// With as much of a text as a reason may have.
    public init(_ code: CloseCode, cutting text: String) {
        self.code = code
        guard text.utf8.count > Self.reasonByteLimit else {
            reason = text
            return
        }
        let mark: Unicode.Scalar = "…"
        var byteCount = UTF8.width(mark)
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            byteCount += UTF8.width(scalar)
            if byteCount > Self.reasonByteLimit { break }
            scalars.append(scalar)
        }
        scalars.append(mark)
        reason = String(scalars)
    }

    public var description: String {
        let code = code ?? .noStatusReceived
        return reason.isEmpty ? "\(code)" : "\(code) \(reason)"
    }

    /// Whether it can be sent as it is: code, length of the reason, no reason without a code.
    package var isSendable: Bool {
        guard let code else { return reason.isEmpty }
        return code.isSendable && reason.utf8.count <= Self.reasonByteLimit
    }

    /// Calls `use` with the frame's payload.
    ///
    /// - Throws: ``SendError`` for a code that must not be sent, a reason without a code, or a
    ///   reason over ``reasonByteLimit``.
    func withPayload<Result>(_ use: (UnsafeRawBufferPointer) -> Result) throws(SendError) -> Result
    {
        guard let code else {
            guard reason.isEmpty else { throw .closeReasonWithoutCode }
            return use(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        guard code.isSendable else { throw .closeCodeNotSendable(code) }
        guard reason.utf8.count <= Self.reasonByteLimit else {
            throw .closeReasonTooLong(byteCount: reason.utf8.count)
        }
        return withUnsafeTemporaryAllocation(byteCount: 2 + reason.utf8.count, alignment: 2) {
            payload in
            payload.storeBytes(of: code.rawValue.bigEndian, as: UInt16.self)
            UnsafeMutableRawBufferPointer(rebasing: payload[2...]).copyBytes(from: reason.utf8)
            return use(UnsafeRawBufferPointer(payload))
        }
    }

    /// Reads a Close frame's payload, at most 125 bytes.
    static func parse(_ payload: UnsafeRawBufferPointer) throws(ProtocolError) -> Close {
        if payload.isEmpty { return Close() }
        guard payload.count >= 2 else { throw .closePayloadTooShort }
        let code = CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        guard code.isSendable else { throw .invalidCloseCode(code.rawValue) }
        if payload.count == 2 { return Close(code) }
        let reasonBytes = UnsafeRawBufferPointer(rebasing: payload[2...])
        guard let reason = String(validating: reasonBytes, as: UTF8.self) else {
            throw .invalidUTF8
        }
        return Close(code, reason: reason)
    }
}
