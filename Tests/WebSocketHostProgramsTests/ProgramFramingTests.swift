import Testing
import WebSocketHost
import WebSocketProtocol

@testable import WebSocketHostPrograms

@Suite("Messages as programs get them")
struct ProgramFramingTests {
    @Test("a message as input")
    func input() {
        let rows: [(ProgramFraming, Message, [UInt8])] = [
            (.lines, .text("a"), [97, 10]), (.lines, .text("a\nb"), [97, 10, 98, 10]),
            (.lines, .text(""), [10]), (.lines, .binary([1, 2]), [1, 2]),
            (.bytes, .text("a"), [97, 10]), (.bytes, .binary([1]), [1]),
            (.lengthPrefixed, .text("a"), [0, 0, 0, 1, 97]),
            (.lengthPrefixed, .binary([]), [0, 0, 0, 0]),
            (.lengthPrefixed, .binary([7, 8]), [0, 0, 0, 2, 7, 8]),
        ]
        for (framing, message, bytes) in rows { #expect(framing.input(message) == bytes) }
    }

    @Test("a length has four bytes, the most significant one first")
    func length() {
        #expect(ProgramFraming.length([0, 1, 2, 3]) == 66_051)
        #expect(ProgramFraming.length([255, 255, 255, 255]) == 4_294_967_295)
        #expect(ProgramFraming.length([0, 0, 1]) == nil)
        let long = ProgramFraming.lengthPrefixed.input(
            .binary([UInt8](repeating: 1, count: 66_051)))
        #expect(long.prefix(5) == [0, 1, 2, 3, 1])
    }

    /// A client that could end a line could speak for others in the next one.
    @Test(
        "each line of a shared program's client has its number",
        arguments: [
            ("a", "7 text a\n"), ("", "7 text \n"), ("a\nb", "7 text a\n7 text b\n"),
            ("a\r\n8 text b", "7 text a\n7 text 8 text b\n"),
            ("a\r8 close", "7 text a\n7 text 8 close\n"), ("a\n", "7 text a\n7 text \n"),
            ("a\u{2028}8 close\u{2029}b", "7 text a\n7 text 8 close\n7 text b\n"),
            ("a\u{B}b\u{C}c\u{85}d", "7 text a\n7 text b\n7 text c\n7 text d\n"),
            ("a\u{1C}b\u{1D}c\u{1E}d", "7 text a\n7 text b\n7 text c\n7 text d\n"),
        ])
    func sharedLines(_ text: String, _ expected: String) {
        #expect(SharedProgram.lines(text, number: 7) == expected)
    }
}
