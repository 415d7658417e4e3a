import HTTPProtocol
import TestSupport
import Testing

@Suite("RFC 9110 §13 Conditional requests")
struct ConditionalTests {
    static let tags: [Row<String, EntityTag?>] = [
        Row("strong", #""xyzzy""#, EntityTag("xyzzy")),
        Row("weak", #"W/"xyzzy""#, EntityTag("xyzzy", isWeak: true)),
        Row("empty", #""""#, EntityTag("")),
        Row("comma and backslash", #""a,\b""#, EntityTag(#"a,\b"#)),
        Row("small w", #"w/"xyzzy""#, nil),
        Row("no quotes", "xyzzy", nil),
        Row("one quote", "\"", nil),
        Row("quote within", #""a"b""#, nil),
        Row("space within", #""a b""#, nil),
        Row("nothing", "", nil),
    ]

    @Test(arguments: tags)
    func tag(_ row: Row<String, EntityTag?>) {
        let tag = EntityTag(parsing: row.input)
        #expect(tag == row.expected)
        if let tag { #expect(tag.description == row.input) }
    }

    /// The table of §8.8.3.2.
    @Test(arguments: [
        (#"W/"1""#, #"W/"1""#, false, true), (#"W/"1""#, #"W/"2""#, false, false),
        (#"W/"1""#, #""1""#, false, true), (#""1""#, #""1""#, true, true),
    ])
    func comparison(_ first: String, _ second: String, _ isStrong: Bool, _ isWeak: Bool) throws {
        let (a, b) = (
            try #require(EntityTag(parsing: first)), try #require(EntityTag(parsing: second))
        )
        #expect(a.matchesStrongly(b) == isStrong && a.matchesWeakly(b) == isWeak)
    }

    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let before = "Sun, 06 Nov 1994 08:49:36 GMT"
    private static let after = "Sun, 06 Nov 1994 08:49:38 GMT"

    /// Of a representation with the tag "a", modified at `date`: for GET and for PUT.
    static let rows: [Row<[(String, String)], (Conditional.Outcome, Conditional.Outcome)>] = [
        Row("none", [], (.proceed, .proceed)),
        Row(
            "If-None-Match: same", [("If-None-Match", #""a""#)], (.notModified, .preconditionFailed)
        ),
        Row(
            "If-None-Match: weak", [("If-None-Match", #"W/"a""#)],
            (.notModified, .preconditionFailed)),
        Row(
            "If-None-Match: list", [("If-None-Match", #""b,", "a""#)],
            (.notModified, .preconditionFailed)),
        Row(
            "If-None-Match: two lines", [("If-None-Match", #""b""#), ("If-None-Match", #""a""#)],
            (.notModified, .preconditionFailed)),
        Row("If-None-Match: any", [("If-None-Match", "*")], (.notModified, .preconditionFailed)),
        Row("If-None-Match: other", [("If-None-Match", #""b""#)], (.proceed, .proceed)),
        Row("If-None-Match: malformed", [("If-None-Match", "a")], (.proceed, .proceed)),
        Row("If-None-Match: glued", [("If-None-Match", #""b""a""#)], (.proceed, .proceed)),
        Row(
            "If-None-Match wins", [("If-None-Match", #""b""#), ("If-Modified-Since", after)],
            (.proceed, .proceed)),
        Row("If-Modified-Since: same", [("If-Modified-Since", date)], (.notModified, .proceed)),
        Row("If-Modified-Since: before", [("If-Modified-Since", before)], (.proceed, .proceed)),
        Row("If-Modified-Since: after", [("If-Modified-Since", after)], (.notModified, .proceed)),
        Row(
            "If-Modified-Since: no date", [("If-Modified-Since", "yesterday")], (.proceed, .proceed)
        ),
        Row("If-Match: same", [("If-Match", #""a""#)], (.proceed, .proceed)),
        Row("If-Match: any", [("If-Match", "*")], (.proceed, .proceed)),
        Row(
            "If-Match: weak", [("If-Match", #"W/"a""#)], (.preconditionFailed, .preconditionFailed)),
        Row("If-Match: other", [("If-Match", #""b""#)], (.preconditionFailed, .preconditionFailed)),
        Row(
            "If-Match, then If-None-Match", [("If-Match", #""a""#), ("If-None-Match", #""a""#)],
            (.notModified, .preconditionFailed)),
        Row("If-Unmodified-Since: same", [("If-Unmodified-Since", date)], (.proceed, .proceed)),
        Row(
            "If-Unmodified-Since: before", [("If-Unmodified-Since", before)],
            (.preconditionFailed, .preconditionFailed)),
        Row(
            "If-Match wins", [("If-Match", #""a""#), ("If-Unmodified-Since", before)],
            (.proceed, .proceed)),
    ]

    private func fields(_ lines: [(String, String)]) throws -> Fields {
        var fields = Fields()
        for line in lines { try fields.append(line.0, line.1) }
        return fields
    }

    @Test(arguments: rows)
    func outcome(_ row: Row<[(String, String)], (Conditional.Outcome, Conditional.Outcome)>) throws
    {
        let state = Conditional(entityTag: EntityTag("a"), lastModified: 784_111_777)
        let fields = try fields(row.input)
        #expect(state.evaluate(fields, isReading: true) == row.expected.0)
        #expect(state.evaluate(fields, isReading: false) == row.expected.1)
    }

    @Test(
        "§13.1.5 If-Range",
        arguments: [
            (nil, true), (#""a""#, true), (#""b""#, false), (#"W/"a""#, false), (date, true),
            (before, false),
            (after, false), ("yesterday", false),
        ] as [(String?, Bool)])
    func ifRange(_ value: String?, _ isAllowed: Bool) throws {
        let state = Conditional(entityTag: EntityTag("a"), lastModified: 784_111_777)
        let fields = try fields(value.map { [("If-Range", $0)] } ?? [])
        #expect(state.allowsRange(fields, isDateStrong: true) == isAllowed)
        #expect(state.allowsRange(fields, isDateStrong: false) == (isAllowed && value != Self.date))
    }

    static let dates: [Row<String, Int?>] = [
        Row("IMF-fixdate", date, 784_111_777),
        Row("RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        Row("RFC 850 after 2000", "Monday, 29-Feb-16 00:00:00 GMT", 1_456_704_000),
        Row("asctime", "Sun Nov  6 08:49:37 1994", 784_111_777),
        Row("asctime, two digits", "Wed Nov 16 08:49:37 1994", 784_975_777),
        Row("first second", "Thu, 01 Jan 1970 00:00:00 GMT", 0),
        Row("last day of a century", "Fri, 31 Dec 1999 23:59:59 GMT", 946_684_799),
        Row("leap day", "Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
        Row("no leap day", "Mon, 29 Feb 2100 12:00:00 GMT", nil),
        Row("last of all", "Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        Row("before 1970", "Wed, 31 Dec 1969 23:59:59 GMT", nil),
        Row("other zone", "Sun, 06 Nov 1994 08:49:37 CET", nil),
        Row("no such month", "Sun, 06 Nob 1994 08:49:37 GMT", nil),
        Row("day 0", "Sun, 00 Nov 1994 08:49:37 GMT", nil),
        Row("hour 24", "Sun, 06 Nov 1994 24:49:37 GMT", nil),
        Row("one digit", "Sun, 6 Nov 1994 08:49:37 GMT", nil),
        Row("sign", "Sun, +6 Nov 1994 08:49:37 GMT", nil),
        Row("nothing", "", nil),
    ]

    @Test("§5.6.7 dates", arguments: dates)
    func readDate(_ row: Row<String, Int?>) {
        #expect(HTTPDate.secondsSince1970(row.input) == row.expected)
    }

    @Test func datesGoThereAndBack() {
        for seconds in stride(from: 0, through: 253_402_300_799, by: 86_400 * 97 + 12_345) {
            #expect(
                HTTPDate.secondsSince1970(HTTPDate.string(secondsSince1970: seconds)) == seconds)
        }
    }
}
