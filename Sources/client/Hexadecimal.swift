/// Bytes as pairs of hexadecimal digits.
enum Hexadecimal {
    /// The expected form, for error messages.
    static let form = "pairs of hexadecimal digits, such as 00ff or 00 FF"

    /// - Returns: `nil` if the text has another form; no bytes for an empty text.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text {
            if character.isWhitespace && high == nil { continue }
            guard character.isASCII, let digit = character.hexDigitValue.map({ UInt8($0) }) else {
                return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
    }

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.reduce(into: "") { text, byte in
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
    }
}
