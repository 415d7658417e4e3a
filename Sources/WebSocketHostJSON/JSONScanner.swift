/// Reads a text of JSON (RFC 8259) into tokens. A loop and not a recursion, so that no text can
/// fill the stack.
///
/// What may come next, and what then may:
///
/// | state | may come | then |
/// |---|---|---|
/// | `value` | a scalar | `commaOrEnd`; `end` outside of all arrays and objects |
/// | `value` | `[` | `valueOrEnd` |
/// | `value` | `{` | `keyOrEnd` |
/// | `valueOrEnd` | as `value`, or `]` | as above |
/// | `keyOrEnd` | as `key`, or `}` | as above |
/// | `key` | a string | `colon` |
/// | `colon` | `:` | `value` |
/// | `commaOrEnd` | `,` | `value` in an array, `key` in an object |
/// | `commaOrEnd` | `]` or `}` | as after a scalar |
/// | `end` | nothing | |
struct JSONScanner {
    private enum State {
        case value, valueOrEnd, keyOrEnd, key, colon, commaOrEnd, end
    }

    private let bytes: [UInt8]
    private var position = 0
    private var state = State.value
    private var result: [JSONToken] = []
    /// The indices of the arrays and objects that are open, the innermost last.
    private var open: [Int] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func tokens() throws(JSONError) -> [JSONToken] {
        guard bytes.count < UInt32.max else {
            throw JSONError(.syntax, expected: "fewer bytes", found: "\(bytes.count)")
        }
        result.reserveCapacity(min(64, bytes.count / 4 + 1))
        while true {
            skipSpace()
            switch state {
            case .value: try scanValue()
            case .valueOrEnd: if next == UInt8(ascii: "]") { close() } else { try scanValue() }
            case .keyOrEnd:
                if next == UInt8(ascii: "}") { try closeObject() } else { try scanKey() }
            case .key: try scanKey()
            case .colon:
                guard next == UInt8(ascii: ":") else { throw unexpected("':' behind a key") }
                position += 1
                state = .value
            case .commaOrEnd: try scanCommaOrEnd()
            case .end:
                guard next == nil else { throw unexpected("nothing behind the value") }
                return result
            }
        }
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    // MARK: - Arrays and objects

    private mutating func scanValue() throws(JSONError) {
        switch next {
        case UInt8(ascii: "{"): try enter(.object, .keyOrEnd)
        case UInt8(ascii: "["): try enter(.array, .valueOrEnd)
        case UInt8(ascii: "\""):
            try scanString()
            leaveValue()
        case UInt8(ascii: "-"): try scanNumber()
        case .some(let digit) where digit.isDigit: try scanNumber()
        case UInt8(ascii: "t"): try scanWord("true", .true)
        case UInt8(ascii: "f"): try scanWord("false", .false)
        case UInt8(ascii: "n"): try scanWord("null", .null)
        default: throw unexpected("a value")
        }
    }

    private mutating func enter(_ kind: JSONToken.Kind, _ then: State) throws(JSONError) {
        guard open.count < JSONError.depthLimit else {
            throw JSONError(
                .tooDeep, offset: position,
                expected: "at most \(JSONError.depthLimit) arrays and objects in each other")
        }
        open.append(result.count)
        add(kind, from: position)
        position += 1
        state = then
    }

    private mutating func close() {
        position += 1
        if let index = open.popLast() { result[index].end = UInt32(result.count) }
        leaveValue()
    }

    private mutating func closeObject() throws(JSONError) {
        if let object = open.last { try checkKeys(of: object) }
        close()
    }

    private mutating func leaveValue() { state = open.isEmpty ? .end : .commaOrEnd }

    private mutating func scanCommaOrEnd() throws(JSONError) {
        let isObject = open.last.map { result[$0].kind == .object } ?? false
        switch next {
        case UInt8(ascii: ","):
            position += 1
            state = isObject ? .key : .value
        case UInt8(ascii: "]") where !isObject: close()
        case UInt8(ascii: "}") where isObject: try closeObject()
        default: throw unexpected(isObject ? "',' or '}'" : "',' or ']'")
        }
    }

    // MARK: - Keys

    private mutating func scanKey() throws(JSONError) {
        guard next == UInt8(ascii: "\"") else { throw unexpected("a key in quotation marks") }
        try scanString()
        state = .colon
    }

    /// So many keys are compared each with each; of more, a set is made.
    private static let comparedKeyLimit = 8

    private func checkKeys(of object: Int) throws(JSONError) {
        var keys: [Int] = []
        var index = object + 1
        while index < result.count {
            keys.append(index)
            index = result.end(of: index + 1)
        }
        if keys.count <= Self.comparedKeyLimit {
            for (number, key) in keys.enumerated().dropFirst()
            where keys[..<number].contains(where: { isSame($0, key) }) {
                throw duplicate(key)
            }
        } else {
            var known = Set<[UInt8]>(minimumCapacity: keys.count)
            for key in keys where !known.insert(resolved(key)).inserted { throw duplicate(key) }
        }
    }

    private func slice(_ index: Int) -> ArraySlice<UInt8> {
        bytes[Int(result[index].start)..<Int(result[index].end)]
    }

    private func resolved(_ key: Int) -> [UInt8] {
        result[key].kind == .string ? Array(slice(key)) : JSONEscapes.resolved(slice(key))
    }

    private func isSame(_ a: Int, _ b: Int) -> Bool {
        result[a].kind == .string && result[b].kind == .string
            ? slice(a) == slice(b) : resolved(a) == resolved(b)
    }

    private func duplicate(_ key: Int) -> JSONError {
        let text = String(decoding: resolved(key), as: UTF8.self)
        return JSONError(
            .duplicateKey, offset: Int(result[key].start) - 1, expected: "each key once",
            found: "\"\(text.prefix(40))\" again")
    }

    // MARK: - Scalars

    private mutating func add(_ kind: JSONToken.Kind, from start: Int) {
        result.append(JSONToken(kind: kind, start: UInt32(start), end: UInt32(position)))
    }

    private mutating func scanWord(_ word: String, _ kind: JSONToken.Kind) throws(JSONError) {
        let start = position
        for byte in word.utf8 {
            guard next == byte else { throw unexpected("'\(word)'") }
            position += 1
        }
        add(kind, from: start)
        leaveValue()
    }

    /// Up to the quotation mark that ends it.
    private mutating func scanString() throws(JSONError) {
        position += 1
        let start = position
        var kind = JSONToken.Kind.string
        while true {
            position += bytes.withUnsafeBufferPointer { bytes in
                bytes[position...].prefix { !$0.isSpecialInString }.count
            }
            switch next {
            case UInt8(ascii: "\""):
                add(kind, from: start)
                position += 1
                return
            case UInt8(ascii: "\\"):
                kind = .escapedString
                try scanEscape()
            default: throw unexpected(next == nil ? "'\"' at the end of a string" : "an escape")
            }
        }
    }

    private mutating func scanEscape() throws(JSONError) {
        position += 1
        switch next {
        case .some(let letter) where "\"\\/bfnrt".utf8.contains(letter): position += 1
        case UInt8(ascii: "u"):
            let start = position - 1
            let first = try scanUnit()
            if UTF16.isLeadSurrogate(first) {
                guard next == UInt8(ascii: "\\") else { throw loneSurrogate(start) }
                position += 1
                guard next == UInt8(ascii: "u") else { throw loneSurrogate(start) }
                guard UTF16.isTrailSurrogate(try scanUnit()) else { throw loneSurrogate(start) }
            } else if UTF16.isTrailSurrogate(first) {
                throw loneSurrogate(start)
            }
        default: throw unexpected("one of \"\\/bfnrtu behind '\\'")
        }
    }

    private mutating func scanUnit() throws(JSONError) -> UInt16 {
        position += 1
        guard let unit = JSONEscapes.unit(bytes[position...].prefix(4)) else {
            throw unexpected("four hexadecimal digits behind '\\u'")
        }
        position += 4
        return unit
    }

    /// No text of Unicode can contain one.
    private func loneSurrogate(_ offset: Int) -> JSONError {
        JSONError(
            .syntax, offset: offset, expected: "a character",
            found: "one half of a pair of surrogates")
    }

    private mutating func scanNumber() throws(JSONError) {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        if next == UInt8(ascii: "0") { position += 1 } else { try scanDigits() }
        if next == UInt8(ascii: ".") {
            position += 1
            try scanDigits()
        }
        if let letter = next, letter | 0x20 == UInt8(ascii: "e") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try scanDigits()
        }
        add(.number, from: start)
        leaveValue()
    }

    private mutating func scanDigits() throws(JSONError) {
        let start = position
        while let digit = next, digit.isDigit { position += 1 }
        if position == start { throw unexpected("a digit") }
    }

    // MARK: - Errors

    private func unexpected(_ expected: String) -> JSONError {
        JSONError(.syntax, offset: position, expected: expected, found: foundWords)
    }

    private var foundWords: String {
        guard let byte = next else { return "the end" }
        if bytes[position...].starts(with: [0xEF, 0xBB, 0xBF]) { return "a byte order mark" }
        if (0x21...0x7E).contains(byte) { return "'\(Character(Unicode.Scalar(byte)))'" }
        let digits = String(byte, radix: 16)
        return "byte 0x" + (digits.count == 1 ? "0" : "") + digits
    }
}

extension UInt8 {
    /// Ends a string, begins an escape, or has to be one.
    var isSpecialInString: Bool {
        self < 0x20 || self == UInt8(ascii: "\"") || self == UInt8(ascii: "\\")
    }

    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
