import EventLoop
import Glibc

/// Standard input, as messages.
struct PublishInput {
    private let descriptor: Int32
    private let byteLimit: Int
    /// `nil`: all is one message, `whole`.
    private var lines: LineReader?
    private var whole: [UInt8] = []
    private var isTooLong = false
    private var isTaken = false
    /// Nothing more is read.
    private(set) var hasEnded = false
    private var buffer = [UInt8](repeating: 0, count: 65_536)  // what a pipe holds

    init(_ descriptor: Int32, isBinary: Bool, byteLimit: Int) {
        self.descriptor = descriptor
        self.byteLimit = byteLimit
        lines = isBinary ? nil : LineReader(byteLimit: byteLimit)
    }

    /// The next message, if it is complete.
    mutating func next() -> InputMessage? {
        if lines != nil { return lines?.next() }
        guard hasEnded, !isTaken else { return nil }
        isTaken = true
        return InputMessage(number: 1, content: isTooLong ? .tooLong : .bytes(whole))
    }

    /// Reads once. A caller that does not want to wait has seen that it can be read.
    ///
    /// - Throws: nothing more can be read, and of one binary message nothing is used.
    mutating func read() throws(SystemError) {
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count < 0 {
            if errno == EINTR || errno == EAGAIN { return }
            let error = SystemError("read")
            hasEnded = true
            isTaken = true
            throw error
        }
        if count == 0 {
            hasEnded = true
            lines?.end()
        } else if lines != nil {
            lines?.append(buffer[..<count])
        } else if whole.count + count > byteLimit {
            isTooLong = true
            whole = []
        } else if !isTooLong {
            whole += buffer[..<count]
        }
    }
}
