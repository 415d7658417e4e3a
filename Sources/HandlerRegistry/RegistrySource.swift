/// The Swift source that is generated for a program: the list of its handlers, and the files that
/// stand beside a handler file or instead of it.
package enum RegistrySource {
    /// One handler file.
    package struct Entry: Sendable {
        /// The module that exports `handler`, or `failure` if the file was left out.
        package var module: String
        /// Below the handlers directory: `sub/echo_wsh.swift`.
        package var path: String
        /// Where errors in the entry are reported, a path for the compiler; `nil`: in the list.
        package var reportedAt: String?
        /// Whether the module is a stand-in, made by ``standIn(failure:)``.
        package var isLeftOut: Bool

        package init(
            module: String, path: String, reportedAt: String? = nil, isLeftOut: Bool = false
        ) {
            self.module = module
            self.path = path
            self.reportedAt = reportedAt
            self.isLeftOut = isLeftOut
        }

        /// `/sub/echo`
        package var route: String {
            "/" + (path.hasSuffix(Self.suffix) ? path.dropLast(Self.suffix.count) : path[...])
        }

        private static let suffix = "_wsh.swift"
    }

    /// The text of Registry.swift: one function for each handler, since a single literal of a
    /// thousand entries is slow to type-check.
    package static func text(_ entries: [Entry]) -> String {
        var text = "// The list of all handlers. Generated.\nimport WebSocketHost\n"
        text += entries.map { "import \($0.module)\n" }.joined()
        // Two files of one name would be one `#fileID`, of which the compiler warns.
        var namesInUse: Set<Substring> = []
        for (index, entry) in entries.enumerated() {
            let what = entry.isLeftOut ? "failure" : "handler"
            text += "\nprivate func registration\(index)() -> Registration {\n"
            let name = entry.reportedAt?.split(separator: "/").last
            let isLocated = name.map { namesInUse.insert($0).inserted } ?? false
            if isLocated, let file = entry.reportedAt {
                text += "#sourceLocation(file: \(file.swiftLiteral), line: 1)\n"
            }
            text += "Registration(route: \(entry.route.swiftLiteral), "
            text += "source: \(entry.path.swiftLiteral), \(what): \(entry.module).\(what))\n"
            if isLocated { text += "#sourceLocation()\n" }
            text += "}\n"
        }
        text += "\nlet registrations: [Registration] = [\n"
        text += entries.indices.map { "    registration\($0)(),\n" }.joined()
        return text + "]\n"
    }

    /// The second file of a handler's module. It fails to compile if the first one exports no
    /// `handler` that the list of handlers can use.
    package static let export = """
        import WebSocketHost
        @inlinable public func exportedHandler() -> WebSocketHandler { handler }

        """

    /// The module of a handler file that is left out; its route answers 503 with `failure`.
    package static func standIn(failure: String) -> String {
        "\(standInMark)\npublic let failure = \(failure.swiftLiteral)\n"
    }

    /// How a stand-in begins.
    package static let standInMark = "// left out"
}
