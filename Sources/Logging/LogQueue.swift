/// Lines that wait for the log's reader.
///
/// When it is full, lines are left out until half of it is free: so a reader that is a little too
/// slow gets one count for many lines, and not one for each.
struct LogQueue {
    private let byteLimit: Int
    private var bytes: [UInt8] = []
    private var start = 0
    private var isOverflowing = false

    /// A pipe takes a piece of this size whole or not at all, so that the lines of several
    /// processes do not mix: Linux's PIPE_BUF.
    static let pieceByteLimit = 4_096

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Of the lines that wait here.
    var byteCount: Int { bytes.count - start }
    /// Of the piece that was taken last, until it is written.
    private var pieceByteCount = 0

    var isEmpty: Bool { byteCount == 0 }
    /// Whether the last piece is written too.
    var isWritten: Bool { byteCount + pieceByteCount == 0 }

    /// - Returns: false if there is no room. An empty queue takes a line of any length.
    mutating func append(_ line: UnsafeRawBufferPointer) -> Bool {
        let waiting = byteCount + pieceByteCount
        if isOverflowing && waiting <= byteLimit / 2 { isOverflowing = false }
        if isOverflowing || (waiting > 0 && waiting + line.count > byteLimit) {
            isOverflowing = true
            return false
        }
        bytes.append(contentsOf: line)
        return true
    }

    /// Takes whole lines from the front, as many as a piece may have, or one that is longer.
    mutating func takePiece() -> [UInt8]? {
        guard !isEmpty else { return nil }
        let newline = UInt8(ascii: "\n")
        let rest = bytes[start...]
        let end =
            rest.prefix(Self.pieceByteLimit).lastIndex(of: newline) ?? rest.firstIndex(of: newline)
            ?? rest.endIndex - 1
        let piece = Array(rest[...end])
        pieceByteCount = piece.count
        removeBytes(before: end + 1)
        return piece
    }

    /// The last piece is written, or lost.
    mutating func endPiece() { pieceByteCount = 0 }

    /// Moves the rest to the front only when that is the smaller half.
    private mutating func removeBytes(before end: Int) {
        start = end
        if start == bytes.count {
            (bytes, start) = ([], 0)
        } else if start > bytes.count / 2 {
            bytes.removeSubrange(..<start)
            start = 0
        }
    }
}
