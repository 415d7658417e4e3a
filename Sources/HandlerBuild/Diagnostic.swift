/// One message of the compiler, with the lines and notes that belong to it.
package struct Diagnostic: Equatable, Sendable {
    package enum Severity: String, CaseIterable, Sendable { case error, warning, note, remark }

    /// Where the compiler found it.
    package enum Place: Equatable, Sendable {
        /// A file of the author's, below the handlers directory.
        case author(String, line: Int, column: Int)
        /// A file of somebody else, as the compiler named it.
        case other(String, line: Int, column: Int)
    }

    package var place: Place
    package var severity: Severity
    package var message: String
    /// The line of source, the caret below it, what the compiler would write instead.
    package var details: [String] = []
    package var notes: [Diagnostic] = []
    /// What the author may do about it, where more is known than the compiler knows.
    package var hint: String?

    package init(
        _ severity: Severity, at place: Place, _ message: String, details: [String] = []
    ) {
        self.severity = severity
        self.place = place
        self.message = message
        self.details = details
    }

    /// An error that concerns the whole file.
    package static func error(inFile path: String, _ message: String) -> Diagnostic {
        Diagnostic(.error, at: .author(path, line: 1, column: 1), message)
    }

    /// In the compiler's form, each line with its end.
    ///
    /// - Parameter directory: what stands before the author's paths: the handlers directory as the
    ///   author typed it, or as the compiler knows it; empty: nothing does.
    package func text(under directory: String) -> String {
        var text = "\(place.text(under: directory)): \(severity.rawValue): \(message)\n"
        for line in details { text += line + "\n" }
        for note in notes { text += note.text(under: directory) }
        if let hint { text += "    hint: \(hint)\n" }
        return text
    }
}

extension Diagnostic.Place {
    /// `handlers/echo_wsh.swift:3:11`
    func text(under directory: String) -> String {
        switch self {
        case .author(let path, let line, let column):
            "\(FileMessages.joined(directory, path)):\(line):\(column)"
        case .other(let path, let line, let column): "\(path):\(line):\(column)"
        }
    }
}
