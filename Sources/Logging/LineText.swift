import EventLoop

/// The bytes of a line, in memory that the next line uses again.
///
/// Raw memory, because each connection has two lines of many pieces: interpolation takes many times
/// as long, and an array twice as long.
package struct LineText: ~Copyable {
    private let format: LogFormat
    /// Levels have colours: for terminals.
    private let isColored: Bool
    private var memory: UnsafeMutableRawPointer
    private var capacity = firstCapacity
    private var byteCount = 0
    /// The second whose time stands at the beginning.
    private var second: Int?

    /// 256: more than most lines about a connection have.
    private static let firstCapacity = 256

    /// - Parameter isColored: makes no difference to JSON.
    init(_ format: LogFormat, isColored: Bool = false) {
        self.format = format
        self.isColored = isColored && format == .text
        memory = .allocate(byteCount: capacity, alignment: 1)
    }

    deinit { memory.deallocate() }

    /// Replaces the content by a whole line without its end.
    mutating func write(_ level: LogLevel, _ moment: LogMoment, _ line: some LogLine) {
        begin(level, moment)
        switch format {
        case .text: append(textOf: line)
        case .json:
            var message = line.message
            if message == nil {
                var text = LineText(.text)
                text.append(textOf: line)
                message = text.text
            }
            append(text: quotedAsJSON(message ?? ""))
            line.addFields(to: &self)
            append("}")
        }
    }

    private mutating func append(textOf line: some LogLine) {
        let start = byteCount
        line.addFields(to: &self)
        guard let message = line.message else { return }
        if byteCount > start { append(": ") }
        append(text: message)
    }

    /// Writes time and level. The time is kept from the line before if that was in the same second.
    private mutating func begin(_ level: LogLevel, _ moment: LogMoment) {
        if second == moment.seconds {
            byteCount = format == .text ? Self.textTimeByteCount : Self.jsonTimeByteCount
        } else {
            byteCount = 0
            if format == .json { append("{\"time\":\"") }
            append(text: moment.wholeSeconds(format))
            append(".")
            second = moment.seconds
        }
        append(digitsOf: moment.milliseconds.magnitude, width: 3)
        append(format == .text ? " " : "Z\",\"level\":\"")
        if isColored { append(level.colorStart) }
        append(text: level.name)
        if isColored { append(LogLevel.colorEnd) }
        append(format == .text ? " " : "\",\"message\":")
    }

    /// `2026-03-01 12:00:00.`
    private static let textTimeByteCount = 20
    /// `{"time":"2026-03-01T12:00:00.`
    private static let jsonTimeByteCount = 29

    /// Adds a field.
    ///
    /// - Parameters:
    ///   - name: of the JSON object's member.
    ///   - form: how the text shows it.
    package mutating func add(_ name: StaticString, _ value: LogValue, _ form: LogFieldForm) {
        switch format {
        case .text:
            if case .flag(false) = value { return }
            switch form {
            case .hidden: return
            case .plain: append(value)
            case .after(let start):
                append(start)
                append(value)
            case .before(let end):
                append(value)
                append(end)
            case .between(let start, let end):
                append(start)
                append(value)
                append(end)
            case .counting(let start, let noun):
                append(start)
                append(value)
                append(noun)
                if case .number(1) = value { return }
                append("s")
            }
        case .json:
            append(",\"")
            append(name)
            append("\":")
            append(json: value)
        }
    }

    private mutating func append(_ value: LogValue) {
        switch value {
        case .text(let text): append(text: text)
        case .number(let number): append(number)
        case .flag: break
        case .address(let address): append(address)
        }
    }

    private mutating func append(json value: LogValue) {
        switch value {
        case .text(let text): append(text: quotedAsJSON(text))
        case .number(let number): append(number)
        case .flag(let flag): append(flag ? "true" : "false")
        case .address(let address):
            append("\"")
            append(address)
            append("\"")
        }
    }
}

// MARK: - Pieces

extension LineText {
    mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
    }

    mutating func append(text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    private mutating func append(_ piece: UnsafeRawBufferPointer) {
        let end = end(having: piece.count)
        if let start = piece.baseAddress { end.copyMemory(from: start, byteCount: piece.count) }
        byteCount += piece.count
    }

    mutating func append(_ address: SocketAddress) {
        let byteLimit = SocketAddress.textByteLimit
        byteCount += address.write(to: .init(start: end(having: byteLimit), count: byteLimit))
    }

    /// In decimal digits.
    mutating func append(_ number: Int) {
        if number < 0 { append("-") }
        append(digitsOf: number.magnitude, width: 1)
    }

    /// - Parameter width: zeros stand in front of shorter numbers.
    private mutating func append(digitsOf number: UInt, width: Int) {
        byteCount += end(having: Self.digitCountLimit).storeDigits(of: number, width: width)
    }

    /// The digits of a number of 64 bits.
    private static let digitCountLimit = 20

    /// Where the next piece goes, with memory for so many bytes.
    private mutating func end(having moreByteCount: Int) -> UnsafeMutableRawPointer {
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
