import TestSupport
import Testing

@testable import WebSocketProtocol

/// Both sides' parameters alike.
func deflateParameters(keepsContext: Bool, windowBits: Int = 15) -> DeflateParameters {
    var parameters = DeflateParameters()
    parameters.serverNoContextTakeover = !keepsContext
    parameters.clientNoContextTakeover = !keepsContext
    parameters.serverMaxWindowBits = windowBits
    parameters.clientMaxWindowBits = windowBits
    return parameters
}

func sessionCompression(_ parameters: DeflateParameters, threshold: Int = 0) -> SessionCompression {
    var settings = CompressionSettings()
    settings.thresholdByteCount = threshold
    return SessionCompression(parameters, pool: CompressionPool(settings))
}

/// What bytes deflate to, by zlib at its usual level.
func deflated(_ bytes: [UInt8], isLast: Bool = true) throws -> [UInt8] {
    try #require(Deflater(level: 6, windowBits: 15, memoryLevel: 8)).piece(bytes, isLast: isLast)
}

/// The outcome of frames for either role, with and without context, which has to be the same.
private func compressedOutcome(
    messageByteLimit: Int = 1 << 20, keepsContext: [Bool] = [true, false],
    sourceLocation: SourceLocation = #_sourceLocation, _ bytes: (Role) -> [UInt8]
) throws -> Outcome {
    var outcomes: Set<Outcome> = []
    for role in [Role.server, .client] {
        for keepsContext in keepsContext {
            outcomes.insert(
                everySplit(
                    bytes(role), role: role, messageByteLimit: messageByteLimit,
                    compression: sessionCompression(deflateParameters(keepsContext: keepsContext)),
                    sourceLocation: sourceLocation))
        }
    }
    #expect(outcomes.count == 1, "\(outcomes)", sourceLocation: sourceLocation)
    return try #require(outcomes.first, sourceLocation: sourceLocation)
}

/// A message from the peer: the events and the fault that its frames give.
private struct FrameRow: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// For each frame its first byte and the payload: "41 f2 48 cd", "80 c9 c9 07 00".
    let frames: [String]
    var events: [Session.Event]
    var failure: ProtocolError?

    init(
        _ name: String, _ frames: [String], _ events: Session.Event...,
        failure: ProtocolError? = nil
    ) {
        testDescription = name
        self.frames = frames
        self.events = events
        self.failure = failure
    }

    func bytes(_ role: Role) -> [UInt8] {
        frames.flatMap { frame in
            let bytes = hex(frame)
            return wire(bytes[0], Array(bytes.dropFirst()), to: role)
        }
    }
}

private let hello = Session.Event.message(.text("Hello"))

