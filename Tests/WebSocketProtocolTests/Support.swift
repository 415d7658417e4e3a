import Testing

@testable import WebSocketProtocol

/// What came of feeding bytes to a session.
struct Outcome: Hashable, Sendable {
    var events: [Session.Event] = []
    var failure: ProtocolError?
}

/// Feeds the pieces to a new session, each in memory that is overwritten afterwards, as a loop's
/// receive buffer is.
func outcome(
    of pieces: [ArraySlice<UInt8>], role: Role, messageByteLimit: Int = 1 << 20,
    compression: SessionCompression? = nil
) -> Outcome {
    var session = Session(
        role: role, messageByteLimit: messageByteLimit, compression: compression)
    var outcome = Outcome()
    for piece in pieces { feed(piece, to: &session, &outcome) }
    return outcome
}

/// - Parameter afterEach: called with each event before the next one is asked for.
func feed(
    _ piece: some Sequence<UInt8>, to session: inout Session, _ outcome: inout Outcome,
    afterEach: (inout Session, Session.Event) -> Void = { _, _ in }
) {
    var memory = Array(piece)
    memory.withUnsafeMutableBytes { bytes in
        var input = InputBytes(bytes)
        do throws(ProtocolError) {
            while let event = try session.nextEvent(from: &input) {
                outcome.events.append(event)
                afterEach(&session, event)
            }
            #expect(input.isEmpty, "input left behind")
        } catch {
            #expect(outcome.failure == nil, "failed twice")
            outcome.failure = error
        }
        for index in bytes.indices { bytes[index] = 0xAA }
    }
}

/// The outcome of the bytes, which has to be the same however they are cut: whole, one at a time,
/// with empty reads between, in two at each place, and with more bytes behind the end.
///
/// - Parameter compression: one that was not used yet, of which each session gets a copy.
func everySplit(
    _ bytes: [UInt8], role: Role, messageByteLimit: Int = 1 << 20,
    compression: SessionCompression? = nil, sourceLocation: SourceLocation = #_sourceLocation
) -> Outcome {
    func run(_ pieces: [ArraySlice<UInt8>]) -> Outcome {
        outcome(
            of: pieces, role: role, messageByteLimit: messageByteLimit, compression: compression)
    }
    let whole = run([bytes[...]])
    func compare(_ split: String, _ pieces: [ArraySlice<UInt8>]) {
        let outcome = run(pieces)
        if outcome != whole {
            Issue.record(
                "\(split): \(outcome)\nwhole: \(whole)\n\(hexDump(bytes.prefix(512)))",
                sourceLocation: sourceLocation)
        }
    }
    compare("byte by byte", bytes.indices.map { bytes[$0...$0] })
    if bytes.count <= 1_024 {
        compare("with empty reads", bytes.indices.flatMap { [[], bytes[$0...$0]] })
    }
    for cut in cuts(bytes.count) { compare("cut at \(cut)", [bytes[..<cut], bytes[cut...]]) }
    if whole.failure != nil || whole.events.last?.isClose == true {
        compare("trailing", [bytes[...], [0x81, 0x80, 0, 0, 0, 0, 0xFF]])
        compare("trailing in one", [(bytes + [0x89, 0x80, 0, 0, 0, 0, 0xFF])[...]])
    }
    return whole
}

/// Each place, but for long inputs: both ends, and places between that fall into every position of
/// a masking key.
func cuts(_ byteCount: Int) -> [Int] {
    guard byteCount > 512 else { return Array(0...byteCount) }
    let middle = stride(from: 24, to: byteCount - 24, by: max(1, byteCount / 13) | 1)
    return Array(0..<24) + middle + ((byteCount - 24)...byteCount)
}

extension Session.Event {
    var isClose: Bool { if case .close = self { true } else { false } }
}

/// The masking key of the examples in RFC 6455 §5.7, as the header's word.
let exampleKey: UInt32 = 0x3D21_FA37
let exampleKeyBytes: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

/// A frame written out by hand, not by the code under test.
///
/// - Parameters:
///   - first: FIN, the reserved bits and the opcode.
///   - role: of the session that receives it: a server gets it masked.
///   - announced: a payload length other than the real one.
func wire(
    _ first: UInt8, _ payload: [UInt8] = [], to role: Role, announced: UInt64? = nil
) -> [UInt8] {
    let count = announced ?? UInt64(payload.count)
    let mask: UInt8 = role == .server ? 0x80 : 0
    func bigEndian(_ byteCount: Int) -> [UInt8] {
        (0..<byteCount).reversed().map { UInt8(truncatingIfNeeded: count >> UInt64(8 * $0)) }
    }
    var bytes = [first]
    if count < 126 {
        bytes.append(mask | UInt8(count))
    } else if count < 65_536 {
        bytes += [mask | 126] + bigEndian(2)
    } else {
        bytes += [mask | 127] + bigEndian(8)
    }
    guard role == .server else { return bytes + payload }
    return bytes + exampleKeyBytes
        + payload.enumerated().map { $0.element ^ exampleKeyBytes[$0.offset % 4] }
}

/// Bytes that differ from their neighbours: 0, 1, … 250, 0, …
func pattern(_ byteCount: Int) -> [UInt8] { (0..<byteCount).map { UInt8($0 % 251) } }

/// `"81 05"` as bytes.
func hex(_ text: String) -> [UInt8] {
    text.split(separator: " ").map { UInt8($0, radix: 16) ?? 0 }
}

func hexDump(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}

/// A server and a client session with the bytes on their way between them.
struct SessionPair {
    var server = Session(role: .server)
    var client = Session(role: .client)
    var atServer = Outcome()
    var atClient = Outcome()

    mutating func deliver(toServer bytes: [UInt8]) { feed(bytes, to: &server, &atServer) }
    mutating func deliver(toClient bytes: [UInt8]) { feed(bytes, to: &client, &atClient) }
}
