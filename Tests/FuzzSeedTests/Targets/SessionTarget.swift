// Any bytes either give events or throw ProtocolError; however they are cut, the events are the
// same, and so are messages that are given in pieces and put together; no event is over its limit;
// none follows a Close or an error; each can be sent and read again.

@testable import WebSocketProtocol

private struct Outcome: Equatable {
    var events: [Session.Event] = []
    var failure: ProtocolError?
    var isInsideMessage = false
}

func checkSession(_ bytes: UnsafeRawBufferPointer) throws {
    let input = FuzzInput(bytes)
    let role: Role = input.settings & 1 == 0 ? .server : .client
    let messageByteLimit = input.choice([1 << 20, 0, 16, 200], bit: 1)
    let compression = compression(input)
    func session() -> Session {
        Session(role: role, messageByteLimit: messageByteLimit, compression: compression)
    }
    let outcome = try read(input.whole, session())
    let cut = try read(input.pieces, session())
    try require(cut == outcome, "cut: \(cut)\nwhole: \(outcome)")
    let joined = try read(input.pieces, session(), inPieces: true)
    try require(joined == outcome, "in pieces: \(joined)\nwhole: \(outcome)")
    for event in outcome.events {
        try checkLimits(event, messageByteLimit)
        try checkRoundTrip(event, to: session(), compression)
    }
    try require(!outcome.events.dropLast().contains(where: \.isClose), "an event after a Close")
    let hasEnded = outcome.events.last?.isClose ?? false
    try require(!hasEnded || outcome.failure == nil, "an error after a Close")
    try checkText(input)
}

/// As the payload of a text message, the bytes are taken if they are UTF-8, and refused if not.
private func checkText(_ input: FuzzInput) throws {
    let header = FrameHeader(.text, payloadByteCount: input.content.count).bytes([])
    let outcome = try read([header[...]] + input.pieces, Session(role: .client))
    let expected =
        String(validating: input.content, as: UTF8.self).map {
            Outcome(events: [.message(.text($0))])
        } ?? Outcome(failure: .invalidUTF8)
    try require(outcome == expected, "as text: \(outcome), expected: \(expected)")
}

/// Feeds the pieces, each in memory of its own that is overwritten afterwards, as a receive buffer
/// is.
///
/// - Parameter inPieces: asks for each message so, and puts it together again.
private func read(
    _ pieces: [ArraySlice<UInt8>], _ session: consuming Session, inPieces: Bool = false
) throws -> Outcome {
    var outcome = Outcome()
    var message: [UInt8] = []
    if inPieces { _ = session.receiveInPieces() }
    for piece in pieces {
        try withOwnMemory(piece) { bytes in
            var input = InputBytes(bytes)
            do throws(ProtocolError) {
                while let event = try session.nextEvent(from: &input) {
                    let isEnd = append(event, to: &outcome, joining: &message)
                    if inPieces && isEnd { _ = session.receiveInPieces() }
                }
            } catch {
                guard outcome.failure == nil else { throw Violation(description: "failed twice") }
                outcome.failure = error
                _ = try session.nextEvent(from: &input)
            }
            try require(input.isEmpty, "input left behind")
            bytes.initializeMemory(as: UInt8.self, repeating: 0xAA)
        }
    }
    outcome.isInsideMessage = session.isInsideMessage
    return outcome
}

/// - Returns: whether a message has ended.
private func append(
    _ event: Session.Event, to outcome: inout Outcome, joining message: inout [UInt8]
) -> Bool {
    guard case .piece(let piece) = event else {
        outcome.events.append(event)
        if case .message = event { return true }
        return false
    }
    message += piece.bytes
    guard piece.isLast else { return false }
    let whole: Message =
        piece.kind == .binary
        ? .binary(message) : .text(String(decoding: message, as: UTF8.self))
    outcome.events.append(.message(whole))
    message = []
    return true
}

private func checkLimits(_ event: Session.Event, _ messageByteLimit: Int) throws {
    switch event {
    case .message(let message):
        try require(message.payloadByteCount <= messageByteLimit, "a message over the limit")
    case .piece: throw Violation(description: "a piece that was not asked for")
    case .ping(let payload), .pong(let payload):
        try require(payload.count <= FrameHeader.controlPayloadByteLimit, "a long control frame")
    case .close(let close):
        try require(close.code?.isSendable ?? close.reason.isEmpty, "close code \(close)")
        try require(close.reason.utf8.count <= Close.reasonByteLimit, "a long close reason")
    }
}

/// Without a threshold, so that all messages that are sent are compressed.
private func compression(_ input: FuzzInput) -> SessionCompression? {
    guard input.settings & 0x08 != 0 else { return nil }
    var parameters = DeflateParameters()
    parameters.serverNoContextTakeover = input.settings & 0x10 == 0
    parameters.clientNoContextTakeover = parameters.serverNoContextTakeover
    var settings = CompressionSettings()
    settings.thresholdByteCount = 0
    return SessionCompression(parameters, pool: CompressionPool(settings))
}

/// What was received is sent by the other role, and received as the same.
private func checkRoundTrip(
    _ event: Session.Event, to receiver: consuming Session, _ compression: SessionCompression?
) throws {
    var sender = Session(
        role: receiver.role == .server ? .client : .server, compression: compression)
    let key: UInt32? = receiver.role == .server ? 0x3D21_FA37 : nil
    let bytes =
        switch event {
        case .message(let message): try sender.frame(for: message, maskingKey: key)
        case .piece: throw Violation(description: "a piece that was not put together")
        case .ping(let payload): try sender.frameForControl(.ping, payload, maskingKey: key)
        case .pong(let payload): try sender.frameForControl(.pong, payload, maskingKey: key)
        case .close(let close): try sender.frameForClose(close, maskingKey: key)
        }
    let again = try read([bytes[...]], receiver)
    try require(again == Outcome(events: [event]), "sent: \(event), received: \(again)")
}

extension Session.Event {
    fileprivate var isClose: Bool { if case .close = self { true } else { false } }
}
