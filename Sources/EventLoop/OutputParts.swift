/// Parts of a stream's output that do not lie in its queue, each with the bytes of the queue that
/// go out before it.
struct OutputParts {
    enum Source {
        case file(OpenFile)
        case bytes(SharedBytes)
    }

    private struct Part {
        let source: Source
        var offset: Int
        var remaining: Int
        /// From the end of the part before this one.
        var precedingByteCount: Int
    }

    private var parts: [Part] = []
    /// What remains of parts that lie in this process's memory.
    private(set) var sharedByteCount = 0

    /// Of all parts; the queue's bytes beyond these follow the last part.
    private var allPrecedingByteCount: Int { parts.reduce(0) { $0 + $1.precedingByteCount } }

    /// - Parameter queueByteCount: the length of the queue.
    mutating func append(_ source: Source, _ range: Range<Int>, queueByteCount: Int) {
        if case .bytes = source { sharedByteCount += range.count }
        parts.append(
            Part(
                source: source, offset: range.lowerBound, remaining: range.count,
                precedingByteCount: queueByteCount - allPrecedingByteCount))
    }

    var isEmpty: Bool { parts.isEmpty }
    /// Whether a part comes before any byte of the queue.
    var isNext: Bool { precedingByteCount == 0 && !parts.isEmpty }
    var precedingByteCount: Int { parts.first?.precedingByteCount ?? .max }

    mutating func removePreceding(_ byteCount: Int) {
        guard !parts.isEmpty else { return }
        parts[0].precedingByteCount -= byteCount
    }

    var next: (source: Source, offset: Int, remaining: Int)? {
        parts.first.map { ($0.source, $0.offset, $0.remaining) }
    }

    mutating func advance(_ byteCount: Int) {
        guard let first = parts.first else { return }
        if case .bytes = first.source { sharedByteCount -= byteCount }
        parts[0].offset += byteCount
        parts[0].remaining -= byteCount
        if parts[0].remaining <= 0 { parts.removeFirst() }
    }
}
