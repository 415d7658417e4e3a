import EventLoop

/// A line of the log, put together piece by piece.
///
/// In raw memory, because each connection has two lines of many pieces: interpolation takes many
/// times as long for each, and an array still twice.
struct LineText: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity = firstCapacity
    private var byteCount = 0
    /// Whose time stands in front, since ``begin(_:_:)``.
    private var second: Int?

    /// 256: more than most lines about a connection have.
    private static let firstCapacity = 256
    /// `2026-03-01 12:00:00.`
    private static let byteCountToMilliseconds = 20

    init() { memory = .allocate(byteCount: capacity, alignment: 1) }

    /// A line's beginning in ``LogFormat/text``.
    init(_ level: LogLevel, _ moment: LogMoment) {
        self.init()
        begin(level, moment)
    }

    deinit { memory.deallocate() }

    /// Begins another line in the memory of the one before, whose time is kept if it was in the
    /// same second.
    mutating func begin(_ level: LogLevel, _ moment: LogMoment) {
        if second == moment.seconds {
            byteCount = Self.byteCountToMilliseconds
            append(digitsOf: moment.milliseconds.magnitude, width: 3)
        } else {
            byteCount = 0
            append(text: moment.local)
            second = moment.seconds
        }
        append(" ")
        append(text: level.name)
        append(" ")
    }

    mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
    }

    mutating func append(text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    private mutating func append(_ piece: UnsafeRawBufferPointer) {
        let room = room(piece.count)
        if let start = piece.baseAddress { room.copyMemory(from: start, byteCount: piece.count) }
        byteCount += piece.count
    }

    mutating func append(_ address: SocketAddress) {
        let byteLimit = SocketAddress.textByteLimit
        byteCount += address.write(to: .init(start: room(byteLimit), count: byteLimit))
    }

    /// In decimal digits.
    mutating func append(_ number: Int) {
        if number < 0 { append("-") }
        append(digitsOf: number.magnitude, width: 1)
    }

    /// - Parameter width: zeros stand in front of shorter numbers.
    private mutating func append(digitsOf number: UInt, width: Int) {
        byteCount += room(Self.digitCountLimit).storeDigits(of: number, width: width)
    }

    /// What a number of 64 bits has.
    private static let digitCountLimit = 20

    /// Memory for more behind what is there.
    private mutating func room(_ moreByteCount: Int) -> UnsafeMutableRawPointer {
        if capacity - byteCount < moreByteCount { grow(moreByteCount) }
        return memory + byteCount
    }

    private mutating func grow(_ moreByteCount: Int) {
        capacity = max(capacity * 2, byteCount + moreByteCount)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 1)
        larger.copyMemory(from: memory, byteCount: byteCount)
        memory.deallocate()
        memory = larger
    }

    /// Valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: byteCount) }

    var text: String { String(decoding: bytes, as: UTF8.self) }
}
