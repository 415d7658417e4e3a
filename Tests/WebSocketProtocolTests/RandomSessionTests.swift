import TestSupport
import Testing

@testable import WebSocketProtocol

/// Any bytes either produce events or throw ProtocolError; never trap, never exceed the limits,
/// same events for every split.
@Suite("Random bytes")
struct RandomSessionTests {
    private static let messageByteLimit = 200

    private static func payload(using generator: inout SeededGenerator) -> [UInt8] {
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return []
        case 1: return Array("aé😀".utf8)
        case 2: return Array("aé😀".utf8.dropLast())
        case 3: return [0x03, 0xE8, 0x61]
        case 4: return pattern([1, 125, 126, 200, 201].randomElement(using: &generator) ?? 1)
        default:
            return (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                .random(in: 0...255, using: &generator)
            }
        }
    }

    /// Mostly frames that may stand there, now and then damaged.
    private static func bytes(to role: Role, using generator: inout SeededGenerator) -> [UInt8] {
        let firsts: [UInt8] = [0x81, 0x82, 0x89, 0x8A, 0x01, 0x02, 0x00, 0x80]
        let fragmented: [[UInt8]] = [[0x01, 0x89, 0x00, 0x80], [0x02, 0x80], [0x01, 0x8A, 0x80]]
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...5, using: &generator) {
            switch Int.random(in: 0..<8, using: &generator) {
            case 0:
                let first = UInt8.random(in: 0...255, using: &generator)
                bytes += wire(first, payload(using: &generator), to: role)
            case 1:
                let announced =
                    UInt64.random(in: 0 ... .max, using: &generator)
                    >> UInt64.random(in: 0..<64, using: &generator)
                bytes += wire(0x82, payload(using: &generator), to: role, announced: announced)
            case 2...4:
                for first in fragmented.randomElement(using: &generator) ?? [] {
                    let text = Array(payload(using: &generator).prefix(60)).map { $0 & 0x7F }
                    bytes += wire(first, text, to: role)
                }
            case 5: bytes += wire(0x88, [0x03, 0xE8] + payload(using: &generator), to: role)
            default:
                let first = firsts.randomElement(using: &generator) ?? 0x81
                bytes += wire(first, payload(using: &generator), to: role)
            }
        }
        if !bytes.isEmpty, Int.random(in: 0..<3, using: &generator) == 0 {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[index] = .random(in: 0...255, using: &generator)
        }
        return bytes
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>, [Role.server, .client])
    func giveOneOutcome(seed: UInt64, role: Role) {
        var generator = SeededGenerator(seed: seed)
        var eventCount = 0
        var failures: Set<CloseCode> = []
        for _ in 0..<120 {
            let bytes = Self.bytes(to: role, using: &generator)
            let outcome = everySplit(bytes, role: role, messageByteLimit: Self.messageByteLimit)
            let cuts = bytes.indices.map { bytes[$0...$0] }
            for cuts in [[bytes[...]], cuts] {
                let joined = inPieces(cuts, role: role, messageByteLimit: Self.messageByteLimit)
                #expect(joined == outcome, "in pieces")
            }
            eventCount += outcome.events.count
            if let failure = outcome.failure { failures.insert(failure.closeCode) }
            for event in outcome.events { expectWithinLimits(event) }
            #expect(outcome.events.dropLast().allSatisfy { !$0.isClose })
        }
        #expect(eventCount > 50)
        #expect(failures == [1002, 1007, 1009])
    }

    private func expectWithinLimits(_ event: Session.Event) {
        switch event {
        case .message(let message): #expect(message.payloadByteCount <= Self.messageByteLimit)
        case .piece(let piece): Issue.record("not asked for: \(piece)")
        case .ping(let payload), .pong(let payload): #expect(payload.count <= 125)
        case .close(let close): #expect(close.reason.utf8.count <= Close.reasonByteLimit)
        }
    }

    @Test(arguments: [Role.server, .client])
    func noise(role: Role) {
        var generator = SeededGenerator(seed: 99)
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            _ = everySplit(bytes, role: role, messageByteLimit: Self.messageByteLimit)
        }
    }
}
