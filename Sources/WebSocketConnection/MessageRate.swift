import EventLoop
import WebSocketProtocol

/// How many messages a peer may send in a second, and what happens to one that sends more.
///
/// What counts is what costs about as much as a message:
///
/// | what comes                                              | counts as |
/// | ------------------------------------------------------- | --------- |
/// | a message, in however many frames, in pieces or not     | one       |
/// | a frame that does not end its message, below 1 KiB      | one more  |
/// | a longer one                                            | nothing   |
/// | a Ping; a Pong that answers no Ping of ours             | one       |
/// | a Pong that answers one; a Close                        | nothing   |
public struct MessageRate: Sendable, Hashable {
    /// 0: any number.
    public var messagesPerSecond: Int
    /// How many may come at once after some silence; `nil`: as many as in a second.
    public var burst: Int?
    /// What is done with a peer that sends more.
    public var excess: Excess

    /// What can be done.
    public enum Excess: Sendable, Hashable {
        /// It is not read on for a while, behind the message that was one too many: TCP makes it
        /// wait. Nothing is lost.
        case waits
        /// It is closed with 1008; the message that was one too many is dropped.
        case closes
    }

    /// - Parameters:
    ///   - messagesPerSecond: from 1 up.
    ///   - burst: from 1 up; `nil`: as many as in a second.
    public init(_ messagesPerSecond: Int, burst: Int? = nil, excess: Excess = .waits) {
        self.messagesPerSecond = max(1, messagesPerSecond)
        self.burst = burst
        self.excess = excess
    }

    private init() {
        messagesPerSecond = 0
        burst = nil
        excess = .waits
    }

    /// As many as there come.
    public static let unlimited = MessageRate()

    /// `nil`: any number.
    var limit: RateLimit? {
        guard messagesPerSecond > 0 else { return nil }
        return RateLimit(
            messagesPerSecond, in: .seconds(1), burst: burst ?? messagesPerSecond)
    }

    /// Fragments below that count by themselves: nobody has to send such, and each costs nearly as
    /// much as a message.
    static let shortFragmentByteCount = 1_024

    /// Whether a frame counts; see the table.
    ///
    /// - Parameter isPongDue: whether a Ping of ours has no answer yet.
    static func counts(_ header: FrameHeader, isPongDue: Bool) -> Bool {
        switch header.opcode {
        case .text, .binary, .continuation:
            header.isFinal || header.payloadByteCount < shortFragmentByteCount
        case .ping: true
        case .pong: !isPongDue
        case .close: false
        }
    }
}

/// What a connection that has a ``MessageRate`` keeps for it.
///
/// | phase     | what happens                                            | next       |
/// | --------- | ------------------------------------------------------- | ---------- |
/// | `flowing` | a frame counts for which there is no token: it is taken |            |
/// |           | and owed, where the peer is to wait                     | `held`     |
/// |           | and dropped, where it is to be closed                   | `exceeded` |
/// | `held`    | nothing is owed any more                                | `flowing`  |
///
/// Belongs to its loop's thread.
final class MessageBudget {
    enum Phase { case flowing, held, exceeded }

    let limit: RateLimit
    let rate: MessageRate
    var phase = Phase.flowing
    /// When the bucket is full.
    var full = MonotonicTime(nanoseconds: 0)
    /// The log says it once of each connection.
    var isLogged = false
    /// Ends `held`.
    let timer: EventLoop.Timer

    init(_ limit: RateLimit, _ rate: MessageRate, _ timer: EventLoop.Timer) {
        self.limit = limit
        self.rate = rate
        self.timer = timer
    }

    /// So many tokens have to be back before reading goes on: those of 50 ms without one, which
    /// is taken before it is there. A peer that sends all the time wakes the loop 20 times a
    /// second so.
    var resumingTokenCount: Int {
        let burst = rate.burst ?? rate.messagesPerSecond
        return max(0, min(rate.messagesPerSecond / 20, burst) - 1)
    }
}
