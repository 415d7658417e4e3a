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

    /// Most have one form only, or none: it is serialised where it is put together with others.
    private struct Frames {
        var plain: SharedBytes?
        var compressed: [(form: WireForm, bytes: SharedBytes)] = []
    }
    private let frames = Mutex(Frames())

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
            guard case .compressed(let windowBits) = form else {
                if let plain = frames.plain { return plain }
                let plain = SharedBytes(message.frame)
                frames.plain = plain
                return plain
            }
            if let frame = frames.compressed.first(where: { $0.form == form }) {
                return frame.bytes
            }
            let frame = pool.frame(of: message, windowBits: Int(windowBits)) ?? message.frame
            let bytes = SharedBytes(frame)
            frames.compressed.append((form, bytes))
            return bytes
        }
    }
}