@Suite("RFC 7692 §6.2 Receiving")
struct CompressedReceivingTests {
    private static let rows = [
        FrameRow("§7.2.3.1 one block", ["c1 f2 48 cd c9 c9 07 00"], hello),
        FrameRow("§7.2.3.1 in fragments", ["41 f2 48 cd", "80 c9 c9 07 00"], hello),
        FrameRow(
            "§7.2.3.2 without context", ["c1 f2 48 cd c9 c9 07 00", "c1 f2 48 cd c9 c9 07 00"],
            hello, hello),
        FrameRow("§7.2.3.3 no compression", ["c1 00 05 00 fa ff 48 65 6c 6c 6f 00"], hello),
        FrameRow("§7.2.3.4 BFINAL", ["c1 f3 48 cd c9 c9 07 00 00"], hello),
        FrameRow("§7.2.3.5 two blocks", ["c1 f2 48 05 00 00 00 ff ff ca c9 c9 07 00"], hello),
        FrameRow("§7.2.3.6 empty", ["c1 00", "c2 00"], .message(.text("")), .message(.binary([]))),
        FrameRow("empty in fragments", ["41", "00", "80 00"], .message(.text(""))),
        FrameRow(
            "empty fragments around", ["41", "00 f2 48 cd", "00", "00 c9 c9 07 00", "80"], hello),
        FrameRow(
            "control frames between", ["41 f2 48 cd", "89 01", "8a", "00 c9", "89", "80 c9 07 00"],
            .ping([1]), .pong([]), .ping([]), hello),
        FrameRow(
            "Close between", ["41 f2 48 cd", "88 03 e8", "80 c9 c9 07 00"], .close(Close(1000))),
        FrameRow(
            "uncompressed between",
            ["c1 f2 48 cd c9 c9 07 00", "81 61", "01 62", "80 63", "c1 f2 48 cd c9 c9 07 00"],
            hello, .message(.text("a")), .message(.text("bc")), hello),
        FrameRow(
            "uncompressed empty", ["81", "c1 f2 48 cd c9 c9 07 00", "01", "80"],
            .message(.text("")), hello, .message(.text(""))),
        FrameRow(
            "binary need not be UTF-8", ["c2 00 01 00 fe ff ff 00"], .message(.binary([0xFF]))),
        FrameRow(
            "character across fragments of blocks",
            ["41 00 02 00 fd ff f0 9f", "00 00 01 00 fe ff 98", "80 00 01 00 fe ff 80 00"],
            .message(.text("😀"))),
        // Faults.
        FrameRow("RSV1 on Ping", ["c9"], failure: .reservedBits(4)),
        FrameRow("RSV1 on Pong inside", ["41 f2 48 cd", "ca"], failure: .reservedBits(4)),
        FrameRow("RSV1 on Close", ["c8 03 e8"], failure: .reservedBits(4)),
        FrameRow(
            "RSV1 on a continuation", ["41 f2 48 cd", "c0 c9 c9 07 00"], failure: .reservedBits(4)),
        FrameRow(
            "RSV1 on a continuation of plain text", ["01 61", "c0 00"], failure: .reservedBits(4)),
        FrameRow("RSV2", ["a1 61"], failure: .reservedBits(2)),
        FrameRow("RSV3", ["91 61"], failure: .reservedBits(1)),
        FrameRow("RSV1 and RSV2", ["e1 00"], failure: .reservedBits(6)),
        FrameRow("RSV1 and RSV3", ["d1 00"], failure: .reservedBits(5)),
        FrameRow("RSV1 on an unknown opcode", ["c3 00"], failure: .reservedBits(4)),
        FrameRow(
            "compressed text inside a message", ["41 f2 48 cd", "c1 00"],
            failure: .expectedContinuation(.text)),
        FrameRow(
            "compressed text inside plain text", ["01 61", "c2 00"],
            failure: .expectedContinuation(.binary)),
        FrameRow(
            "continuation of nothing", ["c1 00", "80 00"], .message(.text("")),
            failure: .unexpectedContinuation),
        FrameRow("no bytes at all", ["c1"], failure: .invalidCompressedData),
        FrameRow("no bytes in fragments", ["41", "80"], failure: .invalidCompressedData),
        FrameRow("block type 3", ["c1 06"], failure: .invalidCompressedData),
        FrameRow("ends in a block", ["c1 f2 48 cd"], failure: .invalidCompressedData),
        FrameRow("fails in a fragment", ["41 06", "80 00"], failure: .invalidCompressedData),
        FrameRow(
            "fails after a message", ["c1 f2 48 cd c9 c9 07 00", "c1 06"], hello,
            failure: .invalidCompressedData),
        FrameRow("text not UTF-8", ["c1 00 03 00 fc ff 61 ff 62 00"], failure: .invalidUTF8),
        FrameRow(
            "text not UTF-8, not at its end", ["41 00 03 00 fc ff 61 ff 62"], failure: .invalidUTF8),
        FrameRow(
            "text ends inside a character", ["c1 00 01 00 fe ff c3 00"], failure: .invalidUTF8),
        FrameRow(
            "text not UTF-8 before broken data", ["c1 00 01 00 fe ff ff 06"], failure: .invalidUTF8),
        FrameRow(
            "character broken by a fragment", ["41 00 01 00 fe ff c3", "80 00 01 00 fe ff 41 00"],
            failure: .invalidUTF8),
    ]

