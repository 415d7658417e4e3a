import EventLoop
import WebSocketProtocol

/// What server processes of one supervisor say to each other.
///
/// A frame is a length, a kind and fields, all numbers in network order:
///
/// | frame | byte count (4) of what follows, kind (1), then |
/// |---|---|
/// | hello | "topics" (6), version (2), process number (8) |
/// | open | – |
/// | publication | flags (1), topic, key if the flags say so, payload up to the end |
/// | count | topic, subscribers (4) |
/// | forgetCounts | – |
/// | missed | messages (4), number of topics (2), the topics |
/// | question | number (4), UTF-8 up to the end |
/// | answer | number (4), 1 if it is the last piece, else 0 (1), a piece up to the end |
///
/// A topic and a key are a byte count (4) and as many bytes of UTF-8. Numbers of subscribers and of
/// messages beyond 2³² - 1 are told as that.
enum BusFrame: Hashable, Sendable {
    /// The first frame of each side. Its beginning is the same in every version.
    case hello(version: UInt16, process: UInt64)
    /// From here on come all publications of the process.
    case open
    case publication(topic: ExactText, key: String?, Message)
    /// So many subscribers has the process.
    case count(topic: ExactText, Int)
    /// The process tells all counts anew: topics that it does not name have no subscribers there.
    case forgetCounts
    /// So many publications were left out since the last one that came, because this process did
    /// not read. Of these topics; `nil`: of any.
    case missed(Int, topics: [ExactText]?)
    /// To be answered; not about topics. The number is the asking process's.
    case question(number: UInt32, String)
    /// A piece of the answer to the question of that number.
    case answer(number: UInt32, isLast: Bool, [UInt8])

    /// Raised with each change of the frames.
    static let version: UInt16 = 2
    static let lengthByteCount = 4
    /// For the topic, the key and all else around a payload: 128 KiB.
    static let surroundingByteLimit = 131_072

    enum Kind: UInt8 {
        case hello = 1
        case open, publication, count, forgetCounts, missed, question, answer
    }

    var kind: Kind {
        switch self {
        case .hello: .hello
        case .open: .open
        case .publication: .publication
        case .count: .count
        case .forgetCounts: .forgetCounts
        case .missed: .missed
        case .question: .question
        case .answer: .answer
        }
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        static let binary = Flags(rawValue: 1)
        static let key = Flags(rawValue: 2)
        static let known: Flags = [.binary, .key]
    }

    static let greeting = Array("topics".utf8)
}

// MARK: - Writing

extension BusFrame {
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    /// Appends the frame.
    func write(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(number: UInt32(0))
        switch self {
        case .hello(let version, let process):
            bytes.append(Kind.hello.rawValue)
            bytes += Self.greeting
            bytes.append(number: version)
            bytes.append(number: process)
        case .open: bytes.append(Kind.open.rawValue)
        case .publication(let topic, let key, let message):
            bytes.append(Kind.publication.rawValue)
            Self.write(topic.text, key, message, to: &bytes)
        case .count(let topic, let count):
            bytes.append(Kind.count.rawValue)
            bytes.append(text: topic.text)
            bytes.append(number: UInt32(clamping: count))
        case .forgetCounts: bytes.append(Kind.forgetCounts.rawValue)
        case .missed(let count, let topics):
            bytes.append(Kind.missed.rawValue)
            bytes.append(number: UInt32(clamping: count))
            bytes.append(number: UInt16(clamping: topics?.count ?? 0))
            for topic in topics ?? [] { bytes.append(text: topic.text) }
        case .question(let number, let text):
            bytes.append(Kind.question.rawValue)
            bytes.append(number: number)
            bytes += text.utf8
        case .answer(let number, let isLast, let piece):
            bytes.append(Kind.answer.rawValue)
            bytes.append(number: number)
            bytes.append(isLast ? 1 : 0)
            bytes += piece
        }
        bytes.set(UInt32(clamping: bytes.count - start - Self.lengthByteCount), at: start)
    }

    private static func write(
        _ topic: String, _ key: String?, _ message: Message, to bytes: inout [UInt8]
    ) {
        var flags: Flags = []
        if case .binary = message { flags.insert(.binary) }
        if key != nil { flags.insert(.key) }
        bytes.append(flags.rawValue)
        bytes.append(text: topic)
        if let key { bytes.append(text: key) }
        switch message {
        case .text(let text): bytes += text.utf8
        case .binary(let payload): bytes += payload
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(text: String) {
        append(number: UInt32(clamping: text.utf8.count))
        append(contentsOf: text.utf8)
    }

    fileprivate mutating func set(_ number: UInt32, at offset: Int) {
        for index in 0..<4 { self[offset + index] = UInt8(number >> (24 - 8 * index) & 0xFF) }
    }
}
