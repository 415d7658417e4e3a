import TestSupport
import Testing

@testable import WebSocketProtocol

/// What came of bytes of which each message was asked for in pieces: those put together again.
func inPieces(
    _ cuts: [ArraySlice<UInt8>], role: Role, messageByteLimit: Int,
    compression: SessionCompression? = nil
) -> Outcome {
    var session = Session(
        role: role, messageByteLimit: messageByteLimit, compression: compression)
    var outcome = Outcome()
    var message: [UInt8] = []
    _ = session.receiveInPieces()
    for cut in cuts {
        var piece = Outcome()
        feed(cut, to: &session, &piece, afterEach: { $0.askAgain(after: $1) })
        outcome.failure = outcome.failure ?? piece.failure
        for event in piece.events {
            guard case .piece(let part) = event else {
                outcome.events.append(event)
                continue
            }
            #expect(!part.bytes.isEmpty || part.isLast, "an empty piece")
            message += part.bytes
            guard part.isLast else { continue }
            outcome.events.append(
                .message(
                    part.kind == .binary
                        ? .binary(message) : .text(String(decoding: message, as: UTF8.self))))
            message = []
        }
    }
    return outcome
}

extension Session {
    /// As a handler does that asks for all messages in pieces.
    fileprivate mutating func askAgain(after event: Session.Event) {
        switch event {
        case .message: _ = receiveInPieces()
        case .piece(let piece) where piece.isLast: _ = receiveInPieces()
        default: break
        }
    }
}

/// The rows for whole messages hold for pieces too, cut anywhere.
@Suite("Receiving in pieces")
struct SessionPiecesTests {
    @Test(arguments: ReceivingTests.rows + PeerFaultTests.rows, [Role.server, .client])
    func sameAsWhole(_ row: SessionRow, role: Role) {
        let bytes = row.bytes(role)
        let expected = Outcome(events: row.events, failure: row.failure)
        func run(_ cuts: [ArraySlice<UInt8>]) -> Outcome {
            inPieces(
                cuts, role: role, messageByteLimit: row.messageByteLimit)
        }
        #expect(run([bytes[...]]) == expected)
        #expect(run(bytes.indices.map { bytes[$0...$0] }) == expected, "byte by byte")
        for cut in cuts(bytes.count) {
            #expect(run([bytes[..<cut], bytes[cut...]]) == expected, "cut at \(cut)")
        }
    }

    /// All events, pieces as they are.
    private func events(
        _ cuts: [[UInt8]], messageByteLimit: Int = 1 << 20,
        _ prepare: (inout Session) -> Void = { _ = $0.receiveInPieces() },
        afterEach: (inout Session, Session.Event) -> Void = { _, _ in }
    ) -> Outcome {
        var session = Session(role: .client, messageByteLimit: messageByteLimit)
        prepare(&session)
        var outcome = Outcome()
        for cut in cuts { feed(cut, to: &session, &outcome, afterEach: afterEach) }
        return outcome
    }

    private func piece(
        _ bytes: [UInt8], _ kind: Message.Kind = .binary, isLast: Bool = false
    ) -> Session.Event {
        .piece(Session.Piece(kind: kind, bytes: bytes, isLast: isLast))
    }

