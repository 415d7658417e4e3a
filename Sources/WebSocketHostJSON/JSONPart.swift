/// A value on its way to be written.
enum JSONPart {
    /// As it is to be written.
    case literal(String)
    case text(String)
    case container(JSONContainer)
    /// Of a `superEncoder`, which is encoded into whenever its owner likes.
    case later(JSONSlot)
}

/// An array, or an object with as many keys as parts.
final class JSONContainer {
    let isObject: Bool
    var keys: [String] = []
    var parts: [JSONPart] = []

    init(isObject: Bool) { self.isObject = isObject }
}

/// What a value becomes that encodes itself.
final class JSONSlot {
    /// `nil`: nothing was encoded.
    var part: JSONPart?
}

extension JSONPart {
    /// Appends the text, as UTF-8. Not deeper than ``JSONError/depthLimit``, which the encoders see
    /// to.
    func write(to bytes: inout [UInt8]) {
        switch self {
        case .literal(let text): bytes += text.utf8
        case .text(let text): Self.write(text, to: &bytes)
        case .later(let slot): (slot.part ?? .literal("{}")).write(to: &bytes)
        case .container(let container):
            bytes.append(container.isObject ? UInt8(ascii: "{") : UInt8(ascii: "["))
            for (index, part) in container.parts.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                if container.isObject {
                    Self.write(container.keys[index], to: &bytes)
                    bytes.append(UInt8(ascii: ":"))
                }
                part.write(to: &bytes)
            }
            bytes.append(container.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        let quotationMark = UInt8(ascii: "\"")
        bytes.append(quotationMark)
        defer { bytes.append(quotationMark) }
        let isPlain = text.utf8.withContiguousStorageIfAvailable { utf8 in
            guard !utf8.contains(where: \.isSpecialInString) else { return false }
            bytes.append(contentsOf: utf8)
            return true
        }
        if isPlain == true { return }
        for byte in text.utf8 { writeEscaped(byte, to: &bytes) }
    }

    private static func writeEscaped(_ byte: UInt8, to bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0x08: bytes += "\\b".utf8
        case 0x09: bytes += "\\t".utf8
        case 0x0A: bytes += "\\n".utf8
        case 0x0C: bytes += "\\f".utf8
        case 0x0D: bytes += "\\r".utf8
        case ..<0x10: bytes += "\\u000\(String(byte, radix: 16))".utf8
        case ..<0x20: bytes += "\\u00\(String(byte, radix: 16))".utf8
        default: bytes.append(byte)
        }
    }
}
