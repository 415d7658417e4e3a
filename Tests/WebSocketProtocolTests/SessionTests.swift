import TestSupport
import Testing

@testable import WebSocketProtocol

/// Bytes for one role's session and what comes of them.
struct SessionRow: Sendable, CustomTestStringConvertible {
    let name: String
    /// The frames as they travel to a session of the role.
    let bytes: @Sendable (Role) -> [UInt8]
    var events: [Session.Event] = []
    var failure: ProtocolError?
    var messageByteLimit = 1 << 20

    var testDescription: String { name }
}

@Suite("RFC 6455 §5 Receiving")
struct ReceivingTests {
    /// §5.7, byte for byte.
    static let examples: [Row<(Role, String), Session.Event>] = [
        Row("unmasked text", (.client, "81 05 48 65 6c 6c 6f"), .message(.text("Hello"))),
        Row(
            "masked text", (.server, "81 85 37 fa 21 3d 7f 9f 4d 51 58"),
            .message(.text("Hello"))),
        Row(
            "fragmented text", (.client, "01 03 48 65 6c 80 02 6c 6f"),
            .message(.text("Hello"))),
        Row("unmasked Ping", (.client, "89 05 48 65 6c 6c 6f"), .ping(Array("Hello".utf8))),
        Row(
            "masked Pong", (.server, "8a 85 37 fa 21 3d 7f 9f 4d 51 58"),
            .pong(Array("Hello".utf8))),
    ]

    @Test(arguments: examples)
    func example(_ row: Row<(Role, String), Session.Event>) {
        let outcome = everySplit(hex(row.input.1), role: row.input.0)
        #expect(outcome == Outcome(events: [row.expected]))
    }

    @Test(arguments: [0, 1, 125, 126, 127, 256, 65_535, 65_536], [Role.server, .client])
    func length(byteCount: Int, role: Role) {
        let payload = pattern(byteCount)
        let binary = wire(0x82, payload, to: role)
        #expect(everySplit(binary, role: role).events == [.message(.binary(payload))])
        let text = String(repeating: "x", count: byteCount)
        #expect(
            outcome(of: [wire(0x81, Array(text.utf8), to: role)[...]], role: role).events
                == [.message(.text(text))])
    }

    static let rows: [SessionRow] = [
        SessionRow(name: "nothing", bytes: { _ in [] }),
        SessionRow(
            name: "two messages",
            bytes: { wire(0x81, [0x61], to: $0) + wire(0x82, [1, 2], to: $0) },
            events: [.message(.text("a")), .message(.binary([1, 2]))]),
        SessionRow(
            name: "control frames between fragments",
            bytes: {
                wire(0x01, [0x61], to: $0) + wire(0x89, [1, 2], to: $0) + wire(0x00, to: $0)
                    + wire(0x8A, to: $0) + wire(0x80, [0x62], to: $0)
            }, events: [.ping([1, 2]), .pong([]), .message(.text("ab"))]),
        SessionRow(
            name: "Close between fragments ends all",
            bytes: { wire(0x02, [1], to: $0) + wire(0x88, to: $0) + wire(0x80, [2], to: $0) },
            events: [.close(Close())]),
        SessionRow(
            name: "longest control payload", bytes: { wire(0x89, pattern(125), to: $0) },
            events: [.ping(pattern(125))]),
        SessionRow(
            name: "character cut across fragments",
            bytes: {
                wire(0x01, hex("f0 9f"), to: $0) + wire(0x00, hex("98"), to: $0)
                    + wire(0x80, hex("80"), to: $0)
            }, events: [.message(.text("😀"))]),
        SessionRow(
            name: "fragments all empty",
            bytes: { wire(0x01, to: $0) + wire(0x00, to: $0) + wire(0x80, to: $0) },
            events: [.message(.text(""))]),
        SessionRow(
            name: "empty fragments around the payload",
            bytes: { wire(0x02, to: $0) + wire(0x00, [7], to: $0) + wire(0x80, to: $0) },
            events: [.message(.binary([7]))]),
        SessionRow(
            name: "binary need not be UTF-8",
            bytes: { wire(0x02, hex("ff c3"), to: $0) + wire(0x80, hex("ff"), to: $0) },
            events: [.message(.binary(hex("ff c3 ff")))]),
        SessionRow(
            name: "text after fragmented text starts afresh",
            bytes: {
                wire(0x01, [0x61], to: $0) + wire(0x80, [0x62], to: $0)
                    + wire(0x81, hex("c3 a9"), to: $0)
            }, events: [.message(.text("ab")), .message(.text("é"))]),
        SessionRow(
            name: "BOM and U+0000 are kept", bytes: { wire(0x81, hex("ef bb bf 00"), to: $0) },
            events: [.message(.text("\u{FEFF}\0"))]),
        SessionRow(
            name: "§5.5.1: bytes after Close are dropped",
            bytes: {
                wire(0x88, hex("03 e8 6f 6b"), to: $0) + wire(0x81, [0x61], to: $0)
                    + wire(0x88, to: $0) + hex("ff ff ff")
            }, events: [.close(Close(1000, reason: "ok"))]),
        SessionRow(
            name: "message of exactly the limit", bytes: { wire(0x82, pattern(10), to: $0) },
            events: [.message(.binary(pattern(10)))], messageByteLimit: 10),
        SessionRow(
            name: "fragments of exactly the limit",
            bytes: {
                wire(0x02, pattern(4), to: $0) + wire(0x89, pattern(125), to: $0)
                    + wire(0x80, Array(pattern(10)[4...]), to: $0)
            }, events: [.ping(pattern(125)), .message(.binary(pattern(10)))], messageByteLimit: 10),
        SessionRow(
            name: "limit 0 takes empty messages", bytes: { wire(0x82, to: $0) },
            events: [.message(.binary([]))], messageByteLimit: 0),
    ]

    @Test(arguments: rows, [Role.server, .client])
    func row(_ row: SessionRow, role: Role) {
        let outcome = everySplit(
            row.bytes(role), role: role, messageByteLimit: row.messageByteLimit)
        #expect(outcome == Outcome(events: row.events, failure: row.failure))
    }
}

