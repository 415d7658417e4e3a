import TestSupport
import Testing

@testable import WebSocketProtocol

extension Session {
    /// The frame of a message's next piece, compressed if it is to be, as a connection sends it.
    mutating func piece(
        _ kind: Opcode, _ payload: [UInt8], isFinal: Bool = true
    ) throws(SendError) -> [UInt8] {
        let key = role == .client ? exampleKey : nil
        guard compresses(payload.count) else {
            return try headerForData(
                kind, payloadByteCount: payload.count, isFinal: isFinal, maskingKey: key
            ).bytes(payload)
        }
        let result = payload.withUnsafeBytes { bytes in
            Result { () throws(SendError) in
                let frame = try compressedFrame(
                    kind, payload: bytes, isFinal: isFinal, maskingKey: key)
                return frame.header.bytes(frame.payload)
            }
        }
        return try result.get()
    }
}

extension SessionPair {
    init(_ parameters: DeflateParameters, threshold: Int = 0) {
        server = Session(
            role: .server, compression: sessionCompression(parameters, threshold: threshold))
        client = Session(
            role: .client, compression: sessionCompression(parameters, threshold: threshold))
    }

    mutating func send(
        _ kind: Opcode, _ payload: [UInt8], isFinal: Bool = true, from role: Role
    ) throws -> [UInt8] {
        role == .server
            ? try server.piece(kind, payload, isFinal: isFinal)
            : try client.piece(kind, payload, isFinal: isFinal)
    }

    mutating func deliver(_ bytes: some Collection<UInt8>, from role: Role) {
        role == .server ? deliver(toClient: Array(bytes)) : deliver(toServer: Array(bytes))
    }

    /// As often as it takes to be sure that nothing is left.
    mutating func releaseAll() {
        for _ in 0..<2 {
            server.releaseIdleCompression()
            client.releaseIdleCompression()
        }
    }
}

private func result(_ body: () throws(SendError) -> [UInt8]) -> Result<[UInt8], SendError> {
    Result(catching: body)
}