    @Test(arguments: rows)
    private func row(_ row: FrameRow) throws {
        let outcome = try compressedOutcome(row.bytes)
        #expect(outcome == Outcome(events: row.events, failure: row.failure))
    }

    private static let contextRows = [
        FrameRow("§7.2.3.2", ["c1 f2 48 cd c9 c9 07 00", "c1 f2 00 11 00 00"], hello, hello),
        FrameRow(
            "past messages that are not compressed",
            [
                "c1 f2 48 cd c9 c9 07 00", "81 61 62 63 64 65", "c1 00", "01 61", "80 62",
                "c1 f2 00 11 00 00",
            ],
            hello, .message(.text("abcde")), .message(.text("")), .message(.text("ab")), hello),
        FrameRow(
            "past control frames, in fragments",
            ["41 f2 48 cd", "89", "80 c9 c9 07 00", "41 f2 00", "8a", "80 11 00 00"],
            .ping([]), hello, .pong([]), hello),
        FrameRow("past BFINAL", ["c1 f3 48 cd c9 c9 07 00 00", "c1 f2 00 11 00 00"], hello, hello),
    ]

    @Test(arguments: contextRows)
    private func context(_ row: FrameRow) throws {
        #expect(
            try compressedOutcome(keepsContext: [true], row.bytes) == Outcome(events: row.events))
        // Without context the last message refers to nothing.
        let without = try compressedOutcome(keepsContext: [false], row.bytes)
        #expect(without == Outcome(events: row.events.dropLast(), failure: .invalidCompressedData))
    }

    @Test(arguments: [Role.server, .client], [0x40, 0x41, 0x42, 0xC1, 0xC2, 0xC9] as [UInt8])
    func notNegotiated(role: Role, first: UInt8) {
        let outcome = everySplit(wire(first, [0x00], to: role), role: role)
        #expect(outcome == Outcome(failure: .reservedBits(4)))
    }

    /// Only what the peer promised counts: here one side keeps its context, the other does not.
    @Test(arguments: [Role.server, .client])
    func eachSideItsOwn(role: Role) {
        let bytes =
            wire(0xC1, hex("f2 48 cd c9 c9 07 00"), to: role)
            + wire(0xC1, hex("f2 00 11 00 00"), to: role)
        for clientForgets in [true, false] {
            var parameters = DeflateParameters()
            parameters.clientNoContextTakeover = clientForgets
            parameters.serverNoContextTakeover = !clientForgets
            let outcome = everySplit(bytes, role: role, compression: sessionCompression(parameters))
            let isKept = (role == .server) != clientForgets
            #expect(outcome.events.count == (isKept ? 2 : 1))
            #expect(outcome.failure == (isKept ? nil : .invalidCompressedData))
        }
    }

    /// Characters of all lengths, cut by frames at each place.
    @Test func charactersAcrossFragments() throws {
        let text = "aé天😀z"
        let bytes = Array(text.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let parts = [bytes[..<first], bytes[first..<second], bytes[second...]]
                let payloads = try parts.enumerated().map {
                    try deflated(Array($1), isLast: $0 == 2)
                }
                let outcome = try compressedOutcome(keepsContext: [false]) { role in
                    zip([0x41, 0x00, 0x80] as [UInt8], payloads).flatMap { wire($0, $1, to: role) }
                }
                #expect(outcome == Outcome(events: [.message(.text(text))]), "\(first), \(second)")
            }
        }
    }
}

