import HTTPProtocol
import TestSupport
import Testing

@Suite("RFC 9110 §14 Range")
struct ByteRangeTests {
    /// Of 10,000 bytes, as in the examples of §14.1.2.
    static let rows: [Row<String, RangeRequest>] = [
        Row("first 500", "bytes=0-499", .parts([0..<500])),
        Row("second 500", "bytes=500-999", .parts([500..<1_000])),
        Row("last 500", "bytes=-500", .parts([9_500..<10_000])),
        Row("from 9,500 on", "bytes=9500-", .parts([9_500..<10_000])),
        Row("first and last", "bytes=0-0,-1", .parts([0..<1, 9_999..<10_000])),
        Row(
            "first, middle and last 1,000", "bytes= 0-999, 4500-5499, -1000",
            .parts([0..<1_000, 4_500..<5_500, 9_000..<10_000])),
        Row("touching", "bytes=500-600,601-999", .parts([500..<1_000])),
        Row("overlapping", "bytes=500-700,601-999", .parts([500..<1_000])),
        Row("backwards", "bytes=700-999,500-600,601-699", .parts([500..<1_000])),
        Row("order is kept", "bytes=9-9,0-0", .parts([9..<10, 0..<1])),
        Row("empty elements", "bytes=,0-0,,", .parts([0..<1])),
        Row("unit in capitals", "BYTES=0-0", .parts([0..<1])),
        Row("end beyond the end", "bytes=9999-99999", .parts([9_999..<10_000])),
        Row("more than all", "bytes=-99999", .parts([0..<10_000])),
        Row("number over 64 bits", "bytes=0-99999999999999999999", .parts([0..<10_000])),
        Row("suffix over 64 bits", "bytes=-99999999999999999999", .parts([0..<10_000])),
        Row("one of two is there", "bytes=10000-,0-0", .parts([0..<1])),
        Row("behind the end", "bytes=10000-", .unsatisfiable),
        Row("first over 64 bits", "bytes=99999999999999999999-", .unsatisfiable),
        Row("last 0", "bytes=-0", .unsatisfiable),
        Row("other unit", "lines=0-1", .whole),
        Row("no equals sign", "bytes 0-1", .whole),
        Row("nothing", "bytes=", .whole),
        Row("last before first", "bytes=2-1", .whole),
        Row("no digit", "bytes=-", .whole),
        Row("sign", "bytes=+1-2", .whole),
        Row("two hyphens", "bytes=1--2", .whole),
        Row("hexadecimal", "bytes=0x1-2", .whole),
        Row("space within", "bytes=1 - 2", .whole),
        Row("one of two is malformed", "bytes=0-0,x", .whole),
        Row(
            "16 ranges", "bytes=" + (0..<16).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ","),
            .parts((0..<16).map { $0 * 2..<$0 * 2 + 1 })),
        Row(
            "17 ranges", "bytes=" + (0..<17).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ","),
            .whole),
    ]

    @Test(arguments: rows)
    func ranges(_ row: Row<String, RangeRequest>) {
        #expect(RangeRequest(row.input, byteCount: 10_000) == row.expected)
    }

    @Test func emptyRepresentation() {
        for value in ["bytes=0-0", "bytes=0-", "bytes=-1"] {
            #expect(RangeRequest(value, byteCount: 0) == .unsatisfiable)
        }
    }

    /// Whatever is asked for, no range leaves the file, is empty, or touches another.
    @Test func random() {
        var generator = SeededGenerator(seed: 9_110)
        for _ in 0..<20_000 {
            let byteCount = Int.random(in: 0...30, using: &generator)
            let letters = Array("0123456789-,= b")
            let length = Int.random(in: 0...14, using: &generator)
            let tail = (0..<length).map { _ in
                letters[Int.random(in: 0..<letters.count, using: &generator)]
            }
            guard
                case .parts(let ranges) = RangeRequest(
                    "bytes=" + String(tail), byteCount: byteCount)
            else { continue }
            #expect(
                !ranges.isEmpty && ranges.allSatisfy { !$0.isEmpty && $0.upperBound <= byteCount })
            let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
            #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        }
    }

    @Test func contentRange() {
        #expect(RangeRequest.contentRange(0..<500, byteCount: 1_234) == "bytes 0-499/1234")
    }
}
