import EventLoop
import HandlerRegistry

/// What the Swift compiler wrote about one module, with `-diagnostic-style=llvm`, taken apart.
///
/// The bytes may be any: the compiler quotes lines of the source, which may be in any encoding.
package struct CompilerOutput: Equatable, Sendable {
    /// In the order of the output; each has its notes with it.
    package private(set) var diagnostics: [Diagnostic] = []
    /// The compiler itself failed; what it wrote then is left out.
    package private(set) var hasCrashed = false

    /// A file that the compiler reads instead of the author's own. It may have a `#sourceLocation`
    /// with the original's path before the original's first line.
    package struct Copy: Sendable {
        /// Both absolute.
        var copy: String
        var original: String
        /// How many lines stand in the copy before the original's first one.
        var lineOffset: Int

        package init(copy: String, original: String, lineOffset: Int = 0) {
            self.copy = copy
            self.original = original
            self.lineOffset = lineOffset
        }
    }

    /// - Parameters:
    ///   - root: the handlers directory, absolute.
    ///   - copies: the files that were compiled.
    package init(_ bytes: [UInt8], root: String, copies: [Copy] = []) {
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.starts(with: "Stack dump:".utf8) {
                hasCrashed = true
                break
            }
            if let head = MessageHead(line) {
                add(head.diagnostic(root: root, copies))
            } else {
                add(detail: Self.printable(line))
            }
        }
        removeEmptyEnds()
    }

    private mutating func add(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .note, !diagnostics.isEmpty {
            diagnostics[diagnostics.count - 1].notes.append(diagnostic)
        } else {
            diagnostics.append(diagnostic)
        }
    }

    private mutating func add(detail: String) {
        guard let last = diagnostics.indices.last else { return }
        if let note = diagnostics[last].notes.indices.last {
            diagnostics[last].notes[note].details.append(detail)
        } else {
            diagnostics[last].details.append(detail)
        }
    }

    private mutating func removeEmptyEnds() {
        for index in diagnostics.indices {
            diagnostics[index].removeEmptyEnd()
            for note in diagnostics[index].notes.indices {
                diagnostics[index].notes[note].removeEmptyEnd()
            }
        }
    }

    /// Bytes as text that does a terminal no harm: what is not UTF-8, and control characters but
    /// tabs, become U+FFFD. Of a long line the beginning.
    static func printable(_ line: ArraySlice<UInt8>) -> String {
        var text = ""
        for scalar in String(decoding: line.prefix(lineByteLimit), as: UTF8.self).unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control && scalar != "\t"
            text.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
        }
        return text
    }

    /// 1,000: more than a line of source has that somebody wrote.
    private static let lineByteLimit = 1_000
}

extension Diagnostic {
    fileprivate mutating func removeEmptyEnd() {
        while let last = details.last, last.utf8.allSatisfy({ $0 == UInt8(ascii: " ") }) {
            details.removeLast()
        }
    }
}

/// The first line of a message: `PATH:LINE:COLUMN: error: MESSAGE`, or without a place.
private struct MessageHead {
    var path = ""
    var line = 0
    var column = 0
    let severity: Diagnostic.Severity
    let message: String

    init?(_ text: ArraySlice<UInt8>) {
        // A path may have colons too: the place is the first one that a severity stands behind.
        for colon in text.indices where text[colon] == UInt8(ascii: ":") {
            var rest = text[(colon + 1)...]
            guard let line = Self.number(&rest), let column = Self.number(&rest),
                rest.popFirst() == UInt8(ascii: " "), let (severity, end) = Self.severity(rest)
            else { continue }
            path = CompilerOutput.printable(text[..<colon])
            (self.line, self.column, self.severity) = (line, column, severity)
            message = CompilerOutput.printable(end)
            return
        }
        // The driver's own messages have no place, those about a whole module have no line.
        let unknown = Array("<unknown>:0: ".utf8)
        let rest = text.starts(with: unknown) ? text.dropFirst(unknown.count) : text
        guard let (severity, end) = Self.severity(rest) else { return nil }
        self.severity = severity
        message = CompilerOutput.printable(end)
    }

    /// Takes `12:` off.
    private static func number(_ text: inout ArraySlice<UInt8>) -> Int? {
        var number = 0
        var digitCount = 0
        while let byte = text.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
            digitCount += 1
            text.removeFirst()
            if digitCount > 9 { return nil }
        }
        return digitCount > 0 && text.popFirst() == UInt8(ascii: ":") ? number : nil
    }

    /// Takes `error: ` off.
    private static func severity(
        _ text: ArraySlice<UInt8>
    ) -> (Diagnostic.Severity, ArraySlice<UInt8>)? {
        for severity in Diagnostic.Severity.allCases {
            let word = "\(severity.rawValue): ".utf8
            if text.starts(with: word) { return (severity, text.dropFirst(word.count)) }
        }
        return nil
    }

    func diagnostic(root: String, _ copies: [CompilerOutput.Copy]) -> Diagnostic {
        Diagnostic(severity, at: place(root: root, copies), message)
    }

    /// `#sourceLocation` does not reach to the very end of a file, where a missing brace is
    /// noticed: there the compiler names the copy.
    private func place(root: String, _ copies: [CompilerOutput.Copy]) -> Diagnostic.Place {
        var path = path
        var line = line
        for copy in copies {
            if path.isExactly(copy.copy) {
                path = copy.original
                line = max(1, line - copy.lineOffset)
                break
            }
            if path.isExactly(copy.original.swiftLiteralContent) {
                path = copy.original
                break
            }
        }
        let directory = FileMessages.joined(root, "")
        guard path.beginsExactly(with: directory) else {
            return .other(path, line: line, column: column)
        }
        return .author(
            String(Substring(path.utf8.dropFirst(directory.utf8.count))), line: line, column: column
        )
    }
}
