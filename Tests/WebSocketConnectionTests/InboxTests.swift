import Testing
import WebSocketProtocol

@testable import WebSocketConnection

@Suite("Inbox")
struct InboxTests {
    private func message(_ number: Int) -> Message {
        // Some lie in the value itself, some in memory that is counted.
        switch number % 3 {
        case 0: .text("\(number)")
        case 1: .text("a text that is too long for a small one: \(number)")
        default: .binary(Array("\(number)".utf8))
        }
    }

    @Test func startsEmpty() {
        var inbox = Inbox(countLimit: 2, byteLimit: 10)
        #expect(inbox.isEmpty == true)
        #expect(inbox.isFull == false)
        #expect(inbox.popFirst() == nil)
    }

    struct LimitRow: Sendable {
        let messages: [Message]
        let isFull: Bool
    }

    @Test(arguments: [
        LimitRow(messages: [.text("12345")], isFull: false),
        LimitRow(messages: [.text("1234567890")], isFull: true),
        LimitRow(messages: [.text("1"), .binary([2])], isFull: true),
        LimitRow(messages: [.binary([UInt8](repeating: 0, count: 11))], isFull: true),
    ])
    func limits(row: LimitRow) {
        var inbox = Inbox(countLimit: 2, byteLimit: 10)
        for message in row.messages { inbox.append(message) }
        #expect(inbox.isFull == row.isFull)
        for message in row.messages { #expect(inbox.popFirst() == message) }
        #expect(inbox.isFull == false)
        #expect(inbox.isEmpty == true)
    }

    /// Each number of messages in it, wherever its first one lies.
    @Test(arguments: 0..<70)
    func firstInFirstOut(held: Int) {
        var inbox = Inbox(countLimit: 1_000, byteLimit: 100_000)
        for number in 0..<held { inbox.append(message(number)) }
        for number in held..<held + 200 {
            inbox.append(message(number))
            #expect(inbox.popFirst() == message(number - held))
        }
        inbox.shrink()
        for number in 200..<200 + held { #expect(inbox.popFirst() == message(number)) }
        #expect(inbox.isEmpty == true)
        inbox.shrink()
        inbox.append(message(1))
        #expect(inbox.popFirst() == message(1))
    }

    /// What is left in it goes with it.
    @Test func releasesWhatIsLeft() {
        var bytes = [UInt8](repeating: 7, count: 100)
        let address = bytes.withUnsafeBytes { $0.baseAddress }
        do {
            var inbox = Inbox(countLimit: 10, byteLimit: 1_000)
            inbox.append(.binary(bytes))
            inbox.append(.binary(bytes))
            #expect(inbox.popFirst() == .binary(bytes))
        }
        bytes[0] = 8  // in place only if they have no other owner
        #expect(bytes.withUnsafeBytes { $0.baseAddress } == address)
    }
}
