/// What an author may do about a message of the compiler, where more is known than it knows.
enum Hints {
    /// Each hint stands once in a file, below the first message that it belongs to.
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
        }
    }

    /// - Parameter message: of the compiler, without its place.
    private static func hint(for message: String, _ source: [UInt8]?) -> String? {
        if let module = quoted(after: "no such module ", in: message) { return missing(module) }
        if quoted(after: "cannot find type ", in: message).map(ofLibrary) == true
            || quoted(after: "cannot find ", in: message).map(ofLibrary) == true,
            source.map(importsLibrary) != true
        {
            return "a handler file needs 'import WebSocketHost'"
        }
        if message.hasSuffix("[#MutableGlobalVariable]") {
            return "connections run at the same time: share a Mutex in a 'let', or an actor; "
                + "docs/HANDLERS.md, \"State that connections share\""
        }
        if message.hasPrefix("invalid UTF-8 found") || message.contains("must be encoded as UTF-8")
            || message.hasPrefix("nul character embedded")
        {
            return "the file is not in UTF-8: save it in that encoding"
        }
        return nil
    }

    /// The word in quotation marks behind the beginning of a message.
    private static func quoted(after beginning: String, in message: String) -> String? {
        guard message.hasPrefix(beginning + "'") else { return nil }
        let word = message.dropFirst(beginning.count + 1).prefix { $0 != "'" }
        return word.isEmpty ? nil : String(word)
    }

    private static func ofLibrary(_ name: String) -> Bool {
        ["WebSocketHandler", "WebSocket", "HandshakeRequest", "HandshakeRejection", "Close"]
            .contains(name)
    }

    private static func importsLibrary(_ source: [UInt8]) -> Bool {
        source.split(separator: UInt8(ascii: "\n")).contains { line in
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            return words.contains { $0.elementsEqual("import".utf8) }
                && words.last?.starts(with: "WebSocketHost".utf8) == true
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
        let modules = ["WebSocketHost", "WebSocketClient", "Shared", "Foundation"]
        if let meant = modules.first(where: { $0.lowercased() == module.lowercased() }) {
            return "the module's name is '\(meant)'"
        }
        return "a handler file can import WebSocketHost, WebSocketClient, Shared (the files "
            + "without _wsh), Foundation, and the other modules of the Swift toolchain"
    }
}
