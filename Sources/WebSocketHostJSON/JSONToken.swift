/// One value, or one key, of a text of JSON. A text is a list of them, in its own order: behind the
/// token of an array stand its elements, behind that of an object a key, its value, and so on.
struct JSONToken {
    enum Kind: UInt8 {
        case object
        case array
        /// Bytes between quotation marks that are the text itself.
        case string
        /// One with backslashes in it.
        case escapedString
        case number
        case `true`
        case `false`
        case null

        var words: String {
            switch self {
            case .object: "an object"
            case .array: "an array"
            case .string, .escapedString: "a string"
            case .number: "a number"
            case .true: "true"
            case .false: "false"
            case .null: "null"
            }
        }
    }

    var kind: Kind
    /// Where in the text it begins; of a string, behind the quotation mark.
    var start: UInt32
    /// Of an array or object: the index of the token behind all that is in it. Else: where in the
    /// text it ends.
    var end: UInt32
}

extension [JSONToken] {
    func end(of index: Int) -> Int {
        switch self[index].kind {
        case .object, .array: Int(self[index].end)
        default: index + 1
        }
    }
}
