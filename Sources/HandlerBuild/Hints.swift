/// What an author may do about a message of the compiler, where more is known than it knows.
enum Hints {
    /// Each hint stands once in a file, below the first error that it belongs to.
    ///
    /// - Parameter source: what the file has; `nil`: not known.
    static func add(to messages: inout FileMessages, source: [UInt8]?) {
        var given: Set<String> = []
        for index in messages.diagnostics.indices {
            let diagnostic = messages.diagnostics[index]
            guard diagnostic.severity == .error, let hint = hint(for: diagnostic.message, source),
                given.insert(hint).inserted
            else { continue }
            messages.diagnostics[index].hint = hint
            if diagnostic.message.hasPrefix(otherEncoding) {
                messages.diagnostics[index].details = []  // Nobody can read it.
            }
        }
    }

    private static let otherEncoding = "input files must be encoded as UTF-8"

    /// - Parameter message: of the compiler, without its place.
    private static func hint(for message: String, _ source: [UInt8]?) -> String? {
        if let module = quoted(after: "no such module ", in: message) { return missing(module) }
        if let name = quoted(after: "cannot find ", in: message)
            ?? quoted(after: "cannot find type ", in: message)
        {
            guard libraryTypes.contains(name), source.map(importsLibrary) != true else {
                return nil
            }
            return "a handler file needs 'import WebSocketHost'"
        }
        if message.hasSuffix("[#MutableGlobalVariable]")
            || message.hasPrefix("mutation of captured var")
        {
            return "connections run at the same time: share a Mutex in a 'let', or an actor; "
                + "docs/HANDLERS.md, \"State that connections share\""
        }
        // A text in UTF-16 or UTF-32 begins with a character that has a zero in it.
        if message.hasPrefix("invalid UTF-8 found") || message.hasPrefix(otherEncoding)
            || source?.prefix(4).contains(0) == true
        {
            return "save the file in UTF-8"
        }
        return nil
    }

    /// The word in quotation marks behind the beginning of a message.
    private static func quoted(after beginning: String, in message: String) -> String? {
        guard message.hasPrefix(beginning + "'") else { return nil }
        return String(message.dropFirst(beginning.count + 1).prefix { $0 != "'" })
    }

    /// Of WebSocketHost, those that a first handler file has.
    private static let libraryTypes = [
        "WebSocketHandler", "WebSocket", "HandshakeRequest", "HandshakeRejection",
    ]

    private static func importsLibrary(_ source: [UInt8]) -> Bool {
        source.split(separator: UInt8(ascii: "\n")).contains { line in
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard let first = words.first, !first.starts(with: "//".utf8) else { return false }
            return words.contains { $0.elementsEqual("import".utf8) }
                && words.contains { $0.starts(with: "WebSocketHost".utf8) }
        }
    }

    private static func missing(_ module: String) -> String {
        if module == "Shared" {
            return "'Shared' is the files of this directory without _wsh in their names; "
                + "there are none"
        }
        if module.hasSuffix("_wsh") {
            return "handler files do not import each other: what they share goes into a file "
                + "without _wsh, which is imported as 'Shared'"
        }
        let modules = [
            "WebSocketHost", "WebSocketHostJSON", "WebSocketClient", "Shared", "Foundation",
        ]
        if let meant = modules.first(where: { $0.lowercased() == module.lowercased() }) {
            return "the module's name is '\(meant)'"
        }
        return "a handler file can import WebSocketHost, WebSocketHostJSON, WebSocketClient, "
            + "Shared (the files without _wsh), Foundation, and the other modules of the Swift "
            + "toolchain"
    }
}
