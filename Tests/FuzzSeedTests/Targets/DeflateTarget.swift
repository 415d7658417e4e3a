// Any bytes inflate to the same, or fail, however they are cut and however small the output is;
// what was deflated inflates to the same; an answer to any offers is one that the client takes, and
// neither end expects less of the other than it does.

import WebSocketProtocol

func checkDeflate(_ bytes: UnsafeRawBufferPointer) throws {
    let input = FuzzInput(bytes)
    switch input.settings & 3 {
    case 0, 1: try checkInflater(input)
    case 2: try checkRoundTrip(input)
    default: try checkNegotiation(input)
    }
}

// MARK: - Inflating

/// What came of one message's payload.
private struct Inflated: Equatable, CustomStringConvertible {
    var bytes: [UInt8] = []
    var hasFailed = false

    /// Whether one is the beginning of the other.
    func isLike(_ other: Inflated) -> Bool {
        bytes.starts(with: other.bytes) || other.bytes.starts(with: bytes)
    }

    var description: String {
        "\(bytes.count) bytes \(bytes.suffix(16))\(hasFailed ? ", then a fault" : "")"
    }
}

/// Where a receiver would give up; a few bytes may claim to be a thousand times as many.
private let outputByteLimit = 1 << 14

private func checkInflater(_ input: FuzzInput) throws {
    let windowBits = input.choice([15, 8, 9, 12], bit: 2)
    let inflater = try made(Inflater(windowBits: windowBits))
    let whole = try inflate(input.whole, inflater, outputByteCount: 4_096)
    let outputByteCount = input.choice([1_000, 1, 7, outputByteLimit], bit: 4)
    let other = try made(Inflater(windowBits: windowBits))
    let cut = try inflate(input.pieces, other, outputByteCount: outputByteCount)
    // zlib may or may not refuse a distance beyond a small window: it takes one that lies within
    // the output of the same call. A window of 15 bits holds every distance there is.
    let mayDiffer = windowBits < 15 && (cut.hasFailed || whole.hasFailed)
    let isSame = mayDiffer ? cut.isLike(whole) : cut == whole
    try require(isSame, "\(outputByteCount) bytes at a time: \(cut), else: \(whole)")
    // Whatever came before, the next message is read as if it had not.
    inflater.reset()
    let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]  // RFC 7692 §7.2.3.1
    let next = try inflate([hello[...]], inflater, outputByteCount: outputByteCount)
    try require(next == Inflated(bytes: Array("Hello".utf8)), "after a reset: \(next)")
}

/// - Returns: at most `outputByteLimit` bytes, and whether the fault came within them.
private func inflate(
    _ pieces: [ArraySlice<UInt8>], _ inflater: Inflater, outputByteCount: Int
) throws -> Inflated {
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: outputByteCount, alignment: 1)
    defer { output.deallocate() }
    var inflated = Inflated()
    for (index, piece) in pieces.enumerated() {
        let isDone = try withOwnMemory(piece) { bytes in
            inflater.begin(UnsafeRawBufferPointer(bytes), isLast: index == pieces.count - 1)
            return try readAll(inflater, output, &inflated)
        }
        if isDone { break }
    }
    return inflated
}

/// - Returns: whether the message ended early: a fault, or more bytes than the limit.
private func readAll(
    _ inflater: Inflater, _ output: UnsafeMutableRawBufferPointer, _ inflated: inout Inflated
) throws -> Bool {
    while true {
        do throws(ProtocolError) {
            let piece = try inflater.next(into: output)
            if piece.isEmpty { return false }
            inflated.bytes += piece
        } catch {
            inflated.hasFailed = true
            return true
        }
        if inflated.bytes.count >= outputByteLimit {
            inflated.bytes.removeLast(inflated.bytes.count - outputByteLimit)
            return true
        }
    }
}

// MARK: - Deflating and inflating

private func checkRoundTrip(_ input: FuzzInput) throws {
    let windowBits = input.choice([15, 8, 9, 12], bit: 2)
    let keepsContext = input.settings & 0x40 == 0
    let level = input.settings & 0x80 == 0 ? 1 : 9
    let deflater = try made(
        Deflater(
            level: level, windowBits: windowBits, memoryLevel: input.choice([8, 1, 5, 9], bit: 4)))
    let inflater = try made(Inflater(windowBits: windowBits))
    let buffer = GrowingBuffer()
    // Twice, so that the second message can refer to the first.
    for message in 1...2 {
        let deflated = try deflate(input.pieces, deflater, buffer, resets: !keepsContext)
        let inflated = try inflate([deflated[...]], inflater, outputByteCount: 4_096)
        try require(inflated == Inflated(bytes: input.content), "message \(message): \(inflated)")
        // What does not compress goes as it is, in blocks of 5 bytes more, and so does the flush.
        let byteLimit = input.content.count + 16 * (input.pieces.count + 1)
        try require(deflated.count <= byteLimit, "\(input.content.count) → \(deflated.count) bytes")
        if !keepsContext { inflater.reset() }
    }
}

private func deflate(
    _ pieces: [ArraySlice<UInt8>], _ deflater: Deflater, _ buffer: GrowingBuffer, resets: Bool
) throws -> [UInt8] {
    var deflated: [UInt8] = []
    for (index, piece) in pieces.enumerated() {
        if resets { deflater.reset() }
        deflated += try withOwnMemory(piece) { bytes in
            let isLast = index == pieces.count - 1
            let written = deflater.deflate(
                UnsafeRawBufferPointer(bytes), isLast: isLast, into: buffer)
            return try made(written.map(Array.init))
        }
    }
    return deflated
}

// MARK: - Negotiation

private func checkNegotiation(_ input: FuzzInput) throws {
    guard let offers = ExtensionOffer.parse(String(decoding: input.content, as: UTF8.self)) else {
        return
    }
    var settings = CompressionSettings()
    settings.mode = input.settings & 4 == 0 ? .shared : .dedicated
    settings.windowBits = input.choice([15, 9, 12, 8], bit: 3)
    guard let (answer, server) = PermessageDeflate.accept(offers, settings) else { return }
    let sent = ExtensionOffer.parse(ExtensionOffer.serialize([answer]))
    try require(sent == [answer], "\(answer) is read as \(String(describing: sent))")
    let client = try PermessageDeflate.check(answer, offered: offers)
    for (sender, receiver) in [(Role.server, Role.client), (.client, .server)] {
        let (from, to) = sender == .server ? (server, client) : (client, server)
        let bits = from.deflateWindowBits(sender)
        try require((8...15).contains(bits), "a window of \(bits) bits")
        try require(bits <= to.inflateWindowBits(receiver), "\(answer): \(sender)'s window")
        try require(
            !from.deflateKeepsContext(sender) || to.inflateKeepsContext(receiver),
            "\(answer): \(sender)'s context")
    }
}

/// zlib has memory in a test, and an output to write to.
private func made<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Violation(description: "zlib failed") }
    return value
}
