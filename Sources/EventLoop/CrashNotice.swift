import CLinux
import Glibc
import Synchronization

/// Tells another process that this one has trapped, before the backtrace is made: that takes long
/// enough for clients to notice.
public final class CrashNotice: CrashWitness {
    private let fd: Int32
    private let loops: [Loop]
    /// By activity (``Loop/note(activity:)``); the last one where that is not known.
    private let messages: [Message]

    /// `@unchecked Sendable`: nobody writes to it once it is made.
    private struct Message: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer

        init(_ text: String) {
            let copy = UnsafeMutableRawBufferPointer.allocate(
                byteCount: text.utf8.count, alignment: 1)
            copy.copyBytes(from: text.utf8)
            bytes = UnsafeRawBufferPointer(copy)
        }
    }

    /// From now on a crash sends one of the messages to the socket, then goes its usual way.
    ///
    /// - Parameters:
    ///   - fd: a connected socket that stays open.
    ///   - loops: whose activity tells what the thread was at.
    ///   - messages: by activity; made beforehand, since nothing can be allocated then.
    ///   - other: where the activity is not known.
    public static func install(_ fd: Int32, loops: [Loop], messages: [String], other: String) {
        CrashSignals.tell(CrashNotice(fd, loops, messages + [other]))
    }

    private init(_ fd: Int32, _ loops: [Loop], _ texts: [String]) {
        self.fd = fd
        self.loops = loops
        messages = texts.map { Message($0) }
    }

    package func crashed() {
        var index = messages.count - 1
        for loop in loops where loop.isCurrent {
            let activity = loop.activity.load(ordering: .relaxed)
            if activity >= 0 && activity < index { index = activity }
            break
        }
        let message = messages[index].bytes
        _ = send(fd, message.baseAddress, message.count, Int32(MSG_NOSIGNAL))
    }
}