@Suite("RFC 6455 §7.1.7 Peer faults")
struct PeerFaultTests {
    static let rows: [SessionRow] = [
        fault("RSV1", .reservedBits(4)) { wire(0xC1, [0x61], to: $0) },
        fault("RSV2", .reservedBits(2)) { wire(0xA1, [0x61], to: $0) },
        fault("RSV3 on a control frame", .reservedBits(1)) { wire(0x99, to: $0) },
        fault("all reserved bits", .reservedBits(7)) { wire(0xF2, to: $0) },
        fault("opcode 3", .reservedOpcode(3)) { wire(0x83, to: $0) },
        fault("opcode 7", .reservedOpcode(7)) { wire(0x87, to: $0) },
        fault("opcode B", .reservedOpcode(0xB)) { wire(0x8B, to: $0) },
        fault("opcode F", .reservedOpcode(0xF)) { wire(0x8F, to: $0) },
        fault("fragmented Ping", .fragmentedControlFrame(.ping)) { wire(0x09, to: $0) },
        fault("fragmented Pong", .fragmentedControlFrame(.pong)) { wire(0x0A, to: $0) },
        fault("fragmented Close", .fragmentedControlFrame(.close)) { wire(0x08, to: $0) },
        fault("Ping of 126", .controlFrameTooLong(byteCount: 126)) {
            wire(0x89, pattern(126), to: $0)
        },
        fault("Close in the longest form", .controlFrameTooLong(byteCount: 127)) {
            wire(0x88, to: $0, announced: 1 << 40)
        },
        fault("125 in 16 bits", .lengthNotMinimal(byteCount: 125)) {
            [0x82, $0 == .server ? 0xFE : 0x7E, 0, 125]
        },
        fault("65535 in 64 bits", .lengthNotMinimal(byteCount: 65_535)) {
            [0x82, $0 == .server ? 0xFF : 0x7F] + hex("00 00 00 00 00 00 ff ff")
        },
        fault("length with the top bit", .lengthOverflow) {
            [0x82, $0 == .server ? 0xFF : 0x7F] + hex("ff ff ff ff ff ff ff ff")
        },
        fault("continuation of nothing", .unexpectedContinuation) { wire(0x80, [1], to: $0) },
        fault("fragment of nothing", .unexpectedContinuation) { wire(0x00, [1], to: $0) },
        SessionRow(
            name: "continuation after the last fragment",
            bytes: {
                wire(0x02, [1], to: $0) + wire(0x80, [2], to: $0) + wire(0x80, [3], to: $0)
            }, events: [.message(.binary([1, 2]))], failure: .unexpectedContinuation),
        fault("text inside a message", .expectedContinuation(.text)) {
            wire(0x01, [0x61], to: $0) + wire(0x81, [0x62], to: $0)
        },
        fault("binary inside a message of empty fragments", .expectedContinuation(.binary)) {
            wire(0x01, to: $0) + wire(0x82, to: $0)
        },
        fault("text not UTF-8", .invalidUTF8) { wire(0x81, hex("61 ff 62"), to: $0) },
        fault("text ends inside a character", .invalidUTF8) { wire(0x81, hex("61 c3"), to: $0) },
        fault("surrogate", .invalidUTF8) { wire(0x81, hex("ed a0 80"), to: $0) },
        fault("fragmented text ends inside a character", .invalidUTF8) {
            wire(0x01, hex("e2 82"), to: $0) + wire(0x80, to: $0)
        },
        fault("character broken by a fragment", .invalidUTF8) {
            wire(0x01, hex("c3"), to: $0) + wire(0x80, hex("41"), to: $0)
        },
        fault("Close of one byte", .closePayloadTooShort) { wire(0x88, [3], to: $0) },
        fault("Close with 999", .invalidCloseCode(999)) { wire(0x88, hex("03 e7"), to: $0) },
        fault("Close with 1005", .invalidCloseCode(1005)) { wire(0x88, hex("03 ed"), to: $0) },
        fault("Close with 5000", .invalidCloseCode(5000)) { wire(0x88, hex("13 88"), to: $0) },
        fault("Close reason not UTF-8", .invalidUTF8) { wire(0x88, hex("03 e8 ff"), to: $0) },
        SessionRow(
            name: "what came before the fault is delivered",
            bytes: { wire(0x81, [0x61], to: $0) + wire(0x89, [1], to: $0) + wire(0x83, to: $0) },
            events: [.message(.text("a")), .ping([1])], failure: .reservedOpcode(3)),
    ]

