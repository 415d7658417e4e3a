import EventLoop
import Synchronization
import WebSocketProtocol

/// A message that is published to a topic. It is serialised, and compressed, once for all
/// subscribers that get the same bytes.
package final class Publication: Sendable {
    package let topic: String
    package let message: Message
    /// Of those with ``SlowSubscriberPolicy/latest``: a newer message of the same key replaces it.
    package let key: String?

    private let frames = Mutex<[(form: WireForm, bytes: SharedBytes)]>([])

    package init(topic: String, message: Message, key: String? = nil) {
        self.topic = topic
        self.message = message
        self.key = key
    }

    package var byteCount: Int { message.payloadByteCount }

    /// The message as one frame.
    ///
    /// - Parameters:
    ///   - form: not ``WireForm/own``.
    ///   - pool: of the calling thread.
    func frame(_ form: WireForm, _ pool: CompressionPool) -> SharedBytes {
        // Held while it is compressed: another loop waits for that rather than doing it again.
        frames.withLock { frames in
            if let frame = frames.first(where: { $0.form == form }) { return frame.bytes }
            let bytes = SharedBytes(Self.serialized(message, form, pool))
            frames.append((form, bytes))
            return bytes
        }
    }

    private static func serialized(
        _ message: Message, _ form: WireForm, _ pool: CompressionPool
    ) -> [UInt8] {
        switch form {
        case .plain, .own: message.frame
        case .compressed(let windowBits):
            pool.frame(of: message, windowBits: Int(windowBits)) ?? message.frame
        }
    }
}
