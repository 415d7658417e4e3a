import Testing

/// Holds the tables of docs/REFERENCE.md to what the sources declare.
@Suite("docs/REFERENCE.md has every member that handlers can call")
struct ReferenceTests {
    private static let page = "docs/REFERENCE.md"
    /// What `Hashable` and `AsyncSequence` ask for; nobody calls it by name.
    private static let left: Set = ["==(a:b:)", "hash(into:)", "makeAsyncIterator()"]

    @Test(
        "by type and heading",
        arguments: [
            // What it can do as any other publisher, too.
            (["WebSocket", "MessagePublisher"], "## The socket"),
            (["HandshakeRequest"], "## The request"),
        ])
    func members(types: [String], heading: String) throws {
        let type = types[0]
        let declared = try types.reduce(into: Set<String>()) { members, type in
            let own = try Self.members(of: type).subtracting(Self.left)
            try #require(!own.isEmpty, "the members of \(type) were not found")
            members.formUnion(own)
        }
        try #require(declared.count > 20, "the members of \(type) were not found")
        let rows = try Repository.tableRows(Self.page, under: heading)
        let described = rows.flatMap { Repository.quoted($0[0]) }
        #expect(Set(described).count == described.count, "a member is there twice")
        for member in declared.subtracting(described).sorted() {
            Issue.record("\(Self.page), \"\(heading)\" lacks a row `\(member)` of \(type)")
        }
        for member in Set(described).subtracting(declared).sorted() {
            Issue.record("\(Self.page), \"\(heading)\": \(type) has no `\(member)`")
        }
    }

    /// `name` of a property, `name(label:)` of a method: what is public in the declaration of a
    /// type and in its extensions, of all modules.
    private static func members(of type: String) throws -> Set<String> {
        var members: Set<String> = []
        for file in try Repository.swiftFiles("Sources") {
            var isInside = false
            for (index, line) in file.lines.enumerated() {
                if let first = line.first, !first.isWhitespace, first != "}", first != ")" {
                    let words = line.split { !$0.isLetter }
                    isInside =
                        line.hasPrefix("public struct \(type):")
                        || (line.hasPrefix("extension ") && words.dropFirst().first == type[...]
                            && !line.hasPrefix("extension \(type)."))
                }
                guard isInside, line.hasPrefix("    public ") else { continue }
                let text = file.lines[index...].prefix(12).joined(separator: " ")
                if let member = member(text) { members.insert(member) }
            }
        }
        return members
    }

    /// - Parameter text: begins with a declaration.
    private static func member(_ text: String) -> String? {
        let words = text.split(separator: " ")
        let kinds: Set<Substring> = ["var", "let", "func"]
        // Not beyond the brace: a nested type has members too.
        guard let kind = words.prefix(while: { $0 != "{" }).firstIndex(where: kinds.contains) else {
            return nil
        }
        let rest = words[(kind + 1)...].joined(separator: " ")
        guard words[kind] == "func" else {
            return String(rest.prefix { $0.isLetter || $0.isNumber })
        }
        let name = rest.prefix { $0 != "(" && $0 != "<" && $0 != " " }
        return name + "(" + labels(rest.drop { $0 != "(" }.dropFirst()) + ")"
    }

    /// Of the parameters up to the bracket that ends them: `label:` of each.
    private static func labels(_ text: Substring) -> String {
        var parameters = [""]
        var depth = 0
        var previous: Character = " "
        for character in text {
            switch character {
            case "(", "[", "<", "{": depth += 1
            case ")" where depth == 0:
                return parameters.compactMap { $0.split { $0 == " " || $0 == ":" }.first }
                    .map { $0 + ":" }.joined()
            case ">" where previous == "-": break  // of an arrow
            case ")", "]", ">", "}": depth -= 1
            default: break
            }
            if character == ",", depth == 0 {
                parameters.append("")
            } else {
                parameters[parameters.count - 1].append(character)
            }
            previous = character
        }
        return ""
    }
}
