import Foundation
import Testing

/// Reads docs/CONFORMANCE.md and holds it to the tree: what it names has to be there.
@Suite("docs/CONFORMANCE.md names what exists")
struct ConformanceTests {
    /// The sections of each RFC that have a MUST for a server or a client library.
    static let sections: [(rfc: String, numbers: [String])] = [
        (
            "RFC 6455",
            [
                "4.1", "4.2.1", "4.2.2", "4.3", "4.4", "5.1", "5.2", "5.3", "5.4", "5.5", "5.5.1",
                "5.5.2",
                "5.6", "5.8", "6.1", "6.2", "7.1.2", "7.1.7", "7.2.1", "7.2.2", "7.4.1", "8.1", "9",
                "9.1",
                "10.3", "10.4", "10.6", "10.7",
            ]
        ),
        (
            "RFC 7692",
            ["5", "6.1", "6.2", "7", "7.1.1.2", "7.1.2.1", "7.1.2.2", "7.2.1", "7.2.2"]
        ),
    ]

    struct Row {
        let line: Int
        let section: String
        let requirement: String
        let file: String
        let test: String

        /// `docs/CONFORMANCE.md:12 (§5.1)`, for messages.
        var place: String { "docs/CONFORMANCE.md:\(line) (\(section))" }
    }

    /// The lines below a heading of the second level, numbered as in the file.
    private static func lines(under heading: String) throws -> [(number: Int, text: Substring)] {
        let all = try Repository.text("docs/CONFORMANCE.md").split(
            separator: "\n", omittingEmptySubsequences: false)
        let numbered = all.enumerated().map { (number: $0.offset + 1, text: $0.element) }
        let below = numbered.drop { $0.text != "## " + heading }.dropFirst()
        return Array(below.prefix { !$0.text.hasPrefix("## ") })
    }

    /// The rows of the table below a heading; a row that has not four cells is an issue.
    private static func rows(under heading: String) throws -> [Row] {
        let table = try lines(under: heading).filter { $0.text.hasPrefix("|") }.dropFirst(2)
        return table.compactMap { line in
            let cells = line.text.dropFirst().dropLast().split(
                separator: "|", omittingEmptySubsequences: false
            )
            .map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4, !cells.contains("") else {
                Issue.record(
                    "docs/CONFORMANCE.md:\(line.number): a row is section, requirement, file, test")
                return nil
            }
            return Row(
                line: line.number, section: cells[0], requirement: cells[1], file: cells[2],
                test: cells[3])
        }
    }

    @Test("each section with a MUST has a row", arguments: sections)
    func complete(_ rfc: String, _ numbers: [String]) throws {
        let rows = try Self.rows(under: rfc)
        try #require(!rows.isEmpty, "no table below '## \(rfc)'")
        for number in numbers {
            #expect(
                rows.contains { $0.section == "§" + number },
                "no row for \(rfc) §\(number): add one with its test")
        }
        for row in rows {
            let isNumber = row.section.dropFirst().allSatisfy { $0.isNumber || $0 == "." }
            #expect(
                row.section.hasPrefix("§") && isNumber, "\(row.place): write a section as §1.2.3")
        }
    }

    @Test("each file that a row names exists", arguments: sections.map(\.rfc))
    func files(_ rfc: String) throws {
        for row in try Self.rows(under: rfc) {
            #expect(
                Repository.exists("Sources/" + row.file),
                "\(row.place): there is no Sources/\(row.file)")
        }
    }

    @Test("each test that a row names exists", arguments: sections.map(\.rfc))
    func tests(_ rfc: String) throws {
        for row in try Self.rows(under: rfc) {
            if let fault = try Self.fault(inTest: row.test) {
                Issue.record("\(row.place): \(fault)")
            }
        }
    }

    @Test("what the rest of the page names exists")
    func others() throws {
        for heading in ["Not obeyed", "Suites from elsewhere"] {
            let lines = try Self.lines(under: heading)
            try #require(!lines.isEmpty, "no '## \(heading)' in docs/CONFORMANCE.md")
            for line in lines {
                for name in Self.quotedPaths(line.text) {
                    let fault =
                        name.contains(":")
                        ? try Self.fault(inTest: String(name.dropFirst("Tests/".count)))
                        : Repository.exists(name) ? nil : "there is no \(name)"
                    if let fault { Issue.record("docs/CONFORMANCE.md:\(line.number): \(fault)") }
                }
            }
        }
    }

    /// What stands in backticks and begins like a path of the tree.
    private static func quotedPaths(_ line: Substring) -> [String] {
        Repository.quoted(line).compactMap { name in
            if name.hasPrefix("Tests/") || name.hasPrefix(".ci/") { return name }
            return name.contains("Tests.swift:") ? "Tests/" + name : nil
        }
    }

    // MARK: Tests by name

    /// What is wrong with `Folder/File.swift:Suite/function` or `Folder/file_test.py:function`.
    private static func fault(inTest name: String) throws -> String? {
        let parts = name.split(separator: ":").map(String.init)
        guard parts.count == 2 else {
            return "'\(name)' is no test: write File.swift:Suite/function"
        }
        let path = "Tests/" + parts[0]
        guard Repository.exists(path) else { return "there is no \(path)" }
        let lines = try Repository.text(path).split(
            separator: "\n", omittingEmptySubsequences: false)
        if path.hasSuffix(".py") {
            return lines.contains { $0.hasPrefix("def \(parts[1])(") }
                ? nil : "\(path) has no def \(parts[1])"
        }
        let names = parts[1].split(separator: "/").map(String.init)
        guard names.count == 2 else { return "'\(parts[1])' is no test: write Suite/function" }
        guard let body = body(ofSuite: names[0], lines) else {
            return "\(path) has no suite \(names[0])"
        }
        return hasTest(names[1], body)
            ? nil : "\(path) has no @Test func \(names[1]) in \(names[0])"
    }

    /// The lines from a type's declaration to the brace that ends it, which stands as far to the
    /// left.
    private static func body(ofSuite name: String, _ lines: [Substring]) -> ArraySlice<Substring>? {
        guard
            let start = lines.firstIndex(where: { line in
                line.contains("struct \(name) ") || line.contains("struct \(name):")
            })
        else { return nil }
        let indentation = lines[start].prefix { $0 == " " }
        return lines[start...].prefix { $0 != indentation + "}" }
    }

    /// Whether there is such a function with `@Test` on its line or one of those right above.
    private static func hasTest(_ name: String, _ lines: ArraySlice<Substring>) -> Bool {
        guard let index = lines.firstIndex(where: { $0.contains("func \(name)(") }) else {
            return false
        }
        if lines[index].contains("@Test") { return true }
        let above = lines[..<index].reversed().prefix { line in
            let code = line.drop { $0 == " " }
            return !code.isEmpty && code != "}" && !code.hasPrefix("func ")
        }
        return above.contains { $0.contains("@Test") }
    }
}
