import EventLoop
import HandlerRegistry

/// What a linker wrote about a program that it could not link.
package enum LinkerMessages {
    /// Handler files that keep the program from being linked: one that uses a symbol that nothing
    /// defines, or defines one that something else defines too.
    ///
    /// - Parameters:
    ///   - output: of GNU ld, gold or lld.
    ///   - objects: handler files, paths below the handlers directory, by what a linker calls them:
    ///     the paths of their object files, or of the sources that those were made from.
    /// - Returns: sorted by file; empty if no handler is at fault.
    package static func blamed(_ output: [UInt8], objects: [ExactText: String]) -> [FileMessages] {
        var messages: [ExactText: FileMessages] = [:]
        for complaint in complaints(output, objects) {
            for path in complaint.paths where messages[path] == nil {
                let error = "the file cannot be linked: \(complaint.reason(for: path))"
                messages[path] = FileMessages(path.text, [.error(inFile: path.text, error)])
            }
        }
        return FileMessages.sorted(Array(messages.values))
    }

    private struct Complaint {
        var problem: Problem?
        /// Of the handlers that it is about.
        var paths: Set<ExactText>

        func reason(for path: ExactText) -> String {
            let others = paths.subtracting([path]).map(\.text).sorted()
            return switch problem {
            case .undefined(let symbol): "it uses the symbol '\(symbol)', which nothing defines"
            case .duplicate(let symbol) where others.isEmpty:
                "it defines the symbol '\(symbol)', which the server defines"
            case .duplicate(let symbol):
                "it defines the symbol '\(symbol)', as does \(others.joined(separator: ", "))"
            case nil: "the linker failed"
            }
        }
    }

    /// GNU ld names the object files in the line before the problem or in its own, gold in its own
    /// and the next one, lld in those that follow.
    private static func complaints(
        _ output: [UInt8], _ objects: [ExactText: String]
    ) -> [Complaint] {
        let names = objects.flatMap { name, path in
            [name.text, name.text.swiftLiteralContent].map { (Array($0.utf8), ExactText(path)) }
        }
        var complaints: [Complaint] = []
        var namedBefore: Set<ExactText> = []
        for line in output.split(separator: UInt8(ascii: "\n")).map(CompilerOutput.printable) {
            let bytes = Array(line.utf8)
            let named = Set(names.filter { bytes.firstRange(of: $0.0) != nil }.map(\.1))
            if let problem = Problem(line) {
                complaints.append(Complaint(problem: problem, paths: namedBefore.union(named)))
                namedBefore = []
            } else if complaints.isEmpty || line.contains(": in function ") {
                namedBefore.formUnion(named)
            } else {
                complaints[complaints.count - 1].paths.formUnion(named)
            }
        }
        return complaints + [Complaint(problem: nil, paths: namedBefore)]
    }

    private enum Problem {
        case undefined(String)
        case duplicate(String)

        init?(_ line: String) {
            let introductions: [(text: String, isUndefined: Bool)] = [
                ("undefined reference to ", true), ("undefined symbol: ", true),
                ("multiple definition of ", false), ("duplicate symbol: ", false),
            ]
            for introduction in introductions {
                guard let range = line.firstRange(of: introduction.text) else { continue }
                let symbol = line[range.upperBound...]
                    .drop { $0 == "'" || $0 == "`" }.prefix { $0 != "'" && $0 != ";" }
                self =
                    introduction.isUndefined
                    ? .undefined(String(symbol)) : .duplicate(String(symbol))
                return
            }
            return nil
        }
    }
}
