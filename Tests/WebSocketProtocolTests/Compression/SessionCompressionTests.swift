import TestSupport
import Testing

@testable import WebSocketProtocol

@Suite("RFC 7692 §6, §7.2 Compressed messages of a session")
struct SessionCompressionTests {
    private static let roles = [Role.server, .client]

    /// What both ends agreed on, said from one side: its own window and context, and the other's.
    private static func parameters(
        _ role: Role, windowBits: Int = 15, keepsContext: Bool = true, peerWindowBits: Int = 15
    ) -> DeflateParameters {
        var parameters = DeflateParameters()
        if role == .server {
            parameters.serverMaxWindowBits = windowBits
            parameters.serverNoContextTakeover = !keepsContext
            parameters.clientMaxWindowBits = peerWindowBits
        } else {
            parameters.clientMaxWindowBits = windowBits
            parameters.clientNoContextTakeover = !keepsContext
            parameters.serverMaxWindowBits = peerWindowBits
        }
        return parameters
    }

    private static func session(_ role: Role, _ parameters: DeflateParameters) -> Session {
        var settings = compressionSettings(.dedicated)
        settings.thresholdByteCount = 0
        return Session(
            role: role, compression: SessionCompression(parameters, pool: CompressionPool(settings))
        )
    }

    /// A whole message as a session of the role sends it: its first byte, and its payload unmasked.
    private static func frame(
        of message: [UInt8], by session: inout Session
    ) throws -> (first: UInt8, payload: [UInt8]) {
        let key = session.role == .client ? exampleKey : nil
        var bytes = try session.frame(for: .binary(message), maskingKey: key)
        let receiver: Role = session.role == .client ? .server : .client
        return try bytes.withUnsafeMutableBytes { bytes in
            let (header, byteCount) = try #require(
                try FrameHeader.parse(
                    UnsafeRawBufferPointer(bytes), role: receiver, allowsCompression: true))
            let payload = UnsafeMutableRawBufferPointer(rebasing: bytes[byteCount...])
            try #require(payload.count == header.payloadByteCount)
            if let key = header.maskingKey { Mask.apply(key, to: payload) }
            return (bytes[0], Array(payload))
        }
    }

    /// §7.2.1: a side never refers back further than its window, nor to an earlier message where it
    /// may not. An inflater with just that window, which gives out a byte at a time, finds out.
    @Test(arguments: roles, 8...15)
    func sendsWithinItsWindow(role: Role, windowBits: Int) throws {
        for keepsContext in [true, false] {
            var session = Self.session(
                role, Self.parameters(role, windowBits: windowBits, keepsContext: keepsContext))
            let kept = try #require(Inflater(windowBits: windowBits))
            for seed in 0..<4 as Range<UInt64> {
                let message = prose(3_000, seed: seed % 2)
                let (first, payload) = try Self.frame(of: message, by: &session)
                #expect(first == 0xC2, "§6.1: FIN, RSV1 and binary")
                let inflater = keepsContext ? kept : try #require(Inflater(windowBits: windowBits))
                let inflated = inflater.message(payload, outputByteCount: 1)
                #expect(inflated == Inflated(message), "\(keepsContext) \(seed)")
            }
        }
    }

    /// §7.2.2: with context, a message may refer to the whole 32 KiB before it; the streams may be
    /// given back in between.
    @Test(arguments: roles, [false, true])
    func receivesWithAllOfTheWindow(role: Role, isReleased: Bool) throws {
        let sender: Role = role == .server ? .client : .server
        var sending = Self.session(sender, Self.parameters(sender))
        var receiving = Self.session(role, Self.parameters(sender))
        let message = noise(30_000)
        for number in 0..<3 {
            let key = sender == .client ? exampleKey : nil
            let bytes = try sending.frame(for: .binary(message), maskingKey: key)
            if number > 0 { #expect(bytes.count < 1_000, "refers to the message before it") }
            var outcome = Outcome()
            feed(bytes, to: &receiving, &outcome)
            #expect(outcome == Outcome(events: [.message(.binary(message))]))
            if isReleased { for _ in 0..<2 { receiving.releaseIdleCompression() } }
        }
    }

    /// §6.1: RSV1 belongs to the first frame of a data message; RSV2 and RSV3 to nobody.
    static let faults: [Row<[UInt8], UInt8>] = [
        Row("Ping", [0xC9], 4), Row("Pong", [0xCA], 4), Row("Close", [0xC8], 4),
        Row("continuation", [0x02, 0xC0], 4),
        Row("continuation of a compressed message", [0x42, 0xC0], 4),
        Row("continuation of nothing", [0xC0], 4), Row("RSV2", [0xA2], 2),
        Row("RSV1 and RSV3", [0xD2], 5),
    ]

    @Test(arguments: faults, roles)
    func reservedBits(_ row: Row<[UInt8], UInt8>, role: Role) {
        var session = Self.session(role, Self.parameters(role))
        var outcome = Outcome()
        for first in row.input { feed(wire(first, to: role), to: &session, &outcome) }
        #expect(outcome == Outcome(failure: .reservedBits(row.expected)))
    }

    /// RFC 6455 §10.4: the limit counts what is inflated; on the wire 16 times that, or 64 KiB, is
    /// enough for anything, and more fails with the header that announces it.
    @Test(arguments: roles)
    func limits(role: Role) {
        func failure(_ bytes: [UInt8], limit: Int) -> ProtocolError? {
            var session = Session(
                role: role, messageByteLimit: limit,
                compression: SessionCompression(
                    Self.parameters(role), pool: CompressionPool(compressionSettings(.dedicated))))
            var outcome = Outcome()
            feed(bytes, to: &session, &outcome)
            return outcome.failure
        }
        let hello = wire(0xC1, hex("f2 48 cd c9 c9 07 00"), to: role)
        #expect(failure(hello, limit: 5) == nil)
        #expect(failure(hello, limit: 4) == .messageTooBig(byteCount: 5, byteLimit: 4))
        for (limit, wireLimit) in [(0, 65_536), (4_096, 65_536), (10_000, 160_000)] {
            let announced = UInt64(wireLimit)
            #expect(failure(wire(0xC2, to: role, announced: announced), limit: limit) == nil)
            let over = failure(wire(0xC2, to: role, announced: announced + 1), limit: limit)
            #expect(over == .messageTooBig(byteCount: announced + 1, byteLimit: wireLimit))
            // In fragments as well.
            let rest = wire(0x42, [0], to: role) + wire(0x80, to: role, announced: announced)
            #expect(failure(rest, limit: limit)?.closeCode == .messageTooBig)
        }
    }

    /// §6.2: with and without RSV1, whole and in frames, on one connection.
    @Test(arguments: roles)
    func mixed(role: Role) {
        let hello = hex("f2 48 cd c9 c9 07 00")
        var session = Self.session(role, Self.parameters(role))
        var outcome = Outcome()
        let bytes =
            wire(0xC1, hello, to: role) + wire(0x81, Array("plain".utf8), to: role)
            + wire(0x41, Array(hello[..<3]), to: role) + wire(0x89, [1], to: role)
            + wire(0x80, Array(hello[3...]), to: role) + wire(0xC1, hex("f2 00 11 00 00"), to: role)
        for byte in bytes { feed([byte], to: &session, &outcome) }
        let text = Session.Event.message(.text("Hello"))
        #expect(
            outcome == Outcome(events: [text, .message(.text("plain")), .ping([1]), text, text]))
    }
}
