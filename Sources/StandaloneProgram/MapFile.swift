import EventLoop
import WebSocketHost

/// pywebsocket3's map file: a line `/alias /existing` gives a handler a second path.
enum MapFile {
    /// Adds the file's aliases in order, so that an alias may point to an earlier one.
    ///
    /// A line that says something else, or an alias for nothing, is told with its number and
    /// skipped.
    ///
    /// - Throws: if the file cannot be read.
    static func apply(_ path: String, to routes: inout Routes, _ log: Log) throws(SystemError) {
        let text = try TextFile.read(path, byteLimit: byteLimit)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let place = "\(escaped(path)):\(index + 1)"
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            if words.isEmpty || line.hasPrefix("#") { continue }
            guard words.count == 2, words[0].hasPrefix("/") else {
                log(.warning, "\(place): not '/alias /existing': \(escaped(String(line)))")
                continue
            }
            if !routes.add(alias: words[0], for: words[1]) {
                log(
                    .error,
                    "\(place): no handler for \(escaped(words[1])), so none for "
                        + "\(escaped(words[0]))"
                )
            }
        }
    }

    /// 1 MiB: some 30,000 aliases.
    private static let byteLimit = 1 << 20
}
