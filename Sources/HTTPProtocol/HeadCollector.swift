/// The first line of a head: what a request and a response differ in.
protocol StartLine: Sendable {
    associatedtype Failure: Error

    /// How many empty lines may come before it.
    static var leadingEmptyLineLimit: Int { get }

    /// - Parameter line: at least one byte, without the CRLF.
    init(_ line: Span<UInt8>) throws(Failure)

    /// The error for a line that is not complete within the limit.
    static func tooLong(byteLimit: Int) -> Failure

    /// The error for what can go wrong in either kind of head.
    static func failure(_ error: HeadError) -> Failure
}

/// Collects the lines of one head, however its bytes are cut on the way.
///
/// RFC 9112 §2.1: `HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]`.
/// Each line is parsed as soon as it is complete and only the unfinished one is kept, so each byte
/// is looked for a line end once. There is no memory to own while no line is unfinished.
struct HeadCollector<Start: StartLine>: Sendable {
    struct Head {
        let startLine: Start
        let fields: Fields
        /// How many bytes of the last call belonged to the head.
        let consumedByteCount: Int
    }

    private let limits: RequestHeadLimits
    private var unfinishedLine: [UInt8] = []
    /// Of this head so far, the unfinished line included.
    private var byteCount = 0
    private var leadingEmptyLineCount = 0
    private var startLine: Start?
    private var fields = Fields()
    private var fieldCount = 0

    init(limits: RequestHeadLimits) {
        self.limits = limits
    }

    var isEmpty: Bool { byteCount == 0 }

    /// - Returns: `nil` if the head goes on after `bytes`, which are then all taken.
    /// - Throws: what is wrong with the head; the collector starts over then.
    mutating func collect(_ bytes: Span<UInt8>) throws(Start.Failure) -> Head? {
        do {
            // Most heads come whole. What the first line takes here is enough for the lengths of
            // the others.
            if byteCount == 0 { fields.reserve(min(bytes.count, limits.headByteLimit)) }
            var lineStart = 0
            while let lineFeed = bytes.firstIndex(of: Byte.lineFeed, from: lineStart) {
                let lineEnd = lineFeed + 1
                try count(lineEnd - lineStart)
                let isLast = try finishLine(with: bytes.extracting(lineStart..<lineEnd))
                if isLast, let startLine = startLine.take() {
                    let fields = fields
                    reset()
                    return Head(startLine: startLine, fields: fields, consumedByteCount: lineEnd)
                }
                lineStart = lineEnd
            }
            try count(bytes.count - lineStart)
            keep(bytes.extracting(lineStart..<bytes.count))
            return nil
        } catch {
            reset()
            throw error
        }
    }

    private mutating func reset() {
        self = HeadCollector(limits: limits)
    }

    /// Holds the head to its limit, also while it is incomplete.
    private mutating func count(_ newByteCount: Int) throws(Start.Failure) {
        byteCount += newByteCount
        let byteLimit = limits.headByteLimit
        guard byteCount <= byteLimit else {
            throw startLine == nil
                ? Start.tooLong(byteLimit: byteLimit)
                : Start.failure(.headTooLong(byteLimit: byteLimit))
        }
    }

    private mutating func keep(_ bytes: Span<UInt8>) {
        Byte.append(bytes, to: &unfinishedLine)
    }

    /// - Returns: whether it was the empty line that ends the head.
    private mutating func finishLine(with piece: Span<UInt8>) throws(Start.Failure) -> Bool {
        if unfinishedLine.isEmpty { return try take(piece) }
        keep(piece)
        let line = unfinishedLine
        unfinishedLine = []
        return try take(line.span)
    }

    /// - Parameter line: ends with a line feed.
    private mutating func take(_ line: Span<UInt8>) throws(Start.Failure) -> Bool {
        // RFC 9112 §2.2 lets a recipient take a bare LF for a line end. Two programs that disagree
        // about it can be made to see different requests, so we do not.
        guard line.count >= 2, line[line.count - 2] == Byte.carriageReturn else {
            throw Start.failure(.bareLineFeed)
        }
        let content = line.extracting(..<(line.count - 2))
        if content.isEmpty {
            if startLine != nil { return true }
            leadingEmptyLineCount += 1
            guard leadingEmptyLineCount <= Start.leadingEmptyLineLimit else {
                throw Start.failure(.leadingEmptyLine)
            }
        } else if startLine == nil {
            startLine = try Start(content)
        } else {
            try takeField(content)
        }
        return false
    }

    private mutating func takeField(_ line: Span<UInt8>) throws(Start.Failure) {
        guard fieldCount < limits.fieldCountLimit else {
            throw Start.failure(.tooManyFields(countLimit: limits.fieldCountLimit))
        }
        do {
            try fields.append(line: line)
            fieldCount += 1
        } catch {
            throw Start.failure(error)
        }
    }
}

extension Fields {
    /// RFC 9112 §5: `field-line = field-name ":" OWS field-value OWS`.
    fileprivate mutating func append(line: Span<UInt8>) throws(HeadError) {
        // RFC 9112 §5.2: a server MUST reject obs-fold or replace it; one that rejects is safer.
        guard !Byte.isWhitespace(line[0]) else { throw .foldedLine }
        var colon = line.letterPrefixCount
        while colon < line.count, HeaderGrammar.isTokenByte(line[colon]) { colon += 1 }
        guard colon < line.count else { throw .missingColon }
        guard line[colon] == Byte.colon, colon > 0 else {
            // RFC 9112 §5.1: white space between name and colon MUST be rejected.
            throw line[colon] == Byte.carriageReturn
                ? .bareCarriageReturn : .invalidNameByte(line[colon])
        }
        let (name, value) = (
            line.extracting(..<colon), line.extracting(line.trimmedRange(from: colon + 1))
        )
        if value.isPrintableASCII { return appendUnchecked(name, value) }
        for index in value.indices where !HeaderGrammar.isFieldValueByte(value[index]) {
            throw value[index] == Byte.carriageReturn
                ? .bareCarriageReturn : .invalidValueByte(value[index])
        }
        // Text as ``Span/text`` makes it, so that what is kept is UTF-8.
        appendUnchecked(name, value.text.utf8.span)
    }
}