    static func fault(
        _ name: String, _ failure: ProtocolError, _ bytes: @escaping @Sendable (Role) -> [UInt8]
    ) -> SessionRow {
        SessionRow(name: name, bytes: bytes, failure: failure)
    }

    @Test(arguments: rows, [Role.server, .client])
    func row(_ row: SessionRow, role: Role) {
        let outcome = everySplit(row.bytes(role), role: role)
        #expect(outcome == Outcome(events: row.events, failure: row.failure))
        #expect(outcome.failure?.closeCode == (row.failure == .invalidUTF8 ? 1007 : 1002))
    }

    /// §5.1: each side insists on the other's half of the rule.
    @Test func masks() {
        #expect(
            everySplit(wire(0x81, [0x61], to: .client), role: .server).failure == .unmaskedFrame)
        #expect(
            everySplit(wire(0x81, [0x61], to: .server), role: .client).failure == .maskedFrame)
        #expect(ProtocolError.unmaskedFrame.closeCode == 1002)
        #expect(ProtocolError.maskedFrame.closeCode == 1002)
    }

    static let limits: [SessionRow] = [
        tooBig("one byte over", 11) { wire(0x82, pattern(11), to: $0) },
        tooBig("text one byte over", 11) { wire(0x81, pattern(11), to: $0) },
        tooBig("announced, never sent", 1 << 40) { wire(0x82, to: $0, announced: 1 << 40) },
        tooBig("the longest there is", UInt64(Int.max)) {
            wire(0x82, to: $0, announced: UInt64(Int.max))
        },
        tooBig("over in the second fragment", 11) {
            wire(0x02, pattern(10), to: $0) + wire(0x80, [1], to: $0)
        },
        tooBig("the longest there is after a fragment", UInt64(Int.max) + 10) {
            wire(0x02, pattern(10), to: $0) + wire(0x00, to: $0, announced: UInt64(Int.max))
        },
        tooBig("first fragment over", 12) { wire(0x02, pattern(12), to: $0) },
    ]

    static func tooBig(
        _ name: String, _ byteCount: UInt64, _ bytes: @escaping @Sendable (Role) -> [UInt8]
    ) -> SessionRow {
        SessionRow(
            name: name, bytes: bytes,
            failure: .messageTooBig(byteCount: byteCount, byteLimit: 10), messageByteLimit: 10)
    }

    /// Each fails as soon as the header is there.
    @Test(arguments: limits, [Role.server, .client])
    func limit(_ row: SessionRow, role: Role) {
        let outcome = everySplit(
            row.bytes(role), role: role, messageByteLimit: row.messageByteLimit)
        #expect(outcome == Outcome(failure: row.failure))
        #expect(outcome.failure?.closeCode == .messageTooBig)
    }

    /// §8.1: text fails at the first wrong byte, not when its end has come.
    @Test(arguments: [Role.server, .client])
    func failsFast(role: Role) {
        let message = wire(0x81, Array("ab".utf8) + [0xC3, 0x28] + pattern(200), to: role)
        let headerByteCount = message.count - 204
        for count in 0...(headerByteCount + 4) {
            let failure = outcome(of: [message[..<count]], role: role).failure
            #expect((failure == .invalidUTF8) == (count == headerByteCount + 4), "\(count)")
        }
        let fragments = wire(0x01, [0x61], to: role) + wire(0x00, [0xED, 0xA0], to: role)
        #expect(outcome(of: [fragments[...]], role: role).failure == .invalidUTF8)
        #expect(outcome(of: [fragments.dropLast()], role: role).failure == nil)
    }

    /// Every case in words, for the log.
    @Test func words() {
        for row in Self.rows + Self.limits {
            #expect(row.failure?.description.isEmpty == false)
        }
    }
}

