import Testing

@testable import CommandLineOptions

@Suite("Did you mean")
struct NearestTests {
    static let words = ["port", "log-file", "log-format", "log-max", "queue"]
    static let rows: [(word: String, match: String?)] = [
        ("prot", "port"), ("por", "port"), ("log-fil", "log-file"), ("log-form", "log-format"),
        ("log_max", "log-max"),
        ("quue", "queue"), ("w", nil), ("", nil), ("something-else", nil),
        (String(repeating: "x", count: 500), nil),
    ]

    @Test("the nearest word, if it is near", arguments: rows)
    func match(_ word: String, _ match: String?) {
        #expect(Nearest.match(word, among: Self.words) == match, "\(word.prefix(20))")
    }

    @Test("distance counts edits")
    func distance() {
        #expect(Nearest.distance("kitten", "sitting") == 3)
        #expect(Nearest.distance("", "abc") == 3 && Nearest.distance("abc", "") == 3)
        #expect(Nearest.distance("same", "same") == 0)
    }
}
