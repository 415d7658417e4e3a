import EventLoop
import Glibc
import Synchronization

/// The lines of standard input.
final class InputLines: Sendable {
    enum Next: Sendable, Equatable {
        case line(String)
        /// The line is longer than the limit; nothing more can be read.
        case tooLong
        case end
    }

    private let descriptor: Int32
    private let byteLimit: Int
    private let state = Mutex(State())

    fileprivate struct State {
        /// The bytes that were read; those before `offset` have been returned.
        var bytes: [UInt8] = []
        var offset = 0
        var hasEnded = false
    }

    /// - Parameter byteLimit: the longest line, without its end.
    init(_ descriptor: Int32 = STDIN_FILENO, byteLimit: Int) {
        self.descriptor = descriptor
        self.byteLimit = byteLimit
    }

    /// The next line without its end, LF or CR LF.
    ///
    /// Reading blocks, so it has its own thread. It reads one line at a time, so that a fast input
    /// waits for a slow server.
    func next() async -> Next {
        if let next = nextIfThere() { return next }
        return await withCheckedContinuation { continuation in
            let thread = try? LoopThread { [self] in continuation.resume(returning: waitForNext()) }
            if thread == nil { continuation.resume(returning: .end) }
        }
    }

    /// The next line if it has been read already; `nil`: more has to be read first.
    func nextIfThere() -> Next? { state.withLock { $0.takeNext(byteLimit) } }

    /// Reads once, which blocks if no bytes are available.
    func readSome() { state.withLock { $0.read(descriptor) } }

    /// Blocks until a line is complete. Only one caller at a time may wait.
    func waitForNext() -> Next {
        while true {
            if let next = nextIfThere() { return next }
            readSome()
        }
    }
}

extension InputLines.State {
    /// Takes the next line from the bytes that have been read; `nil`: more has to be read.
    mutating func takeNext(_ byteLimit: Int) -> InputLines.Next? {
        let rest = bytes[offset...]
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
            // One byte more, which may be the CR of the line end.
            if rest.count > byteLimit + 1 { return .tooLong }
            guard hasEnded else { return nil }
            guard !rest.isEmpty else { return .end }
            offset = bytes.endIndex
            return rest.count > byteLimit ? .tooLong : .line(String(decoding: rest, as: UTF8.self))
        }
        var line = rest[..<end]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard line.count <= byteLimit else { return .tooLong }
        offset = end + 1
        return .line(String(decoding: line, as: UTF8.self))
    }

    mutating func read(_ descriptor: Int32) {
        bytes.removeFirst(offset)
        offset = 0
        // 64 KiB: what a pipe holds.
        let piece = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            var result: Int
            repeat {
                result = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            } while result < 0 && errno == EINTR
            count = max(result, 0)
        }
        if piece.isEmpty { hasEnded = true }
        bytes += piece
    }
}