@Suite("RFC 7692 §6.1 Sending")
struct CompressedSendingTests {
    @Test(arguments: [true, false])
    func threshold(keepsContext: Bool) throws {
        let compression = sessionCompression(
            deflateParameters(keepsContext: keepsContext), threshold: 10)
        var session = Session(role: .server, compression: compression)
        #expect(!session.compresses(9) && session.compresses(10))
        let bytes = [UInt8](repeating: 0x61, count: 10)
        #expect(
            try session.frame(for: .binary(Array(bytes.dropLast()))) == hex("82 09")
                + bytes.dropLast())
        #expect(try session.frame(for: .binary(bytes)).first == 0xC2)
        #expect(try session.frame(for: .text("aaaaaaaaaa")).first == 0xC1)
        #expect(!Session(role: .server).compresses(1 << 20))
    }

    /// A message goes on as it began, whatever the size of its pieces.
    @Test(arguments: [true, false], [Role.server, .client])
    func pieces(keepsContext: Bool, role: Role) throws {
        var pair = SessionPair(deflateParameters(keepsContext: keepsContext), threshold: 100)
        let long = prose(100)
        let pieces: [(bytes: [UInt8], isFinal: Bool, first: UInt8)] = [
            (long, false, 0x42), ([1], false, 0x00), ([], false, 0x00), (long, false, 0x00),
            ([], true, 0x80),
            // Begun plain: it stays plain.
            ([1], false, 0x02), (long, false, 0x00), (long, true, 0x80),
            (long, true, 0xC2), (long, false, 0x42), ([2], true, 0x80), ([3], true, 0x82),
        ]
        for piece in pieces {
            let frame = try pair.send(.binary, piece.bytes, isFinal: piece.isFinal, from: role)
            #expect(frame.first == piece.first)
            pair.deliver(frame, from: role)
        }
        let messages = [long + [1] + long, [1] + long + long, long, long + [2], [3]]
        let arrived = role == .server ? pair.atClient : pair.atServer
        #expect(arrived == Outcome(events: messages.map { .message(.binary($0)) }))
    }

    /// §6.1 lets a sender leave a message as it is; but its window would have it, and the peer's
    /// not.
    @Test(arguments: [0, 1, 20, 1_000, 70_000])
    func doesNotShrink(byteCount: Int) throws {
        let bytes = noise(byteCount)
        for keepsContext in [true, false] {
            var pair = SessionPair(deflateParameters(keepsContext: keepsContext))
            for role in [Role.server, .client] {
                let frame = try pair.send(.binary, bytes, from: role)
                #expect(frame.first == (keepsContext ? 0xC2 : 0x82))
                if !keepsContext {
                    #expect(frame == wire(0x82, bytes, to: role == .server ? .client : .server))
                }
                pair.deliver(frame, from: role)
                // Refers to it, with context: the same bytes again are next to nothing then.
                let again = try pair.send(.binary, bytes, from: role)
                if byteCount == 1_000 { #expect((again.count < 100) == keepsContext) }
                pair.deliver(again, from: role)
            }
            let expected = Outcome(events: Array(repeating: .message(.binary(bytes)), count: 2))
            #expect(pair.atServer == expected && pair.atClient == expected)
        }
    }

    /// The pool is the thread's for good, so one long message must not stay in it.
    @Test func givesMemoryBack() throws {
        let pool = CompressionPool(CompressionSettings())
        var session = Session(
            role: .server, compression: SessionCompression(DeflateParameters(), pool: pool))
        _ = try session.frame(for: .binary(noise(1 << 20)))
        #expect(pool.deflateOutput.bytes.count <= GrowingBuffer.keptByteCount)
    }

    /// Pieces that do not shrink stay compressed: the first one has said so.
    @Test func piecesDoNotShrink() throws {
        var pair = SessionPair(deflateParameters(keepsContext: false))
        for (index, seed) in (1...3 as ClosedRange<UInt64>).enumerated() {
            let frame = try pair.send(
                .binary, noise(500, seed: seed), isFinal: index == 2, from: .server)
            #expect(frame.first == [0x42, 0x00, 0x80][index])
            pair.deliver(frame, from: .server)
        }
        let message = noise(500) + noise(500, seed: 2) + noise(500, seed: 3)
        #expect(pair.atClient == Outcome(events: [.message(.binary(message))]))
    }

    /// What may not be sent changes nothing, the peer's window included.
    @Test(arguments: [true, false])
    func refused(keepsContext: Bool) throws {
        var pair = SessionPair(deflateParameters(keepsContext: keepsContext))
        let text = prose(300)
        pair.deliver(try pair.send(.text, text, isFinal: false, from: .server), from: .server)
        #expect(
            result { () throws(SendError) in try pair.server.piece(.binary, text) }
                == .failure(.kindChangedInsideMessage))
        pair.deliver(toClient: try pair.server.frameForControl(.ping, [1]))
        pair.deliver(try pair.send(.text, text, from: .server), from: .server)
        pair.deliver(try pair.send(.binary, text, from: .server), from: .server)
        pair.deliver(toClient: try pair.server.frameForClose(Close(1000)))
        for isFinal in [true, false] {
            #expect(
                result { () throws(SendError) in
                    try pair.server.piece(.text, text, isFinal: isFinal)
                }
                    == .failure(.closeAlreadySent))
        }
        let whole = String(decoding: text + text, as: UTF8.self)
        #expect(
            pair.atClient.events
                == [
                    .ping([1]), .message(.text(whole)), .message(.binary(text)),
                    .close(Close(1000)),
                ])
        #expect(pair.atClient.failure == nil)
    }

    /// §7.1.2: an inflater of the window agreed on is enough, which the pool's is not a proof of.
    @Test(arguments: [8, 9, 10, 15], [true, false])
    func staysInWindow(windowBits: Int, keepsContext: Bool) throws {
        let parameters = deflateParameters(keepsContext: keepsContext, windowBits: windowBits)
        var session = Session(role: .server, compression: sessionCompression(parameters))
        let inflater = try #require(Inflater(windowBits: windowBits))
        // Matches at all distances around the sizes of the windows.
        let phrase = noise(40)
        for gap in [100, 200, 210, 215, 220, 250, 256, 460, 470, 480, 512, 900, 2_500, 30_000] {
            let bytes = phrase + noise(gap, seed: UInt64(gap)).map { $0 & 0x0F } + phrase
            let frame = try session.piece(.binary, bytes)
            #expect(frame.first == 0xC2)
            let header = try #require(
                try frame.withUnsafeBytes {
                    try FrameHeader.parse($0, role: .client, allowsCompression: true)
                })
            // A byte at a time, so that zlib can only look at its window.
            let payload = Array(frame[header.byteCount...])
            #expect(inflater.message(payload, outputByteCount: 1) == Inflated(bytes), "\(gap)")
            if !keepsContext { inflater.reset() }
        }
    }
}

