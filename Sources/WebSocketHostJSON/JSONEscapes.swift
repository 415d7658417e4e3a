/// The escapes of a string: `\n`, `\u00e9` and their like.
enum JSONEscapes {
    /// The bytes of a string whose escapes the scanner has checked.
    static func resolved(_ slice: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(slice.count)
        var rest = slice
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let letter = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch letter {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"): result += character(&rest)
            default: result.append(letter)  // itself: " \ /
            }
        }
        return result
    }

    /// A character of one `\u….`, or of two that are a pair of surrogates.
    private static func character(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        let first = unit(rest.prefix(4)) ?? 0xFFFD
        rest = rest.dropFirst(4)
        guard UTF16.isLeadSurrogate(first) else { return bytes([first]) }
        let second = unit(rest.dropFirst(2).prefix(4)) ?? 0xFFFD
        rest = rest.dropFirst(6)
        return bytes([first, second])
    }

    private static func bytes(_ units: [UInt16]) -> [UInt8] {
        Array(String(decoding: units, as: UTF16.self).utf8)
    }

    /// - Returns: `nil` unless these are four hexadecimal digits.
    static func unit(_ digits: ArraySlice<UInt8>) -> UInt16? {
        guard digits.count == 4 else { return nil }
        var value: UInt16 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = value << 4 | UInt16(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                value = value << 4 | UInt16(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"):
                value = value << 4 | UInt16(digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }
}
