import CommandLineOptions
import WebSocketHost

/// Parses the text of a configuration file.
///
/// The format is pywebsocket3's INI: `[section]`, `key = value` or `key: value`, and comment lines
/// that begin with `#` or `;`. Values that continue in the next line and `%(key)s` are not
/// supported. Both are errors, so they cannot be misread.
enum ConfigurationFile {
    struct Entry: Equatable {
        /// As written.
        let key: String
        let value: String
        /// From 1.
        let lineNumber: Int
    }

    /// Our section and pywebsocket3's; a file may have both.
    static let sections = ["websockethost", "pywebsocket"]
    /// 1 MiB: more than anybody writes by hand.
    static let byteLimit = 1 << 20

    /// - Parameter path: for messages.
    /// - Throws: for the first line that is wrong, with its number.
    static func parse(_ text: String, path: String) throws(UsageError) -> [Entry] {
        var entries: [Entry] = []
        var lineNumbers: [String: Int] = [:]
        var section: String?
        /// The indentation of the previous option in this section.
        var indentation: Int?
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in lines.enumerated() {
            let lineNumber = index + 1
            func fail(_ text: String) -> UsageError {
                UsageError("\(escaped(path)):\(lineNumber): \(text)")
            }
            let content = trimmed(index == 0 ? withoutMark(line) : line)
            if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { continue }
            if content.hasPrefix("[") {
                section = try read(section: content, fail)
                indentation = nil
                continue
            }
            guard section != nil else {
                throw fail(
                    "no section before this line: write [websockethost] or [pywebsocket] first")
            }
            let spaces = line.prefix(while: \.isWhitespace).count
            if let indentation, spaces > indentation {
                throw fail(
                    "is indented more than the line before, so it would continue that value; "
                        + "write each option on one line")
            }
            indentation = spaces
            let entry = try read(content, lineNumber, fail)
            let name = ServerOption.normalized(entry.key)
            if let first = lineNumbers[name] {
                throw fail("\(escaped(entry.key)) was already given in line \(first)")
            }
            lineNumbers[name] = lineNumber
            entries.append(entry)
        }
        return entries
    }

    private static func read(
        section line: String, _ fail: (String) -> UsageError
    ) throws(UsageError) -> String {
        guard line.hasSuffix("]") else { throw fail("no ] in '\(escaped(line))'") }
        let name = trimmed(line.dropFirst().dropLast())
        guard sections.contains(name) else {
            throw fail(
                "unknown section [\(escaped(name))]: use [websockethost] or [pywebsocket]")
        }
        return name
    }

    private static func read(
        _ line: String, _ lineNumber: Int, _ fail: (String) -> UsageError
    ) throws(UsageError) -> Entry {
        guard let separator = line.firstIndex(where: { $0 == "=" || $0 == ":" }),
            separator != line.startIndex
        else {
            throw fail(
                "expected 'name = value', found '\(escaped(line))'; a flag needs true or false")
        }
        let value = trimmed(line[line.index(after: separator)...])
        if let start = value.firstRange(of: "%("), value[start.upperBound...].contains(")s") {
            throw fail("%(…)s is not supported; write the value itself")
        }
        return Entry(key: trimmed(line[..<separator]), value: value, lineNumber: lineNumber)
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var rest = Substring(text)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }

    /// Some editors put a byte order mark in front.
    private static func withoutMark(_ line: Substring) -> Substring {
        guard line.unicodeScalars.first == "\u{FEFF}" else { return line }
        return Substring(line.unicodeScalars.dropFirst())
    }
}