@Suite("Giving idle streams back")
struct ReleaseCompressionTests {
    static let parts = (0..<4).map { prose(400, seed: UInt64($0 % 2)) }

    /// Where a message from the one to the other stands when both give back what they can.
    enum Moment: CaseIterable {
        case beforeAll, betweenMessages, afterPlainMessage, insideMessage, insideFrame, insideHeader
        case afterControlInside, pieceMadeNotSent
    }

    @Test(arguments: Moment.allCases, [true, false])
    func traffic(moment: Moment, keepsContext: Bool) throws {
        for role in [Role.server, .client] {
            var pair = SessionPair(deflateParameters(keepsContext: keepsContext))
            if moment == .beforeAll { pair.releaseAll() }
            for part in Self.parts {
                pair.deliver(try pair.send(.binary, part, from: role), from: role)
                let other: Role = role == .server ? .client : .server
                pair.deliver(try pair.send(.binary, part, from: other), from: other)
            }
            try part(at: moment, of: &pair, from: role)
            for part in Self.parts {
                pair.deliver(try pair.send(.binary, part, from: role), from: role)
                let other: Role = role == .server ? .client : .server
                pair.deliver(try pair.send(.binary, part, from: other), from: other)
            }
            for outcome in [pair.atServer, pair.atClient] {
                #expect(outcome.failure == nil)
                let messages = outcome.events.filter { $0 != .ping([]) }
                #expect(messages.prefix(4) == Self.parts.map { .message(.binary($0)) }[...])
                #expect(messages.suffix(4) == Self.parts.map { .message(.binary($0)) }[...])
            }
            let arrived = role == .server ? pair.atClient.events : pair.atServer.events
            let both = Session.Event.message(.binary(Self.parts[0] + Self.parts[1]))
            #expect(arrived.contains(both), "\(role)")
        }
    }

    /// Sends a message of two pieces, with everything given back at that moment of it.
    private func part(at moment: Moment, of pair: inout SessionPair, from role: Role) throws {
        if moment == .betweenMessages { pair.releaseAll() }
        if moment == .afterPlainMessage {
            pair.deliver(wire(0x82, [1], to: role == .server ? .client : .server), from: role)
            pair.releaseAll()
        }
        let first = try pair.send(.binary, Self.parts[0], isFinal: false, from: role)
        if moment == .pieceMadeNotSent { pair.releaseAll() }
        pair.deliver(first, from: role)
        if moment == .insideMessage { pair.releaseAll() }
        if moment == .afterControlInside {
            pair.deliver(wire(0x89, to: role == .server ? .client : .server), from: role)
            pair.releaseAll()
        }
        let second = try pair.send(.binary, Self.parts[1], from: role)
        let cut = moment == .insideHeader ? 1 : second.count / 2
        pair.deliver(second[..<cut], from: role)
        if moment == .insideFrame || moment == .insideHeader { pair.releaseAll() }
        pair.deliver(second[cut...], from: role)
    }

    /// The first call only finds that the streams were used; the second gives them back.
    @Test func secondCall() throws {
        var pair = SessionPair(deflateParameters(keepsContext: true))
        let bytes = noise(1_000)
        func sizeOfNext() throws -> Int { try pair.send(.binary, bytes, from: .server).count }
        #expect(try sizeOfNext() > 1_000)
        #expect(try sizeOfNext() < 100)
        pair.server.releaseIdleCompression()
        #expect(try sizeOfNext() < 100)
        pair.server.releaseIdleCompression()
        pair.server.releaseIdleCompression()
        #expect(try sizeOfNext() > 1_000)
    }

