/// The messages about one file of the author's.
package struct FileMessages: Equatable, Sendable {
    /// Below the handlers directory; empty: helper code, but not a certain file of it.
    package var path: String
    package var diagnostics: [Diagnostic]

    package init(_ path: String, _ diagnostics: [Diagnostic]) {
        self.path = path
        self.diagnostics = diagnostics
    }

    package var hasError: Bool { diagnostics.contains { $0.severity == .error } }

    /// Whether the file imports helper code that was not compiled.
    package var lacksHelperCode: Bool {
        diagnostics.contains { $0.message == "no such module 'Shared'" }
    }

    /// In the compiler's form, each line with its end; of very many messages some, errors first.
    ///
    /// - Parameter directory: see ``Diagnostic/text(under:)``.
    package func text(under directory: String) -> String {
        var shown = diagnostics[...]
        if diagnostics.count > Self.diagnosticLimit {
            let errors = diagnostics.filter { $0.severity == .error }
            let others = diagnostics.filter { $0.severity != .error }
            shown = (errors + others).prefix(Self.diagnosticLimit)
        }
        var text = shown.map { $0.text(under: directory) }.joined()
        let rest = diagnostics.count - Self.diagnosticLimit
        if rest > 0 { text += "(\(rest) more messages about this file)\n" }
        return text
    }

    /// 30: more than a screen. A file that is no Swift source gets thousands.
    static let diagnosticLimit = 30

    /// A path in a directory; an empty directory is left out.
    static func joined(_ directory: String, _ path: String) -> String {
        if directory.isEmpty { return path }
        return directory.hasSuffix("/") ? directory + path : "\(directory)/\(path)"
    }

    /// Sorted by file, as a build shows them.
    package static func sorted(_ all: [FileMessages]) -> [FileMessages] {
        all.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// Text that was kept from an earlier build, with the handlers directory named another way.
    ///
    /// - Parameters:
    ///   - root: the directory in `text`, where paths begin a line.
    ///   - directory: see ``Diagnostic/text(under:)``.
    package static func shortened(
        _ text: String, root: String, to directory: String
    ) -> String {
        let prefix = joined(root, "").utf8
        let lines = text.utf8.split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return lines.map { line in
            guard line.starts(with: prefix) else { return String(Substring(line)) }
            return joined(directory, "") + String(Substring(line.dropFirst(prefix.count)))
        }.joined(separator: "\n")
    }
}