@Suite("RFC 6455 §5 Session state")
struct SessionStateTests {
    @Test(arguments: [Role.server, .client])
    func isInsideMessage(role: Role) {
        var session = Session(role: role)
        var outcome = Outcome()
        let message = wire(0x01, [0x61], to: role) + wire(0x89, [1], to: role)
        #expect(!session.isInsideMessage)
        for byte in message + wire(0x80, [0x62], to: role).dropLast() {
            feed([byte], to: &session, &outcome)
            #expect(session.isInsideMessage)
        }
        feed(wire(0x80, [0x62], to: role).suffix(1), to: &session, &outcome)
        #expect(!session.isInsideMessage)
        #expect(outcome.events == [.ping([1]), .message(.text("ab"))])
    }

    @Test func deadAfterAFault() {
        var session = Session(role: .client)
        var outcome = Outcome()
        feed(hex("83 00 81 01 61"), to: &session, &outcome)
        feed(hex("81 01 61"), to: &session, &outcome)
        feed(hex("88 00"), to: &session, &outcome)
        #expect(outcome == Outcome(failure: .reservedOpcode(3)))
        #expect(session.receivedClose == nil)
        // What fails the connection can still be said.
        #expect((try? session.frameForClose(Close(.protocolError))) == hex("88 02 03 ea"))
    }

    @Test func closesAreKept() throws {
        var session = Session(role: .server)
        var outcome = Outcome()
        feed(wire(0x88, hex("0f a0 61"), to: .server), to: &session, &outcome)
        #expect(session.receivedClose == Close(4000, reason: "a"))
        #expect(session.sentClose == nil)
        _ = try session.frameForClose(Close(4000))
        #expect(session.sentClose == Close(4000))
    }

    @Test("a copy has Closes of its own") func closesOfACopy() throws {
        var session = Session(role: .server)
        var outcome = Outcome()
        feed(wire(0x88, hex("0f a0 61"), to: .server), to: &session, &outcome)
        var copy = session
        _ = try copy.frameForClose(Close(4001))
        #expect(session.sentClose == nil && !session.hasSentClose)
        _ = try session.frameForClose(Close(4002))
        #expect(copy.sentClose == Close(4001) && copy.receivedClose == Close(4000, reason: "a"))
        #expect(session.sentClose == Close(4002) && session.hasReceivedClose)
    }

