import TestSupport
import Testing

@testable import WebSocketProtocol

@Suite("RFC 6455 §5.6 Messages")
struct MessageTests {
    static let pairs: [Row<(Message, Message), Bool>] = [
        Row("nothing", (.text(""), .text("")), true),
        Row("nothing of two kinds", (.text(""), .binary([])), false),
        Row("bytes of two kinds", (.text("a"), .binary([0x61])), false),
        Row("bytes", (.binary([1, 2]), .binary([1, 2])), true),
        Row("other bytes", (.binary([1, 2]), .binary([1, 3])), false),
        Row("another length", (.text("12345678"), .text("123456789")), false),
        Row("é, and e with an accent", (.text("\u{E9}"), .text("e\u{301}")), false),
        // Canonically equivalent and of one length.
        Row(
            "accents in another order", (.text("a\u{327}\u{301}"), .text("a\u{301}\u{327}")), false),
    ]

    @Test(arguments: pairs)
    func equality(_ row: Row<(Message, Message), Bool>) {
        let (first, second) = row.input
        #expect((first == second) == row.expected)
        #expect((second == first) == row.expected)
        if row.expected { #expect(first.hashValue == second.hashValue) }
    }

    @Test("a text differs from one with another byte, wherever that is")
    func everyByte() {
        for count in 0...33 {
            let bytes = [UInt8](repeating: 0x61, count: count)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(Message.text(text) == .text(String(decoding: bytes, as: UTF8.self)))
            for index in bytes.indices {
                var other = bytes
                other[index] = 0x62
                #expect(
                    Message.text(text) != .text(String(decoding: other, as: UTF8.self)),
                    "\(count) \(index)")
            }
        }
    }
}
