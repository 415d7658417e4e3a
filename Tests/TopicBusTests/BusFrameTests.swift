import EventLoop
import TestSupport
import Testing
import WebSocketProtocol

@testable import TopicBus

@Suite("Frames between server processes")
struct BusFrameTests {
    private static let limit = 100_000

    static let frames: [BusFrame] = [
        .hello(version: BusFrame.version, process: 0),
        .hello(version: BusFrame.version, process: .max),
        .open,
        .publication(topic: "t", key: nil, .text("")),
        .publication(topic: "räume/7", key: "", .text("Grüße 👋")),
        .publication(topic: "a", key: "EUR\0USD", .binary([0, 255, 128])),
        .publication(topic: "é", key: nil, .binary([])),
        .publication(
            topic: ExactText(String(repeating: "n", count: 70_000)), key: nil, .text("long name")),
        .count(topic: "t", 0), .count(topic: "e\u{301}", 4_294_967_295),
        .forgetCounts,
        .question(number: 0, ""), .question(number: .max, "ü?"),
        .answer(number: 1, isLast: false, []), .answer(number: .max, isLast: true, [0, 255]),
        .missed(1, topics: nil), .missed(4_294_967_295, topics: ["one", "zwei", "é"]),
    ]

    /// What a decoder makes of pieces: frames, then the error if there is one.
    private func decode(
        _ pieces: [ArraySlice<UInt8>], limit: Int = limit
    ) -> (frames: [BusFrame], error: BusError?, isInsideFrame: Bool) {
        var decoder = BusFrameDecoder(frameByteLimit: limit)
        var frames: [BusFrame] = []
        for piece in pieces {
            piece.withUnsafeBytes { decoder.append($0) }
            do throws(BusError) {
                while let frame = try decoder.next() { frames.append(frame) }
            } catch {
                return (frames, error, decoder.isInsideFrame)
            }
        }
        return (frames, nil, decoder.isInsideFrame)
    }

    private func error(of content: [UInt8]) -> BusError? {
        decode([Self.framed(content)[...]]).error
    }