    @Test(arguments: [Role.server, .client])
    func ownsNoInflater(role: Role) throws {
        let bytes = wire(0xC1, hex("f2 48 cd c9 c9 07 00"), to: role)
        for keepsContext in [true, false] {
            let parameters = deflateParameters(keepsContext: keepsContext)
            var session = Session(role: role, compression: sessionCompression(parameters))
            var outcome = Outcome()
            feed(bytes, to: &session, &outcome)
            #expect((session.compression?.inflater != nil) == keepsContext)
            session.releaseIdleCompression()
            session.releaseIdleCompression()
            #expect(session.compression?.inflater == nil)
            feed(bytes.dropLast(), to: &session, &outcome)
            session.releaseIdleCompression()
            session.releaseIdleCompression()
            #expect(session.compression?.inflater != nil, "a message is on its way")
        }
    }
}

@Suite("Compressed conversations")
struct CompressedConversationTests {
    static let parameters: [DeflateParameters] = [8, 9, 15].flatMap { serverBits in
        [8, 9, 15].flatMap { clientBits in
            (0..<4).map { flags in
                var parameters = DeflateParameters()
                parameters.serverNoContextTakeover = flags & 1 != 0
                parameters.clientNoContextTakeover = flags & 2 != 0
                parameters.serverMaxWindowBits = serverBits
                parameters.clientMaxWindowBits = clientBits
                return parameters
            }
        }
    }

    private static func payload(using generator: inout SeededGenerator) -> (
        kind: Opcode, bytes: [UInt8]
    ) {
        let seed = UInt64.random(in: 0..<3, using: &generator)
        let byteCount = [0, 1, 5, 40, 300, 1_000, 4_000].randomElement(using: &generator) ?? 0
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return (.binary, noise(byteCount, seed: seed))
        case 1: return (.text, Array(String(repeating: "aé天😀", count: byteCount / 10).utf8))
        default: return (.text, prose(byteCount, seed: seed))
        }
    }

    /// Both talk at random: whole and in pieces, compressed and not, with control frames between,
    /// in reads of any size, and streams given back at any time.
    @Test(arguments: parameters)
    func random(parameters: DeflateParameters) throws {
        var generator = SeededGenerator(seed: 7)
        var pair = SessionPair(parameters, threshold: 30)
        var sent: [Role: [Session.Event]] = [.server: [], .client: []]
        for _ in 0..<60 {
            let role = Bool.random(using: &generator) ? Role.server : .client
            let (kind, bytes) = Self.payload(using: &generator)
            var rest = bytes[...]
            var isWhole = Bool.random(using: &generator)
            repeat {
                let count = isWhole ? rest.count : Int.random(in: 0...rest.count, using: &generator)
                let piece = Array(rest.prefix(count))
                rest = rest.dropFirst(count)
                isWhole = isWhole || rest.isEmpty
                var frames = try pair.send(kind, piece, isFinal: isWhole, from: role)
                if isWhole {
                    let text = String(decoding: bytes, as: UTF8.self)
                    sent[role]?.append(.message(kind == .text ? .text(text) : .binary(bytes)))
                }
                if Int.random(in: 0..<4, using: &generator) == 0 {
                    frames += wire(0x8A, [1], to: role == .server ? .client : .server)
                    sent[role]?.append(.pong([1]))
                }
                let cut = Int.random(in: 0...frames.count, using: &generator)
                pair.deliver(frames[..<cut], from: role)
                if Int.random(in: 0..<4, using: &generator) == 0 { pair.releaseAll() }
                pair.deliver(frames[cut...], from: role)
            } while !isWhole
        }
        #expect(pair.atClient == Outcome(events: sent[.server] ?? []))
        #expect(pair.atServer == Outcome(events: sent[.client] ?? []))
    }
}