    @Test("what has come is given at once, and nothing of it is kept")
    func asItComes() {
        var session = Session(role: .client)
        _ = session.receiveInPieces()
        var outcome = Outcome()
        feed(hex("82 05 01 02"), to: &session, &outcome)
        #expect(outcome.events == [piece([1, 2])])
        #expect(session.unfinishedByteCount == 0 && session.isInsideMessage)
        feed(hex("03"), to: &session, &outcome)
        feed(hex("04 05 82 01 09"), to: &session, &outcome)
        #expect(
            outcome.events == [
                piece([1, 2]), piece([3]), piece([4, 5], isLast: true), .message(.binary([9])),
            ])
        #expect(!session.isInsideMessage)
    }

    @Test("a message that has begun is given from where it was kept")
    func late() {
        var session = Session(role: .client)
        var outcome = Outcome()
        feed(hex("01 03 61 c3"), to: &session, &outcome)
        #expect(outcome.events.isEmpty)
        let first = session.receiveInPieces()
        #expect(first == Session.Piece(kind: .text, bytes: hex("61 c3"), isLast: false))
        feed(hex("a9 80 00"), to: &session, &outcome)
        #expect(outcome.events == [piece([0xA9], .text), piece([], .text, isLast: true)])
    }

    @Test("control frames come between the pieces, and a Close ends them")
    func control() {
        let bytes = hex("02 01 01 89 00 00 01 02 88 00 80 01 03")
        #expect(
            events([bytes]).events == [piece([1]), .ping([]), piece([2]), .close(Close())])
    }

    @Test("wrong text fails in its own piece, and in the last one if it ends inside a character")
    func text() {
        #expect(
            events([hex("01 02 61 c3"), hex("00 05 28")])
                == Outcome(events: [piece(hex("61 c3"), .text)], failure: .invalidUTF8))
        #expect(
            events([hex("01 02 61 c3"), hex("80 00")])
                == Outcome(events: [piece(hex("61 c3"), .text)], failure: .invalidUTF8))
    }

    @Test("the limit counts all pieces, and is seen in the header that breaks it")
    func limit() {
        let allowed = events([hex("02 03 01 02 03"), hex("80 02 04 05")], messageByteLimit: 5)
        #expect(allowed.events == [piece([1, 2, 3]), piece([4, 5], isLast: true)])
        let broken = events([hex("02 03 01 02 03"), hex("80 03")], messageByteLimit: 5)
        #expect(
            broken
                == Outcome(
                    events: [piece([1, 2, 3])],
                    failure: .messageTooBig(byteCount: 6, byteLimit: 5)))
        // It begins anew with the next message.
        let again = events(
            [hex("02 03 01 02 03"), hex("80 02 04 05"), hex("82 05 01"), hex("02 03 04 05")],
            messageByteLimit: 5, afterEach: { $0.askAgain(after: $1) })
        #expect(again.failure == nil && again.events.count == 4)
    }

    @Test("a long frame is given in pieces of 64 KiB at most")
    func long() {
        let payload = pattern(200_000)
        let events = events([wire(0x02, payload, to: .client)]).events
        let pieces = events.compactMap { event -> [UInt8]? in
            if case .piece(let piece) = event { piece.bytes } else { nil }
        }
        #expect(pieces.map(\.count) == [65_536, 65_536, 65_536, 3_392])
        #expect(pieces.flatMap(\.self) == payload)
    }

    @Test("the rest of a message that is skipped is checked, counted and dropped")
    func skipped() {
        func skip(_ session: inout Session, _ event: Session.Event) { session.skipRest() }
        let bytes = [hex("02 01 01"), hex("89 00 00 02 02 03"), hex("80 01 04"), hex("82 01 05")]
        #expect(
            events(bytes, afterEach: skip).events == [
                piece([1]), .ping([]), .message(.binary([5])),
            ])
        #expect(
            events(bytes, messageByteLimit: 3, afterEach: skip).failure
                == .messageTooBig(byteCount: 4, byteLimit: 3))
        #expect(
            events([hex("01 01 61"), hex("80 01 ff")], afterEach: skip).failure == .invalidUTF8)
        // The next one in pieces again, or whole because those are not waited for any more.
        let next = [hex("02 01 01"), hex("80 01 02"), hex("02 01 03"), hex("80 01 04")]
        let inPieces = events(
            next,
            afterEach: { session, _ in
                session.skipRest()
                _ = session.receiveInPieces()
            })
        #expect(inPieces.events == [piece([1]), piece([3])])
        let whole = events(
            next,
            afterEach: { session, _ in
                session.skipRest()
                _ = session.receiveInPieces()
                session.receiveWhole()
            })
        #expect(whole.events == [piece([1]), .message(.binary([3, 4]))])
    }

    @Test("pieces that are not waited for any more leave the message whole")
    func notExpected() {
        let outcome = events([hex("02 01 01"), hex("80 01 02")]) {
            _ = $0.receiveInPieces()
            $0.receiveWhole()
        }
        #expect(outcome.events == [.message(.binary([1, 2]))])
    }
}

