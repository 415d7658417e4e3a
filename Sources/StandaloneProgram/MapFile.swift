import EventLoop
import WebSocketHost

/// pywebsocket3's map file: a line `/alias /existing` gives a handler a second path.
enum MapFile {
    /// Adds the file's aliases in order, so that an alias may point to an earlier one.
    ///
    /// A line of another form, or an alias for a path without a handler, is logged with its number
    /// and skipped.
    ///
    /// - Throws: if the file cannot be read.
    static func apply(_ path: String, to routes: inout Routes, _ log: Log) throws(SystemError) {
        let text = try TextFile.read(path, byteLimit: byteLimit)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let place = "\(escaped(path)):\(index + 1)"
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            if words.isEmpty || line.hasPrefix("#") { continue }
            guard words.count == 2, words[0].utf8.first == UInt8(ascii: "/") else {
                log(
                    .warning,
                    "\(place): expected '/alias /existing', found '\(escaped(String(line)))'")
                continue
            }
            if !routes.add(alias: words[0], for: words[1]) {
                log(
                    .error,
                    "\(place): \(escaped(words[0])) is not served, "
                        + "because \(escaped(words[1])) has no handler"
                )
            }
        }
    }

    /// 1 MiB: some 30,000 aliases.
    private static let byteLimit = 1 << 20
}
