/// What standard input has for one message.
struct InputMessage: Equatable {
    enum Content: Equatable {
        case bytes([UInt8])
        case tooLong
        case notUTF8
    }

    /// Its line, from 1.
    let number: Int
    let content: Content
}
