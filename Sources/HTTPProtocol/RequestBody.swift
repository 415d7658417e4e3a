/// Why a request body is refused; the connection has to end after the answer.
public enum RequestBodyError: Error, Sendable, Hashable, CustomStringConvertible {
    case tooLong(byteLimit: Int)
    case malformedChunk

    /// What a server answers with.
    public var status: Status {
        switch self {
        case .tooLong: .contentTooLarge
        case .malformedChunk: .badRequest
        }
    }

    public var description: String {
        switch self {
        case .tooLong(let byteLimit): "The request body is longer than \(byteLimit) bytes."
        case .malformedChunk: "A chunk of the request body is malformed."
        }
    }
}

/// Reads the body of one request, whole, however its bytes are cut on the way (RFC 9112 §6, §7.1).
public struct RequestBodyReader: Sendable {
    private enum State {
        case bytes(remaining: Int)
        case sizeLine
        case chunk(remaining: Int)
        case chunkEnd
        case trailer
        case done
    }

    /// What has come of the content.
    public private(set) var content: [UInt8] = []
    private let byteLimit: Int
    private var state: State
    private var line: [UInt8] = []
    private var trailerByteCount = 0

    /// 4 KiB for a chunk's size with its extensions, and for the trailer: nobody uses either.
    private static let lineByteLimit = 4_096

    /// - Throws: if the announced length is over the limit.
    public init(_ framing: BodyFraming, byteLimit: Int) throws(RequestBodyError) {
        self.byteLimit = byteLimit
        switch framing {
        case .none: state = .done
        case .length(let byteCount):
            guard byteCount <= byteLimit else { throw .tooLong(byteLimit: byteLimit) }
            state = byteCount > 0 ? .bytes(remaining: byteCount) : .done
        case .chunked: state = .sizeLine
        }
    }

    /// Whether the body has ended.
    public var isComplete: Bool {
        if case .done = state { true } else { false }
    }

    /// Takes what belongs to the body.
    ///
    /// - Returns: how many of `bytes` that is; less than all only once the body is complete.
    public mutating func read(_ bytes: UnsafeRawBufferPointer) throws(RequestBodyError) -> Int {
        var offset = 0
        while offset < bytes.count, !isComplete {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            switch state {
            case .bytes(let remaining):
                let count = take(rest, remaining)
                state = count == remaining ? .done : .bytes(remaining: remaining - count)
                offset += count
            case .chunk(let remaining):
                let count = take(rest, remaining)
                state = count == remaining ? .chunkEnd : .chunk(remaining: remaining - count)
                offset += count
            case .sizeLine, .chunkEnd, .trailer:
                offset += try takeLine(rest)
            case .done: break
            }
        }
        return offset
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ remaining: Int) -> Int {
        let count = min(bytes.count, remaining)
        content.append(contentsOf: bytes[..<count])
        return count
    }

    /// Takes the bytes of a line, and the line if they end it. A bare LF does not end one, as in a
    /// head.
    private mutating func takeLine(_ bytes: UnsafeRawBufferPointer) throws(RequestBodyError) -> Int
    {
        let end = bytes.firstIndex(of: Byte.lineFeed)
        let count = end.map { $0 + 1 } ?? bytes.count
        guard line.count + count <= Self.lineByteLimit else { throw .malformedChunk }
        line.append(contentsOf: bytes[..<count])
        guard end != nil else { return count }
        guard line.count >= 2, line[line.count - 2] == Byte.carriageReturn else {
            throw .malformedChunk
        }
        let content = Array(line.dropLast(2))
        line.removeAll(keepingCapacity: true)
        try finishLine(content)
        return count
    }

    private mutating func finishLine(_ line: [UInt8]) throws(RequestBodyError) {
        switch state {
        case .sizeLine:
            let byteCount = try Self.chunkSize(line)
            guard byteCount <= byteLimit - content.count else {
                throw .tooLong(byteLimit: byteLimit)
            }
            state = byteCount > 0 ? .chunk(remaining: byteCount) : .trailer
        case .chunkEnd:
            guard line.isEmpty else { throw .malformedChunk }
            state = .sizeLine
        default:
            // RFC 9112 §7.1.2: the fields of a trailer may be discarded.
            trailerByteCount += line.count
            guard trailerByteCount <= Self.lineByteLimit else { throw .malformedChunk }
            if line.isEmpty { state = .done }
        }
    }

    /// RFC 9112 §7.1: `chunk-size = 1*HEXDIG`, and `chunk-ext` behind a semicolon, which is
    /// ignored.
    private static func chunkSize(_ line: [UInt8]) throws(RequestBodyError) -> Int {
        let digits = line.prefix { Byte.hexValue($0) != nil }
        let rest = Byte.trimmed(line[digits.count...])
        // 15 digits fit into an Int; no limit is anywhere near.
        guard !digits.isEmpty, digits.count <= 15, rest.isEmpty || rest.first == Byte.semicolon,
            rest.allSatisfy(HeaderGrammar.isFieldValueByte)
        else { throw .malformedChunk }
        return digits.reduce(0) { $0 << 4 | Int(Byte.hexValue($1) ?? 0) }
    }
}
