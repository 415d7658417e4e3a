import EventLoop

/// What a program writes to its standard error, as lines for the log: so many in a time, and not
/// more of each than somebody reads.
package struct ErrorLines {
    /// What of a line is kept, in bytes. Four lines of a wide screen.
    package static let lineByteLimit = 1_000

    private let countLimit: Int
    /// `nil`: the limit is for all of the program's run.
    private let window: Duration?
    private var windowEnd: MonotonicTime?
    private var countInWindow = 0
    private var omittedCount = 0
    private var line: [UInt8] = []

    /// - Parameters:
    ///   - countLimit: lines that are let through, others are counted.
    ///   - window: in each of these times; `nil`: in all.
    package init(countLimit: Int, in window: Duration? = nil) {
        self.countLimit = countLimit
        self.window = window
    }

    /// - Returns: the lines that are complete now, and what is to be said of others.
    package mutating func take(_ bytes: UnsafeRawBufferPointer, at now: MonotonicTime) -> [String] {
        var texts: [String] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            keep(rest[..<end])
            rest = rest[(end + 1)...]
            endLine(&texts, at: now)
        }
        keep(rest)
        return texts
    }

    /// The program has ended.
    ///
    /// - Returns: a line without an end, and what is to be said of those that were left out.
    package mutating func finish(at now: MonotonicTime) -> [String] {
        var texts: [String] = []
        if !line.isEmpty { endLine(&texts, at: now) }
        noteOmitted(&texts)
        return texts
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer.SubSequence) {
        line += bytes.prefix(Self.lineByteLimit - line.count)
    }

    private mutating func endLine(_ texts: inout [String], at now: MonotonicTime) {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer { line.removeAll(keepingCapacity: true) }
        if let window, windowEnd.map({ $0 <= now }) ?? true {
            windowEnd = now + window
            countInWindow = 0
            noteOmitted(&texts)
        }
        guard countInWindow < countLimit else { return omittedCount += 1 }
        guard !line.isEmpty else { return }
        countInWindow += 1
        let isLast = window == nil && countInWindow == countLimit
        texts.append(
            String(decoding: line, as: UTF8.self) + (isLast ? " (the rest is not logged)" : ""))
    }

    private mutating func noteOmitted(_ texts: inout [String]) {
        guard window != nil, omittedCount > 0 else { return }
        let noun = omittedCount == 1 ? "line" : "lines"
        texts.append("(\(omittedCount) more \(noun), not logged)")
        omittedCount = 0
    }
}
