/// Why the head of a script's answer is not usable.
public enum CGIResponseError: Error, Sendable, Hashable, CustomStringConvertible {
    case headTooLong(byteLimit: Int)
    case malformedLine
    case duplicateField(String)
    case invalidStatus(String)
    case lacksContentType

    public var description: String {
        switch self {
        case .headTooLong(let byteLimit): "the head is longer than \(byteLimit) bytes"
        case .malformedLine: "a line of the head is not a field"
        case .duplicateField(let name): "there is more than one \(name)"
        case .invalidStatus(let value): "the Status \(value.debugDescription) is not a code"
        case .lacksContentType: "there is no Content-Type, Location or Status"
        }
    }
}

/// The head of a script's answer (RFC 3875 §6).
public struct CGIResponse: Sendable, Hashable {
    /// What becomes of it.
    public enum Kind: Sendable, Hashable {
        /// RFC 3875 §6.2.1, and §6.2.3–6.2.4 when a `Location` is among the fields.
        case document
        /// RFC 3875 §6.2.2: the server answers as if this path and query had been asked for.
        case localRedirect(String)
    }

    public let kind: Kind
    /// `Status`; 200 without one, or 302 if there is a `Location`.
    public let status: Status
    /// What goes to the client: without `Status`, and without what the connection is about.
    public let fields: Fields
    /// `Content-Length`, if the script sent it.
    public let contentLength: Int?

    init(_ lines: Fields) throws(CGIResponseError) {
        for name in ["Status", "Location", "Content-Type", "Content-Length"]
        where lines.values(of: name).count > 1 {
            throw .duplicateField(name)
        }
        let location = lines["Location"]
        guard lines.contains("Content-Type") || location != nil || lines.contains("Status") else {
            throw .lacksContentType
        }
        let isLocal =
            location?.utf8.first == Byte.slash && location?.utf8.starts(with: "//".utf8) == false
        // RFC 3875 §6.2.2: such an answer has no other field.
        if let location, isLocal, lines.count == 1 {
            kind = .localRedirect(location)
        } else {
            kind = .document
        }
        status = try Self.status(lines["Status"], hasLocation: location != nil)
        contentLength = lines["Content-Length"].flatMap { Byte.number($0.utf8) }
        var fields = lines
        // RFC 3875 §6.3.4: fields about the connection MUST NOT be sent by a script.
        for name in Self.ownFields { fields.remove(name) }
        self.fields = fields
    }

    private static let ownFields = [
        "Status", "Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Trailer",
        "Content-Length", "Date",
    ]

    /// RFC 3875 §6.3.3: `Status = "Status:" status-code SP reason-phrase`. A script that informs
    /// (1xx) would leave the client waiting for the answer.
    private static func status(
        _ value: String?, hasLocation: Bool
    ) throws(CGIResponseError) -> Status {
        guard let value else { return hasLocation ? .found : .ok }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard let digits = parts.first, digits.utf8.count == 3, let code = Byte.number(digits.utf8),
            code >= 200, code <= 599,
            let status = Status(code, reasonPhrase: parts.count == 2 ? String(parts[1]) : nil)
        else { throw .invalidStatus(value) }
        return status
    }
}

/// Collects the head of a script's answer; its lines end with LF or CR LF (RFC 3875 §6.3).
public struct CGIResponseParser: Sendable {
    private let byteLimit: Int
    private var line: [UInt8] = []
    private var fields = Fields()
    private var byteCount = 0

    /// - Parameter byteLimit: of the whole head.
    public init(byteLimit: Int = 16_384) { self.byteLimit = byteLimit }

    /// Takes the bytes that follow those of the last call.
    ///
    /// - Returns: the head, and how many bytes of *this call* belong to it; `nil` if it goes on.
    public mutating func parse(
        _ bytes: UnsafeRawBufferPointer
    ) throws(CGIResponseError) -> (CGIResponse, consumedByteCount: Int)? {
        var offset = 0
        while offset < bytes.count {
            let end = bytes[offset...].firstIndex(of: Byte.lineFeed)
            let next = end.map { $0 + 1 } ?? bytes.count
            byteCount += next - offset
            guard byteCount <= byteLimit else { throw .headTooLong(byteLimit: byteLimit) }
            line.append(contentsOf: bytes[offset..<(end ?? next)])
            offset = next
            guard end != nil else { break }
            if line.last == Byte.carriageReturn { line.removeLast() }
            if line.isEmpty { return (try CGIResponse(fields), offset) }
            try addLine()
        }
        return nil
    }

    private mutating func addLine() throws(CGIResponseError) {
        guard let colon = line.firstIndex(of: Byte.colon) else { throw .malformedLine }
        let name = line.span.extracting(..<colon).text
        let value = line.span.extracting((colon + 1)...).text
        line.removeAll(keepingCapacity: true)
        do throws(FieldError) {
            try fields.append(name, value)
        } catch {
            throw .malformedLine
        }
    }
}