@Suite("RFC 7692 §8 Limits")
struct CompressedLimitTests {
    /// Inflated bytes count, however they come.
    @Test(arguments: [0, 1, 1_000, 65_535, 65_536, 65_537, 131_072])
    func exactly(byteCount: Int) throws {
        let plain = prose(byteCount)
        let whole = try deflated(plain)
        let parts = [
            try deflated(Array(plain.prefix(byteCount / 2)), isLast: false),
            try deflated(Array(plain.suffix(from: byteCount / 2))),
        ]
        for frames in [[whole], parts] {
            func bytes(_ role: Role) -> [UInt8] {
                frames.indices.flatMap { index in
                    let first: UInt8 =
                        (index == 0 ? 0x42 : 0) | (index == frames.count - 1 ? 0x80 : 0)
                    return wire(first, frames[index], to: role)
                }
            }
            let taken = try compressedOutcome(
                messageByteLimit: byteCount, keepsContext: [false], bytes)
            #expect(taken == Outcome(events: [.message(.binary(plain))]))
            guard byteCount > 0 else { continue }
            let refused = try compressedOutcome(
                messageByteLimit: byteCount - 1, keepsContext: [true], bytes)
            #expect(refused.events.isEmpty)
            let expected = ProtocolError.messageTooBig(
                byteCount: UInt64(byteCount), byteLimit: byteCount - 1)
            #expect(refused.failure == expected)
            #expect(refused.failure?.closeCode == 1009)
        }
    }

    /// 64 MiB in 64 KiB, and no more of it is kept than the limit lets.
    @Test(arguments: [Role.server, .client], [1, 100, 65_536])
    func bomb(role: Role, pieceByteCount: Int) throws {
        let byteLimit = 200_000
        let mebibyte = try deflated([UInt8](repeating: 0, count: 1 << 20), isLast: false)
        let payload = Array(repeatElement(mebibyte, count: 64).joined()) + [0x00]
        let bytes = wire(0xC2, payload, to: role)
        let compression = sessionCompression(deflateParameters(keepsContext: false))
        var session = Session(role: role, messageByteLimit: byteLimit, compression: compression)
        var outcome = Outcome()
        var fedByteCount = 0
        while outcome.failure == nil, fedByteCount < bytes.count {
            feed(bytes[fedByteCount...].prefix(pieceByteCount), to: &session, &outcome)
            fedByteCount += pieceByteCount
            #expect(session.messagePayload.count <= byteLimit)
            #expect(
                session.messagePayload.capacity <= 2
                    * (byteLimit + CompressionPool.inflateOutputByteCount))
        }
        #expect(outcome.failure?.closeCode == 1009)
        #expect(outcome.events.isEmpty)
        // DEFLATE makes at most 1,032 bytes of one.
        #expect(fedByteCount >= byteLimit / 1_032 && fedByteCount <= 1_000 + pieceByteCount)
        #expect(session.messagePayload.capacity == 0 && !session.isInsideMessage)
    }

    /// The limit is for one message; compressed and plain ones take turns at it.
    @Test func perMessage() throws {
        let plain = prose(1_000)
        let payload = try deflated(plain)
        let outcome = try compressedOutcome(messageByteLimit: 1_000) { role in
            wire(0xC2, payload, to: role) + wire(0x82, plain, to: role)
                + wire(0xC2, payload, to: role)
                + wire(0x82, [0] + plain, to: role)
        }
        #expect(outcome.events == Array(repeating: .message(.binary(plain)), count: 3))
        #expect(outcome.failure == .messageTooBig(byteCount: 1_001, byteLimit: 1_000))
    }

    /// Text fails at its first wrong byte, before more of the fragment and the message has come.
    @Test(arguments: [Role.server, .client])
    func failsEarly(role: Role) throws {
        let compression = sessionCompression(deflateParameters(keepsContext: true))
        var session = Session(role: role, compression: compression)
        var outcome = Outcome()
        let good = try deflated(Array("Hé".utf8), isLast: false)
        let bad = try deflated([0x61, 0xC3, 0x61], isLast: false)
        let bytes = wire(0x41, good + bad + noise(1_000), to: role)
        let headerByteCount = role == .server ? 8 : 4
        feed(bytes.prefix(headerByteCount + good.count), to: &session, &outcome)
        #expect(outcome == Outcome())
        feed(bytes[(headerByteCount + good.count)...].prefix(bad.count), to: &session, &outcome)
        #expect(outcome == Outcome(failure: .invalidUTF8))
        feed(wire(0xC1, hex("f2 48 cd c9 c9 07 00"), to: role), to: &session, &outcome)
        #expect(outcome == Outcome(failure: .invalidUTF8), "dead")
    }
}
