/// A text of JSON, read once from its first byte to its last.
final class JSONDocument {
    let bytes: [UInt8]
    let tokens: [JSONToken]

    init(_ bytes: [UInt8]) throws(JSONError) {
        var scanner = JSONScanner(bytes)
        tokens = try scanner.tokens()
        self.bytes = bytes
    }

    /// The index of the token behind a value and all that is in it.
    func end(of index: Int) -> Int { tokens.end(of: index) }

    /// Where an error about a token points to.
    func offset(of index: Int) -> Int {
        let token = tokens[index]
        let isString = token.kind == .string || token.kind == .escapedString
        return Int(token.start) - (isString ? 1 : 0)
    }

    func slice(_ index: Int) -> ArraySlice<UInt8> {
        bytes[Int(tokens[index].start)..<Int(tokens[index].end)]
    }

    /// Of a string or key.
    func text(_ index: Int) -> String {
        let slice = slice(index)
        return String(
            decoding: tokens[index].kind == .string ? slice : JSONEscapes.resolved(slice)[...],
            as: UTF8.self)
    }

    /// Whether a key is this one, byte by byte: Swift's `==` finds more texts equal.
    func isKey(_ index: Int, _ key: String) -> Bool {
        tokens[index].kind == .string
            ? slice(index).elementsEqual(key.utf8) : text(index).utf8.elementsEqual(key.utf8)
    }

    /// The indices of the keys of an object; the value stands behind its key.
    func keys(of object: Int) -> [Int] {
        var keys: [Int] = []
        var index = object + 1
        while index < end(of: object) {
            keys.append(index)
            index = end(of: index + 1)
        }
        return keys
    }
}