    /// After our Close, the peer's messages still come until its Close.
    @Test func receivesAfterSendingClose() throws {
        var session = Session(role: .client)
        _ = try session.frameForClose(Close(1000), maskingKey: exampleKey)
        var outcome = Outcome()
        feed(hex("81 01 61 88 02 03 e8"), to: &session, &outcome)
        #expect(outcome.events == [.message(.text("a")), .close(Close(1000))])
    }

    /// A header that announces much and comes alone takes no room for it.
    @Test func headerAloneTakesNoMemory() throws {
        var session = Session(role: .client, messageByteLimit: 1 << 30)
        var outcome = Outcome()
        feed(wire(0x82, to: .client, announced: 1 << 30), to: &session, &outcome)
        #expect(outcome == Outcome())
        #expect(payloadCapacity(session) == 0)
        feed([1], to: &session, &outcome)
        #expect(try #require(payloadCapacity(session)) < 1 << 18)
    }

    /// Between messages a session owns nothing, however the last one came.
    @Test func ownsNothingBetweenMessages() {
        for cut in [1, 2, 4, 5, 100, 1_003] {
            var session = Session(role: .client)
            var outcome = Outcome()
            let message = wire(0x82, pattern(1_000), to: .client)
            feed(message[..<cut], to: &session, &outcome)
            feed(message[cut...], to: &session, &outcome)
            #expect(outcome.events == [.message(.binary(pattern(1_000)))])
            #expect(payloadCapacity(session) == 0, "cut at \(cut)")
        }
    }

    private func payloadCapacity(_ session: Session) -> Int? {
        Mirror(reflecting: session).children.lazy
            .first { $0.label == "messagePayload" }
            .flatMap { ($0.value as? [UInt8])?.capacity }
    }
}

@Suite("RFC 6455 §5.4, §5.5, §6.1 Sending")
struct SendingTests {
    private func result<Value>(
        _ body: () throws(SendError) -> Value
    ) -> Result<Value, SendError> { Result(catching: body) }

    @Test func fragments() throws {
        var session = Session(role: .server)
        let first = try session.headerForData(.text, payloadByteCount: 3, isFinal: false)
        #expect(first.bytes("Hel".utf8) == hex("01 03 48 65 6c"))
        #expect(try session.frameForControl(.ping, []) == hex("89 00"))
        #expect(
            result { () throws(SendError) in
                try session.headerForData(.binary, payloadByteCount: 0)
            } == .failure(.kindChangedInsideMessage))
        let middle = try session.headerForData(.text, payloadByteCount: 0, isFinal: false)
        #expect(middle.bytes([]) == hex("00 00"))
        let last = try session.headerForData(.text, payloadByteCount: 2)
        #expect(last.bytes("lo".utf8) == hex("80 02 6c 6f"))
        #expect(try session.frame(for: .binary([1])) == hex("82 01 01"))
    }

    @Test func controlLimit() throws {
        let session = Session(role: .server)
        #expect(try session.frameForControl(.pong, pattern(125)) == hex("8a 7d") + pattern(125))
        #expect(
            result { () throws(SendError) in try session.frameForControl(.ping, pattern(126)) }
                == .failure(.controlPayloadTooLong(byteCount: 126)))
    }

    /// §5.5.1: nothing may follow the Close; a Close that could not be sent changes nothing.
    @Test func nothingAfterClose() throws {
        var session = Session(role: .server)
        #expect(
            result { () throws(SendError) in try session.frameForClose(Close(1006)) }
                == .failure(.closeCodeNotSendable(1006)))
        #expect(session.sentClose == nil)
        #expect(try session.frameForClose(Close(1000, reason: "ok")) == hex("88 04 03 e8 6f 6b"))
        #expect(session.sentClose == Close(1000, reason: "ok"))
        #expect(
            result { () throws(SendError) in try session.frameForClose(Close()) }
                == .failure(.closeAlreadySent))
        #expect(
            result { () throws(SendError) in try session.frameForControl(.pong, []) }
                == .failure(.closeAlreadySent))
        #expect(
            result { () throws(SendError) in try session.frame(for: .text("a")) }
                == .failure(.closeAlreadySent))
        #expect(
            result { () throws(SendError) in
                try session.headerForData(.continuation, payloadByteCount: 1)
            } == .failure(.closeAlreadySent))
    }

    @Test func words() {
        let errors: [SendError] = [
            .closeAlreadySent, .kindChangedInsideMessage, .controlPayloadTooLong(byteCount: 126),
            .closeReasonWithoutCode, .closeReasonTooLong(byteCount: 124),
            .closeCodeNotSendable(1005),
        ]
        #expect(Set(errors.map(\.description)).count == errors.count)
    }
}

