import Testing
import WebSocketProtocol

@testable import WebSocketConnection

@Suite("Inbox")
struct InboxTests {
    @Test("order, limits by count and by bytes, memory given back")
    func inbox() {
        var inbox = Inbox(countLimit: 3, byteLimit: 10)
        for number in 0..<3 {
            #expect(!inbox.isFull)
            inbox.append(.text("\(number)"))
        }
        #expect(inbox.isFull)
        let first = inbox.popFirst()
        #expect(first == .text("0") && !inbox.isFull)
        inbox.append(.binary([UInt8](repeating: 0, count: 8)))
        #expect(inbox.isFull)
        let rest = (0..<4).map { _ in inbox.popFirst() }
        #expect(rest == [.text("1"), .text("2"), .binary([UInt8](repeating: 0, count: 8)), nil])
        #expect(inbox.isEmpty)
    }
}
