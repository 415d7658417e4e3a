/// The generated source text: the list of all handlers, and what each handler module gets for it.
package enum RegistrySource {
    /// A handler file's line in the list.
    package struct Entry: Sendable {
        package enum Source: Sendable {
            /// A module without generated files. With a file, the compiler's error about a missing
            /// `handler` names that.
            case module(String, file: String?)
            /// A module that has ``RegistrySource/export(path:)`` in it.
            case exported(String)
            /// The file does not compile, and this is why.
            case failure(String)
        }

        /// Below the handlers directory, `sub/echo_wsh.swift`.
        package let path: String
        package let source: Source

        package init(path: String, source: Source) {
            self.path = path
            self.source = source
        }

        var module: String? {
            switch source {
            case .module(let name, _), .exported(let name): name
            case .failure: nil
            }
        }
    }

    /// The text of Registry.swift: one function per handler, since a single literal of a thousand
    /// entries is slow to type-check.
    package static func list(_ entries: [Entry]) -> String {
        var text = "// Generated: the list of all handlers.\nimport WebSocketHost\n"
        for entry in entries {
            if let module = entry.module { text += "import \(module)\n" }
        }
        var named: Set<[UInt8]> = []
        for (index, entry) in entries.enumerated() {
            text += "\nprivate func registration\(index)() -> Registration {\n"
            switch entry.source {
            case .module(let module, let file?):
                // Two files of one name would be one `#fileID`, of which the compiler warns.
                let isLocated = named.insert(lastSegment(of: file)).inserted
                if isLocated { text += "#sourceLocation(file: \(file.swiftLiteral), line: 1)\n" }
                text += registration(entry.path, "handler: \(module).handler") + "\n"
                if isLocated { text += "#sourceLocation()\n" }
            case .module(let module, nil):
                text += registration(entry.path, "handler: \(module).handler") + "\n"
            case .exported(let module):
                text += "    \(module).exportedRegistration()\n"
            case .failure(let failure):
                text += registration(entry.path, "failure: \(failure.swiftLiteral)") + "\n"
            }
            text += "}\n"
        }
        text += "\nlet registrations: [Registration] = [\n"
        text += entries.indices.map { "    registration\($0)(),\n" }.joined()
        return text + "]\n"
    }

    /// By bytes: the compiler tells names apart that are equal to Swift.
    private static func lastSegment(of path: String) -> [UInt8] {
        Array(path.utf8.split(separator: UInt8(ascii: "/")).last ?? Substring().utf8)
    }

    /// A file that is compiled with a handler file.
    ///
    /// It fails to compile if that exports no handler. The list calls it by a symbol that does not
    /// depend on what the file contains, so the list stays as it is when a handler changes.
    ///
    /// - Parameter path: of the handler file, below the handlers directory.
    package static func export(path: String) -> String {
        """
        import WebSocketHost
        @inlinable public func exportedHandler() -> WebSocketHandler { handler }
        @inline(never) public func exportedRegistration() -> Registration {
            \(registration(path, "handler: exportedHandler()"))
        }

        """
    }

    private static func registration(_ path: String, _ content: String) -> String {
        "Registration(route: \(route(of: path).swiftLiteral), "
            + "source: \(path.swiftLiteral), \(content))"
    }

    /// What a handler file answers: `sub/echo_wsh.swift` answers `/sub/echo`.
    package static func route(of path: String) -> String {
        // By bytes: what stands before "_" may make one character of both.
        "/" + String(Substring(path.utf8.dropLast("_wsh.swift".utf8.count)))
    }
}
