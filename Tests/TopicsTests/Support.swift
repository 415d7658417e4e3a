import EventLoop
import LoopTesting
import TestSupport
import WebSocketProtocol

@testable import Topics

/// A connection that is none: a queue with a mark, and a reader that stops when it is told to.
final class FakeSubscriber: Subscriber {
    var firstSubscription: Subscription? {
        get {
            onLook()
            return first
        }
        set { first = newValue }
    }
    private var first: Subscription?
    let wireForm: WireForm
    var takesMessages = true
    var isInsideSentMessage = false
    private(set) var wasClosedBehind = false
    private(set) var isWaitingForPause = false
    /// Called by ``closeBehind()``.
    var onClose: () -> Void = {}
    /// Called while something is sent to it.
    var onSend: () -> Void = {}
    /// `nil`: a test with one loop.
    var loop: Loop?
    /// Called when somebody looks for its subscriptions.
    var onLook: () -> Void = {}

    private let mark: Int
    private var isReading = true
    private var queue: [UInt8] = []
    private(set) var received: [UInt8] = []
    /// How often something was sent.
    private(set) var sendCount = 0

    init(_ wireForm: WireForm = .plain, mark: Int = 200) {
        self.wireForm = wireForm
        self.mark = mark
    }

    var queuedByteCount: Int { queue.count }

    func belongs(to loop: Loop) -> Bool { self.loop.map { $0 === loop } ?? true }

    func send(
        _ frames: SharedBytes, _ range: Range<Int>, of messages: MessageSum, _ mode: SendMode
    ) -> SendResult {
        write(Array(frames.bytes[range]), mode)
    }

    func sendByItself(_ message: Message, _ mode: SendMode) -> SendResult {
        write(message.frame, mode)
    }

    /// As the handler does.
    func writeOwn(_ text: String, _ topics: LoopTopics) {
        topics.sendWaiting(to: self)
        _ = write(Message.text(text).frame, .inAnyCase)
    }

    private func write(_ bytes: [UInt8], _ mode: SendMode) -> SendResult {
        guard takesMessages else { return .closed }
        if isInsideSentMessage || queue.count > mark && mode != .inAnyCase { return .full }
        queue += bytes
        sendCount += 1
        onSend()
        if isReading { flush() }
        return queue.count > mark ? .sentAndFull : .sent
    }

    func askForPause() { isWaitingForPause = true }

    func closeBehind() {
        wasClosedBehind = true
        takesMessages = false
        onClose()
    }

    func pauseReading() { isReading = false }

    func resumeReading(_ topics: LoopTopics) {
        isReading = true
        flush()
        while isWaitingForPause {
            isWaitingForPause = false
            topics.pause(of: self)
        }
    }

    /// Its socket takes what is queued.
    func drain() { flush() }

    private func flush() {
        received += queue
        queue = []
    }

    /// The texts that were received, each shorter than 126 bytes.
    var texts: [String] {
        var texts: [String] = []
        var rest = received[...]
        while rest.count >= 2 {
            let count = Int(rest[rest.startIndex + 1])
            texts.append(String(decoding: rest.dropFirst(2).prefix(count), as: UTF8.self))
            rest = rest.dropFirst(2 + count)
        }
        return texts
    }
}

/// A broker with one loop on its own thread.
func withTopics(
    _ settings: TopicSettings = TopicSettings(),
    _ body: (RunningLoop, TopicBroker, LoopTopics) throws -> Void
) throws {
    let broker = TopicBroker(settings)
    try withLoop { loop in
        let topics = try loop {
            Unchecked(LoopTopics(broker, on: loop.loop, CompressionPool(CompressionSettings())))
        }.value
        try body(loop, broker, topics)
        try loop { topics.leave() }
    }
}

extension RunningLoop {
    /// Returns when the turn is over, and what it put together has gone out.
    func settle() throws {
        // Work that is handed over comes behind what the turn before began.
        for _ in 0..<3 { try self {} }
    }
}
