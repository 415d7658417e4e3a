import EventLoop
import Glibc
import Synchronization

// Lines that cannot be written at once are written by a thread, which runs only while there are
// such lines.

extension Log {
    /// How often the thread looks whether the log was reopened meanwhile.
    private static let lookMilliseconds: Int32 = 250
    /// For a descriptor that only the thread may write, lines come to it within this time. Waking
    /// it for each would cost more than the line.
    private static let pauseMicroseconds: UInt32 = 10_000
    /// It ends after a second without lines.
    private static let pauseCountLimit = 100
    /// The longest that ``flush(within:)`` waits by default.
    public static let flushTimeLimit: Duration = .seconds(1)

    func startWriter() {
        do throws(SystemError) {
            _ = try LoopThread { [self] in writeQueue() }
        } catch {
            output.withLock { $0.giveUpWaiting(error) }
        }
    }

    private func writeQueue() {
        var pauseCount = 0
        while true {
            switch output.withLock({ $0.nextStep(mayPause: pauseCount < Self.pauseCountLimit) }) {
            case .write(let piece, let descriptor):
                write(piece, descriptor)
                pauseCount = 0
            case .pause:
                pauseCount += 1
                usleep(Self.pauseMicroseconds)
            case .end: return
            }
        }
    }

    /// Writes all of a piece, to the new file if the log is reopened meanwhile.
    private func write(_ piece: [UInt8], _ descriptor: LogDescriptor) {
        var (rest, descriptor) = (piece[...], descriptor)
        var (tornLineCount, failure) = (0, SystemError?.none)
        while !rest.isEmpty && failure == nil {
            do throws(SystemError) {
                let count = try rest.withUnsafeBytes { bytes in
                    Result { () throws(SystemError) in
                        try descriptor.write(bytes, waiting: Self.lookMilliseconds)
                    }
                }.get()
                rest = rest.dropFirst(count)
                guard count == 0, let new = output.withLock({ $0.replacement(of: descriptor) })
                else { continue }
                descriptor = new
                if rest.startIndex > 0 && rest[rest.startIndex - 1] != Self.newline {
                    rest = rest.drop { $0 != Self.newline }.dropFirst()
                    tornLineCount += 1
                }
            } catch {
                failure = error
            }
        }
        let written = piece.count - rest.count
        let isInsideLine = written > 0 && piece[written - 1] != Self.newline
        let lostLineCount = tornLineCount + rest.lineCount
        output.withLock {
            $0.endPiece(
                writtenByteCount: written, isInsideLine: isInsideLine,
                lostLineCount: lostLineCount, failure)
        }
    }

    private static let newline = UInt8(ascii: "\n")

    /// Waits until the lines are written that are waiting for a slow reader, but not longer than a
    /// time. For the end of a program: what is not written by then is lost.
    ///
    /// - Returns: whether all were written.
    @discardableResult
    public func flush(within limit: Duration = flushTimeLimit) -> Bool {
        let end = MonotonicTime.current() + limit
        while isBehind {
            guard MonotonicTime.current() < end else { return false }
            usleep(1_000)
        }
        return true
    }

    /// Whether lines are waiting for a slow reader. In a signal handler too: it does not wait for
    /// the lock, and while another thread has that it is true.
    public var isBehind: Bool { output.withLockIfAvailable { $0.hasUnwrittenLines } ?? true }
}
