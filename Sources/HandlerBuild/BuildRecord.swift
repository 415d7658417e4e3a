import EventLoop

/// What a program was made from. It lies beside the program, as text.
struct BuildRecord: Equatable, Sendable {
    enum State: String, Sendable {
        case good
        /// The file does not compile; what it was before is in the program.
        case kept
        /// The file does not compile, and answers 503.
        case broken
    }

    struct Item: Equatable, Sendable {
        var file: HandlerFile
        var state = State.good
        /// The key of the compiled module that is in the program; empty: none.
        var key = ""
        /// ``HandlerModules/helpersIdentity`` when that was compiled; empty: it uses no helpers.
        var helpers = ""
    }

    /// Of the server without handlers.
    var server = ""
    /// Of everything that was linked.
    var link = ""
    /// Helpers and handlers.
    var items: [Item] = []

    var hasKept: Bool { items.contains { $0.state == .kept } }
    var hasBroken: Bool { items.contains { $0.state != .good } }

    /// By path.
    var files: [ExactText: HandlerFile] {
        Dictionary(items.map { ($0.file.exactPath, $0.file) }, uniquingKeysWith: { $1 })
    }
    var byPath: [ExactText: Item] {
        Dictionary(items.map { ($0.file.exactPath, $0) }, uniquingKeysWith: { $1 })
    }

    /// Whether the program is what these would give.
    func covers(_ files: HandlerFiles, server: String) -> Bool {
        guard self.server == server, items.count == files.all.count else { return false }
        let mine = self.files
        return files.all.allSatisfy { mine[$0.exactPath]?.digest == $0.digest }
    }

    // MARK: - As text

    init() {}

    init?(text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard lines.popFirst() == Substring(Self.form), let server = lines.popFirst(),
            let link = lines.popFirst()
        else { return nil }
        (self.server, self.link) = (String(server), String(link))
        for line in lines where !line.isEmpty {
            let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
                .map(String.init)
            guard words.count == 6, let state = State(rawValue: words[0]) else { return nil }
            items.append(
                Item(
                    file: HandlerFile(path: words[5], stamp: words[1], digest: words[2]),
                    state: state, key: words[3], helpers: words[4]))
        }
    }

    private static let form = "1"

    var text: String {
        let lines = items.map { item in
            let words = [
                item.state.rawValue, item.file.stamp, item.file.digest, item.key, item.helpers,
                item.file.path,
            ]
            return words.joined(separator: " ") + "\n"
        }
        return "\(Self.form)\n\(server)\n\(link)\n" + lines.joined()
    }
}