    private static func framed(_ content: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt32(content.count).bigEndian, Array.init) + content
    }

    @Test("each frame comes as it was written", arguments: frames)
    func roundTrip(frame: BusFrame) {
        let bytes = frame.bytes
        let (frames, error, isInside) = decode([bytes[...]])
        #expect(frames == [frame] && error == nil && !isInside)
        #expect(Self.framed(Array(bytes.dropFirst(4))) == bytes)
        #expect(bytes[4] == frame.kind.rawValue)
    }

    @Test("names that only look alike stay two")
    func exactNames() {
        let frames: [BusFrame] = [.count(topic: "é", 1), .count(topic: "e\u{301}", 1)]
        #expect(frames[0] != frames[1])
        #expect(decode([frames[0].bytes + frames[1].bytes[...]]).frames == frames)
    }

    @Test("frames come the same, wherever the bytes are cut")
    func everySplit() {
        let frames = Self.frames.filter { $0.bytes.count < 1_000 }
        let bytes = frames.flatMap(\.bytes)
        #expect(decode([bytes[...]]).frames == frames)
        #expect(decode(bytes.indices.map { bytes[$0...$0] }).frames == frames)
        let ends = Set(frames.indices.map { frames[...$0].reduce(0) { $0 + $1.bytes.count } })
        for cut in bytes.indices.dropFirst() {
            #expect(decode([bytes[..<cut], bytes[cut...]]).frames == frames, "cut at \(cut)")
            #expect(decode([bytes[..<cut]]).isInsideFrame == !ends.contains(cut))
        }
    }

    @Test("each frame that is cut short or too long is an error", arguments: frames)
    func wrongLengths(frame: BusFrame) {
        let content = Array(frame.bytes.dropFirst(4))
        guard content.count < 1_000 else { return }
        for count in 1..<content.count {
            let cut = decode([Self.framed(Array(content[..<count]))[...]])
            if case .publication(let topic, let key, let message) = frame,
                case .publication(topic, key, let part)? = cut.frames.first
            {
                // A payload goes up to the end, whatever that is.
                #expect(part.payloadByteCount < message.payloadByteCount)
            } else if case .question(let number, let text) = frame,
                case .question(number, let part)? = cut.frames.first
            {
                #expect(part.utf8.count < text.utf8.count)
            } else if case .answer(let number, let isLast, let piece) = frame,
                case .answer(number, isLast, let part)? = cut.frames.first
            {
                #expect(part.count < piece.count)
            } else {
                #expect(cut.error != nil && cut.frames.isEmpty, "\(count) bytes")
            }
        }
        switch frame {
        case .publication, .question, .answer: break
        case .hello: #expect(decode([Self.framed(content + [1])[...]]).frames == [frame])
        default: #expect(error(of: content + [1]) == .wrongLength(frame.kind))
        }
    }

    @Test("what is no frame of this version is named")
    func errors() {
        #expect(error(of: []) == .unknownKind(0))
        #expect(error(of: [9]) == .unknownKind(9))
        #expect(error(of: [7]) == .wrongLength(.question))
        #expect(error(of: [7, 0, 0, 0, 1, 0xFF]) == .notUTF8, "a question")
        #expect(error(of: [8, 0, 0, 0, 1, 2]) == .unknownFlags(2))
        #expect(error(of: [255, 1]) == .unknownKind(255))
        #expect(error(of: [1] + Array("topicz".utf8) + [0, 1]) == .notAHello)
        // Whatever stands behind the version.
        #expect(error(of: [1] + Array("topics".utf8) + [1, 2]) == .otherVersion(258))
        #expect(error(of: [1] + Array("topics".utf8) + [0, 0, 9, 9, 9]) == .otherVersion(0))
        #expect(error(of: [3, 4, 0, 0, 0, 1, 97]) == .unknownFlags(4))
        #expect(error(of: [3, 0, 0, 0, 0, 0, 97]) == .emptyTopic)
        #expect(error(of: [3, 0, 0, 0, 0, 1, 0xFF, 97]) == .notUTF8, "a topic")
        #expect(error(of: [3, 2, 0, 0, 0, 1, 97, 0, 0, 0, 1, 0xC3]) == .notUTF8, "a key")
        #expect(error(of: [3, 0, 0, 0, 0, 1, 97, 0xC3]) == .notUTF8, "a text")
        #expect(error(of: [3, 1, 0, 0, 0, 1, 97, 0xC3]) == nil, "bytes")
        #expect(error(of: [3, 0, 0xFF, 0xFF, 0xFF, 0xFF, 97]) == .wrongLength(.publication))
        #expect(error(of: [4, 0, 0, 0, 1, 97]) == .wrongLength(.count))
        #expect(error(of: [6, 0, 0, 0, 1, 0xFF, 0xFF]) == .wrongLength(.missed))
    }

    @Test("a length over the limit is an error before its bytes come")
    func tooLong() {
        let frame = BusFrame.publication(
            topic: "t", key: nil, .text(String(repeating: "x", count: 100)))
        let byteCount = frame.bytes.count - 4
        #expect(decode([frame.bytes[...]], limit: byteCount).frames == [frame])
        let expected = BusError.frameTooLong(byteCount: byteCount, byteLimit: byteCount - 1)
        #expect(decode([frame.bytes[..<4]], limit: byteCount - 1).error == expected)
        #expect(
            decode([[255, 255, 255, 255]]).error
                == .frameTooLong(byteCount: 4_294_967_295, byteLimit: Self.limit))
    }

    @Test("counts beyond the field are told as its greatest value")
    func clamped() {
        let bytes =
            BusFrame.count(topic: "t", .max).bytes + BusFrame.missed(.max, topics: nil).bytes
        #expect(
            decode([bytes[...]]).frames
                == [.count(topic: "t", 4_294_967_295), .missed(4_294_967_295, topics: nil)])
    }

    @Test("random bytes, and frames with some changed, are frames or errors")
    func random() {
        var generator = SeededGenerator(seed: 7)
        let whole = Self.frames.filter { $0.bytes.count < 1_000 }.flatMap(\.bytes)
        for round in 0..<5_000 {
            var bytes = whole
            if round % 2 == 0 {
                bytes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
                    .random(in: 0...(round % 4 == 0 ? 7 : 255), using: &generator)
                }
            } else {
                for _ in 0..<3 {
                    bytes[.random(in: 0..<bytes.count, using: &generator)] = .random(
                        in: 0...255, using: &generator)
                }
            }
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            let (frames, error, _) = decode([bytes[...]], limit: 1_000)
            let again = decode([bytes[..<cut], bytes[cut...]], limit: 1_000)
            #expect(again.frames == frames && again.error == error)
            // What was read can be written, and read again. A longer hello is the exception.
            let written = frames.flatMap(\.bytes)
            #expect(decode([written[...]]).frames == frames)
        }
    }

    @Test("many frames in one piece, short and long")
    func manyFrames() {
        let frame = BusFrame.count(topic: "t", 1)
        let long = BusFrame.publication(
            topic: "t", key: nil, .binary(Array(repeating: 1, count: 90_000)))
        let frames = Array(repeating: frame, count: 20_000) + [long] + [frame]
        #expect(decode([frames.flatMap(\.bytes)[...]]).frames == frames)
    }
}

