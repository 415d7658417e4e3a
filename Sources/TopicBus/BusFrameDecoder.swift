import EventLoop
import WebSocketProtocol

/// Cuts what comes from another process into frames. Values only: it may come in any pieces.
struct BusFrameDecoder {
    /// What may follow a length. In bytes.
    let frameByteLimit: Int
    private var bytes: [UInt8] = []
    /// Up to where frames have been taken.
    private var start = 0

    init(frameByteLimit: Int) { self.frameByteLimit = frameByteLimit }

    mutating func append(_ piece: UnsafeRawBufferPointer) {
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes.append(contentsOf: piece)
    }

    /// Whether the last frame is not complete.
    var isInsideFrame: Bool { start < bytes.count }

    /// - Returns: `nil`: the next frame is not complete.
    /// - Throws: what is wrong with it. Nothing can be made of what follows.
    mutating func next() throws(BusError) -> BusFrame? {
        let header = BusFrame.lengthByteCount
        guard bytes.count - start >= header else { return nil }
        let byteCount = bytes[start..<start + header].reduce(0) { $0 << 8 | Int($1) }
        guard byteCount <= frameByteLimit else {
            throw .frameTooLong(byteCount: byteCount, byteLimit: frameByteLimit)
        }
        let end = start + header + byteCount
        guard bytes.count >= end else { return nil }
        var fields = BusFields(bytes[start + header..<end])
        let frame = try fields.frame()
        start = end
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptCapacityLimit)
            start = 0
        }
        return frame
    }

    /// 256 KiB. After a longer frame the memory is freed.
    private static let keptCapacityLimit = 262_144
}

/// The content of a frame, taken from its front.
private struct BusFields {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func frame() throws(BusError) -> BusFrame {
        guard let byte = rest.popFirst() else { throw .unknownKind(0) }
        guard let kind = BusFrame.Kind(rawValue: byte) else { throw .unknownKind(byte) }
        let frame = try content(kind)
        // A later version's hello may be longer.
        guard rest.isEmpty || kind == .hello else { throw .wrongLength(kind) }
        return frame
    }

    private mutating func content(_ kind: BusFrame.Kind) throws(BusError) -> BusFrame {
        switch kind {
        case .hello:
            guard let greeting = take(BusFrame.greeting.count),
                greeting.elementsEqual(BusFrame.greeting)
            else { throw .notAHello }
            let version = try number(UInt16.self, kind)
            guard version == BusFrame.version else { throw .otherVersion(version) }
            return .hello(version: version, process: try number(UInt64.self, kind))
        case .open: return .open
        case .publication: return try publication()
        case .count:
            let topic = try topic(kind)
            return .count(topic: topic, Int(try number(UInt32.self, kind)))
        case .forgetCounts: return .forgetCounts
        case .missed:
            let count = Int(try number(UInt32.self, kind))
            let topicCount = try number(UInt16.self, kind)
            var topics: [ExactText] = []
            for _ in 0..<topicCount { topics.append(try topic(kind)) }
            return .missed(count, topics: topics.isEmpty ? nil : topics)
        case .question:
            let question = try number(UInt32.self, kind)
            defer { rest = [] }
            return .question(number: question, try Self.text(rest))
        case .answer:
            let question = try number(UInt32.self, kind)
            let flag = try number(UInt8.self, kind)
            guard flag <= 1 else { throw .unknownFlags(flag) }
            defer { rest = [] }
            return .answer(number: question, isLast: flag == 1, Array(rest))
        }
    }

    private mutating func publication() throws(BusError) -> BusFrame {
        let byte = try number(UInt8.self, .publication)
        let flags = BusFrame.Flags(rawValue: byte)
        guard flags.isSubset(of: .known) else { throw .unknownFlags(byte) }
        let topic = try topic(.publication)
        let key = flags.contains(.key) ? try text(.publication) : nil
        defer { rest = [] }
        if flags.contains(.binary) {
            return .publication(topic: topic, key: key, .binary(Array(rest)))
        }
        return .publication(topic: topic, key: key, .text(try Self.text(rest)))
    }

    private mutating func topic(_ kind: BusFrame.Kind) throws(BusError) -> ExactText {
        let name = try text(kind)
        guard !name.isEmpty else { throw .emptyTopic }
        return ExactText(name)
    }

    private mutating func text(_ kind: BusFrame.Kind) throws(BusError) -> String {
        let byteCount = Int(try number(UInt32.self, kind))
        guard let bytes = take(byteCount) else { throw .wrongLength(kind) }
        return try Self.text(bytes)
    }

    private static func text(_ bytes: ArraySlice<UInt8>) throws(BusError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        return text
    }

    private mutating func number<Number: FixedWidthInteger>(
        _ type: Number.Type, _ kind: BusFrame.Kind
    ) throws(BusError) -> Number {
        guard let bytes = take(Number.bitWidth / 8) else { throw .wrongLength(kind) }
        return bytes.reduce(0) { $0 << 8 | Number($1) }
    }

    private mutating func take(_ byteCount: Int) -> ArraySlice<UInt8>? {
        guard byteCount <= rest.count else { return nil }
        defer { rest = rest.dropFirst(byteCount) }
        return rest.prefix(byteCount)
    }
}
