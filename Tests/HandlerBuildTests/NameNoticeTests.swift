import HandlerBuild
import TestSupport
import Testing

@Suite("A handler in a file without _wsh")
struct NameNoticeTests {
    static let sources: [Row<String, Bool>] = [
        Row("a handler", "import WebSocketHost\npublic let handler = WebSocketHandler {", true),
        Row("with its type", "public let handler: WebSocketHandler = x", true),
        Row("without spaces", "public let handler=x\r\n", true),
        Row("old line ends", "import WebSocketHost\rpublic\tlet  handler = x", true),
        Row("computed", "public var handler: WebSocketHandler { x }", true),
        Row("internal", "let handler = x", false),
        Row("a member", "struct X {\n    public let handler = x", false),
        Row("another name", "public let handlers = x", false),
        Row("a function", "public func handler() {}", false),
        Row("a comment", "// public let handler = x", false),
        Row("nothing", "", false), Row("cut off", "public let", false),
    ]

    @Test("what is noticed", arguments: sources)
    func noticed(_ row: Row<String, Bool>) {
        let text = NameNotice.text(path: "sub/chat.swift", source: Array(row.input.utf8))
        #expect((text != nil) == row.expected)
        if let text { #expect(text.contains("rename it to sub/chat_wsh.swift,")) }
    }

    @Test("any bytes")
    func bytes() {
        let source: [UInt8] = [0xFF, 0, 0x0A] + Array("public let handler = ".utf8) + [0xE9]
        #expect(NameNotice.text(path: "a.swift", source: source) != nil)
        #expect(NameNotice.text(path: "a.txt", source: source) == nil)
    }
}