@Suite("What other processes have not been told")
struct UntoldTests {
    @Test("lost messages are counted, and their topics named up to a limit")
    func missed() {
        var missed = MissedMessages()
        #expect(missed.isEmpty)
        for number in 0..<MissedMessages.topicLimit {
            missed.add(ExactText("\(number)"))
            missed.add(ExactText("\(number)"))
        }
        #expect(missed.count == 128)
        #expect(missed.topics?.count == 64)
        var other = MissedMessages()
        other.add("0")
        missed.add(other)
        #expect(missed.count == 129 && missed.topics?.count == 64)
        other.add("one more")
        missed.add(other)
        #expect(missed.count == 131 && missed.topics == nil)
        missed.add("0")
        #expect(missed.count == 132 && missed.topics == nil)
        other = MissedMessages()
        other.add(missed)
        #expect(other.count == 132 && other.topics == nil)
    }

    @Test("of each topic the latest count is told, in portions")
    func counts() {
        var changes = CountChanges(limit: 2_000)
        for number in 0..<2_000 { changes.note(ExactText("\(number)"), 1) }
        for number in 0..<2_000 { changes.note(ExactText("\(number)"), number) }
        var told: [ExactText: Int] = [:]
        while !changes.isEmpty {
            let portion = changes.takePortion()
            #expect((1...CountChanges.portionLimit).contains(portion.count))
            for (topic, count) in portion { #expect(told.updateValue(count, forKey: topic) == nil) }
        }
        #expect(told.count == 2_000 && told.allSatisfy { $0.key.text == "\($0.value)" })
        #expect(changes.takePortion().isEmpty)
    }

    @Test("beyond the limit all have to be told anew")
    func tooMany() {
        var changes = CountChanges(limit: 3)
        for number in 0..<3 { changes.note(ExactText("\(number)"), 1) }
        #expect(!changes.areTooMany)
        changes.note("2", 2)
        #expect(!changes.areTooMany)
        changes.note("3", 1)
        #expect(changes.areTooMany && !changes.isEmpty)
        #expect(changes.takePortion().isEmpty)
        var others = CountChanges()
        others.add(changes)
        #expect(others.areTooMany)
        others = CountChanges(all: ["a": 1])
        others.note("b", 2)
        #expect(others.takePortion().count == 2 && others.isEmpty)
    }

    @Test("a list of everything has room for as many changes")
    func all() {
        var all: [ExactText: Int] = [:]
        for number in 0..<20_000 { all[ExactText("\(number)")] = 1 }
        var changes = CountChanges(all: all)
        for number in 0..<40_000 { changes.note(ExactText("\(number)"), 2) }
        #expect(!changes.areTooMany)
        changes.note("another", 2)
        #expect(changes.areTooMany)
    }
}
