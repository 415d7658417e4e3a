import Logging

/// What one run of a script writes to its standard error, as lines for the log.
struct ScriptErrorLines {
    private var count = 0

    /// Lines that are logged of each run.
    private static let countLimit = 50

    /// - Returns: the lines, safe to print, of which the last one says if the rest is left out.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> [String] {
        guard count < Self.countLimit else { return [] }
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).prefix(Self.countLimit - count)
        count += lines.count
        var shown = lines.map { escaped(String($0)) }
        if count == Self.countLimit {
            shown.append(shown.removeLast() + " (the rest is not logged)")
        }
        return shown
    }
}
