/// What a program wrote and nobody took yet.
struct SubprocessOutput {
    private var bytes: [UInt8] = []
    /// Before it, all was taken.
    private var start = 0
    /// Before it, no line ends.
    private var searched = 0
    /// Nothing follows.
    var hasEnded = false

    var count: Int { bytes.count - start }

    /// What came of an attempt to take something.
    enum Taken<Value> {
        case value(Value)
        /// The output has ended, and all was taken.
        case end
        /// More has to come first.
        case nothing
        case failure(SubprocessError)
    }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if start > 0 {
            bytes.removeFirst(start)
            searched -= start
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// All that is there.
    mutating func takePiece() -> Taken<[UInt8]> {
        guard count > 0 else { return hasEnded ? .end : .nothing }
        return .value(take(count))
    }

    /// So many bytes; fewer only at the end.
    mutating func take(exactly byteCount: Int) -> Taken<[UInt8]> {
        if count >= byteCount { return .value(take(byteCount)) }
        guard hasEnded else { return .nothing }
        return count == 0 ? .end : .value(take(count))
    }

    /// A line without its end, LF or CR LF; what follows the last end is one too, if it is not
    /// empty. Nothing is taken of one that is too long.
    mutating func takeLine(byteLimit: Int) -> Taken<SubprocessLine> {
        let lineEnd = bytes[max(start, searched)...].firstIndex(of: UInt8(ascii: "\n"))
        let end = lineEnd ?? bytes.count
        searched = end
        if lineEnd == nil {
            // One byte more, which may be the CR of the line end.
            if end - start > byteLimit + 1 { return .failure(.lineTooLong(byteLimit: byteLimit)) }
            guard hasEnded else { return .nothing }
            guard count > 0 else { return .end }
        }
        var line = bytes[start..<end]
        if lineEnd != nil, line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard line.count <= byteLimit else {
            return .failure(.lineTooLong(byteLimit: byteLimit))
        }
        let text = SubprocessLine(line)
        drop(upTo: lineEnd == nil ? end : end + 1)
        return .value(text)
    }

    private mutating func take(_ byteCount: Int) -> [UInt8] {
        if start == 0 && byteCount == bytes.count {
            defer { forget() }
            return bytes
        }
        defer { drop(upTo: start + byteCount) }
        return Array(bytes[start..<(start + byteCount)])
    }

    private mutating func drop(upTo end: Int) {
        start = end
        searched = max(searched, end)
        if start == bytes.count { forget() }
    }

    /// Not kept: a program that is silent costs no buffer.
    private mutating func forget() {
        bytes = []
        (start, searched) = (0, 0)
    }
}

/// A line of a program's output, as text.
package struct SubprocessLine: Sendable, Hashable {
    package let text: String
    /// False: bytes that are not UTF-8 became U+FFFD.
    package let isValid: Bool

    init(_ bytes: ArraySlice<UInt8>) {
        if let text = String(validating: bytes, as: UTF8.self) {
            (self.text, isValid) = (text, true)
        } else {
            (text, isValid) = (String(decoding: bytes, as: UTF8.self), false)
        }
    }
}