@Suite("Client and server sessions together")
struct SessionPairTests {
    @Test func conversation() throws {
        var pair = SessionPair()
        let key = exampleKey
        pair.deliver(toServer: try pair.client.frame(for: .text("κόσμε"), maskingKey: key))
        pair.deliver(toClient: try pair.server.frame(for: .text("κόσμε")))
        pair.deliver(toServer: try pair.client.frameForControl(.ping, [1], maskingKey: key))
        pair.deliver(toClient: try pair.server.frameForControl(.pong, [1]))
        pair.deliver(
            toServer: try pair.client.frameForClose(Close(1000, reason: "done"), maskingKey: key))
        pair.deliver(toClient: try pair.server.frameForClose(Close(1000)))
        #expect(
            pair.atServer.events == [
                .message(.text("κόσμε")), .ping([1]), .close(Close(1000, reason: "done")),
            ])
        #expect(
            pair.atClient.events == [.message(.text("κόσμε")), .pong([1]), .close(Close(1000))])
        #expect(pair.atServer.failure == nil && pair.atClient.failure == nil)
    }

    /// What one session sends in random fragments, the other receives whole.
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func randomFragments(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for senderRole in [Role.client, .server] {
            var sender = Session(role: senderRole)
            let receiverRole: Role = senderRole == .client ? .server : .client
            var bytes: [UInt8] = []
            var expected: [Session.Event] = []
            func key() -> UInt32? {
                senderRole == .client ? .random(in: 0 ... .max, using: &generator) : nil
            }
            for _ in 0..<20 {
                let count = [0, 1, 125, 126, 127, 300].randomElement(using: &generator) ?? 0
                let isText = Bool.random(using: &generator)
                let text = String(repeating: "aé😀", count: count / 7)
                let payload = isText ? Array(text.utf8) : pattern(count)
                var rest = payload[...]
                while true {
                    let piece = rest.prefix(Int.random(in: 0...200, using: &generator))
                    rest = rest.dropFirst(piece.count)
                    let isFinal = rest.isEmpty && Bool.random(using: &generator)
                    bytes += try sender.headerForData(
                        isText ? .text : .binary, payloadByteCount: piece.count, isFinal: isFinal,
                        maskingKey: key()
                    ).bytes(piece)
                    if isFinal { break }
                    bytes += try sender.frameForControl(
                        .ping, Array(piece.prefix(9)), maskingKey: key())
                    expected.append(.ping(Array(piece.prefix(9))))
                }
                expected.append(.message(isText ? .text(text) : .binary(payload)))
            }
            #expect(everySplit(bytes, role: receiverRole) == Outcome(events: expected))
        }
    }
}

@Suite("Empty pieces")
struct EmptyPieceTests {
    /// Without a byte to copy, nothing may be written to the memory that all empty arrays share.
    /// The thread sanitizer sees it if that is done.
    @Test("of messages, received on several threads at once")
    func concurrently() async {
        let bytes = hex("02 80 00 00 00 00 00 80 00 00 00 00 80 80 00 00 00 00 82 80 00 00 00 00")
        await withTaskGroup(of: Outcome.self) { group in
            for _ in 0..<8 { group.addTask { everySplit(bytes, role: .server) } }
            for await outcome in group {
                #expect(
                    outcome
                        == Outcome(events: [.message(.binary([])), .message(.binary([]))]))
            }
        }
    }
}
