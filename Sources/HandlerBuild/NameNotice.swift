import EventLoop

/// A file that was meant as a handler, by the look of it, but is helper code by its name.
package enum NameNotice {
    /// - Parameters:
    ///   - path: of a file whose name does not end in `_wsh.swift`, below the handlers directory.
    ///   - source: what it has.
    /// - Returns: a sentence for the author; `nil`: the file exports no handler.
    package static func text(path: String, source: [UInt8]) -> String? {
        guard path.endsExactly(with: ".swift") else { return nil }
        let lines = source.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        guard lines.contains(where: exportsHandler) else { return nil }
        let name = "\(path.dropLast(".swift".count))_wsh.swift"
        return "\(path) has a 'public let handler' and is not served, because its name does not "
            + "end in _wsh.swift: rename it to \(name), or the handler"
    }

    /// Only what stands at the beginning of a line is taken: a handler is no member of a type.
    private static func exportsHandler(_ line: ArraySlice<UInt8>) -> Bool {
        let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard words.count >= 3, line.first == words[0].first,
            words[0].elementsEqual("public".utf8),
            words[1].elementsEqual("let".utf8) || words[1].elementsEqual("var".utf8)
        else { return false }
        let name = words[2].prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "=") }
        return name.elementsEqual("handler".utf8)
    }
}
