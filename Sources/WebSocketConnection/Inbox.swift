import WebSocketProtocol

/// Messages that came before the handler asked for them, in order.
///
/// A ring of memory of its own: each message is moved in and out once, which an array does not do
/// at its front. Belongs to its loop's thread.
struct Inbox: ~Copyable {
    /// Their count is a power of two, or zero.
    private var slots = UnsafeMutableBufferPointer<Message>(start: nil, count: 0)
    private var head = 0
    private(set) var count = 0
    private(set) var byteCount = 0
    /// Its complement, which is below 0, while nothing is taken: ``isFull`` is one comparison so.
    private var countLimit: Int
    private let byteLimit: Int
    /// What was read behind the last message.
    var unparsed = UnparsedBytes()

    init(countLimit: Int, byteLimit: Int) {
        self.countLimit = countLimit
        self.byteLimit = byteLimit
    }

    deinit {
        for offset in 0..<count { slots.deinitializeElement(at: index(offset)) }
        slots.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    /// Whether no more is read ahead: by count, so that tiny messages cost no more than large ones.
    var isFull: Bool { count >= countLimit || byteCount >= byteLimit }

    /// Whether nothing is taken, as if it were full.
    var isHeld: Bool {
        get { countLimit < 0 }
        set { if newValue != isHeld { countLimit = ~countLimit } }
    }

    mutating func append(_ message: consuming Message) {
        if count == slots.count { grow() }
        byteCount &+= message.payloadByteCount
        slots.initializeElement(at: index(count), to: message)
        count &+= 1
    }

    mutating func popFirst() -> Message? {
        guard count > 0 else { return nil }
        let message = slots.moveElement(from: head)
        head = index(1)
        count &-= 1
        byteCount &-= message.payloadByteCount
        return message
    }

    /// Gives the memory of a burst back; called when the handler waits with nothing left to take.
    mutating func shrink() {
        guard count == 0, slots.count > Self.keptCapacity else { return }
        slots.deallocate()
        slots = .init(start: nil, count: 0)
        head = 0
    }

    /// Where the message `offset` places behind the first one lies.
    private func index(_ offset: Int) -> Int { (head &+ offset) & (slots.count &- 1) }

    private mutating func grow() {
        let larger = UnsafeMutableBufferPointer<Message>.allocate(
            capacity: max(Self.firstCapacity, slots.count &* 2))
        for offset in 0..<count {
            larger.initializeElement(at: offset, to: slots.moveElement(from: index(offset)))
        }
        slots.deallocate()
        slots = larger
        head = 0
    }

    private static let firstCapacity = 4
    /// 32 messages, 512 bytes: clients that send several at once will do so again.
    private static let keptCapacity = 32
}
