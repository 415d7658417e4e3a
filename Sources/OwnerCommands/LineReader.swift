/// Cuts input into lines, without their ends (LF or CR LF). What follows the last end is a line
/// too, if it is not empty.
///
/// Keeps no more than one line and what was appended behind it; of one that is too long, nothing.
struct LineReader {
    private let byteLimit: Int
    private var bytes: [UInt8] = []
    /// Before it, all were returned.
    private var start = 0
    /// Before it, no line ends.
    private var searched = 0
    private var lineNumber = 1
    /// The rest of this line belongs to one that is too long already.
    private var isDiscarding = false
    private var hasEnded = false

    /// - Parameter byteLimit: the longest line.
    init(byteLimit: Int) { self.byteLimit = byteLimit }

    mutating func append(_ more: some Collection<UInt8>) {
        bytes.removeFirst(start)
        searched -= start
        start = 0
        bytes.append(contentsOf: more)
    }

    /// Nothing is appended any more.
    mutating func end() { hasEnded = true }

    /// The next line, if it is complete.
    mutating func next() -> InputMessage? {
        let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n"))
        searched = end ?? bytes.count
        if end == nil {
            if hasEnded && (isDiscarding || start < bytes.count) { return take(upTo: searched) }
            // One byte more, which may be the CR of the line end.
            if searched - start > byteLimit + 1 { isDiscarding = true }
            if isDiscarding { start = searched }
            return nil
        }
        searched += 1
        return take(upTo: searched)
    }

    private mutating func take(upTo end: Int) -> InputMessage {
        var line = bytes[start..<end]
        start = end
        if line.last == UInt8(ascii: "\n") {
            line.removeLast()
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
        }
        defer {
            isDiscarding = false
            lineNumber += 1
        }
        return InputMessage(number: lineNumber, content: content(line))
    }

    private func content(_ line: ArraySlice<UInt8>) -> InputMessage.Content {
        if isDiscarding || line.count > byteLimit { return .tooLong }
        let isText = line.withUnsafeBytes { Self.isUTF8($0) }
        return isText ? .bytes(Array(line)) : .notUTF8
    }

    private static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // A line of a log is ASCII mostly, which needs no string.
        bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }
}