@Suite("Receiving compressed messages in pieces (RFC 7692)")
struct CompressedPiecesTests {
    /// Frames of a client, compressed with these parameters.
    private func frames(
        _ messages: [(kind: Opcode, pieces: [[UInt8]])], _ parameters: DeflateParameters
    ) throws -> [UInt8] {
        var settings = CompressionSettings()
        settings.thresholdByteCount = 0
        var session = Session(
            role: .client,
            compression: SessionCompression(parameters, pool: CompressionPool(settings)))
        var bytes: [UInt8] = []
        for message in messages {
            for (index, piece) in message.pieces.enumerated() {
                try piece.withUnsafeBytes { piece in
                    let frame = try session.compressedFrame(
                        message.kind, payload: piece, isFinal: index == message.pieces.count - 1,
                        maskingKey: exampleKey)
                    bytes += frame.header.bytes(frame.payload)
                }
            }
        }
        return bytes
    }

    @Test("they are what the whole message is, however they are cut", arguments: [false, true])
    func sameAsWhole(keepsContext: Bool) throws {
        var parameters = DeflateParameters()
        parameters.clientNoContextTakeover = !keepsContext
        let text = Array(String(repeating: "Grüße, ", count: 40).utf8)
        let bytes = try frames(
            [
                (.text, [Array(text[..<101]), Array(text[101..<102]), Array(text[102...])]),
                (.binary, [pattern(300), [], pattern(20)]), (.binary, [[]]),
                (.text, [text]),
            ], parameters)
        func run(_ cuts: [ArraySlice<UInt8>]) -> Outcome {
            let compression = SessionCompression(
                parameters, pool: CompressionPool(CompressionSettings()))
            return inPieces(
                cuts, role: .server, messageByteLimit: 400, compression: compression)
        }
        let string = Message.text(String(decoding: text, as: UTF8.self))
        let expected = Outcome(events: [
            .message(string), .message(.binary(pattern(300) + pattern(20))), .message(.binary([])),
            .message(string),
        ])
        #expect(run([bytes[...]]) == expected)
        #expect(run(bytes.indices.map { bytes[$0...$0] }) == expected, "byte by byte")
        for cut in cuts(bytes.count) {
            #expect(run([bytes[..<cut], bytes[cut...]]) == expected, "cut at \(cut)")
        }
    }

    @Test("a piece is bounded however well the message was compressed, and the limit counts all")
    func bomb() throws {
        let payload = [UInt8](repeating: 7, count: 8 << 20)
        let bytes = try frames([(.binary, [payload])], DeflateParameters())
        func outcome(_ messageByteLimit: Int) -> Outcome {
            var session = Session(
                role: .server, messageByteLimit: messageByteLimit,
                compression: SessionCompression(
                    DeflateParameters(), pool: CompressionPool(CompressionSettings())))
            _ = session.receiveInPieces()
            var outcome = Outcome()
            feed(bytes, to: &session, &outcome)
            return outcome
        }
        func pieces(_ outcome: Outcome) -> [[UInt8]] {
            outcome.events.compactMap { event in
                if case .piece(let piece) = event { piece.bytes } else { nil }
            }
        }
        let all = outcome(8 << 20)
        #expect(all.failure == nil)
        #expect(pieces(all).allSatisfy { $0.count <= 65_536 + 1_032 * 1_024 })
        #expect(pieces(all).reduce(0) { $0 + $1.count } == 8 << 20)
        let limited = outcome(3 << 20)
        #expect(limited.failure == .messageTooBig(byteCount: 3 << 20 | 1, byteLimit: 3 << 20))
        #expect(pieces(limited).reduce(0) { $0 + $1.count } <= 3 << 20)
    }
}
