/// `@main` in a handler file: the compiler takes it, the program already has its entry point.
package enum MainAttribute {
    /// - Parameter source: what the file has.
    package static func error(inFile path: String, source: [UInt8]) -> Diagnostic {
        let lines = source.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let index = lines.firstIndex { String(decoding: $0, as: UTF8.self).contains("@main") }
        return Diagnostic(
            .error, at: .author(path, line: (index ?? 0) + 1, column: 1),
            "'@main' has no place in a handler file: the server is the program")
    }
}
