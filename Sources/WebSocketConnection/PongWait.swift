import EventLoop

/// The wait for a sign of life after a silence.
///
/// What the peer sends is one, and it ends the wait. So is that it reads what was sent to it: its
/// Pong comes behind that, however slowly it reads. The time-out then begins again. That it reads
/// shows in two ways:
///
/// - Its kernel takes more of what was sent before our Ping; or of what is behind the Ping, while
///   there is so much that not all of it has left. Its kernel takes small messages though its
///   program hangs, so other bytes do not count.
/// - Its kernel says that it has more room than before. Further Pings ask for that, when nothing
///   else is on its way.
///
/// While reading is paused, the Pong waits in our kernel with all else. Who is to blame when the
/// time is over depends on what that has:
///
/// | reading | unread | the handler waits for the peer to read | the peer              |
/// |---------|--------|----------------------------------------|-----------------------|
/// | goes on | –      | –                                      | is gone               |
/// | paused  | none   | –                                      | is gone               |
/// | paused  | some   | yes, and it reads nothing              | is gone               |
/// | paused  | some   | no                                     | is gone if its kernel |
/// |         |        |                                        | does not answer ours  |
///
/// Belongs to its loop's thread.
final class PongWait {
    let sentAt: MonotonicTime
    /// Whether a Ping was sent. Bytes that the peer has not read do as well, if reading is paused.
    let hasPing: Bool
    /// Whether more waited to be sent than the kernel took.
    let isHandlerWaiting: Bool
    /// What was seen last; `nil`: nothing was on its way to the peer when the wait began.
    private var signs: PeerSigns?
    /// How much of what was sent before the Ping the peer's kernel had not taken then.
    private var missingByteCount: Int
    /// Whether the Ping is, or was, behind other bytes.
    private let isBehindOthers: Bool
    /// When the peer was last seen to read.
    private var readAt: MonotonicTime

    /// A peer that may be reading is looked at so many times within one time-out, so that one that
    /// has stopped is found out with at most a quarter more.
    private static let looksPerTimeout = 4

    /// - Parameters:
    ///   - isHandlerWaiting: whether more waits to be sent than the kernel takes.
    ///   - signs: before the Ping was written; `nil`: nothing was on its way, and reading goes on.
    init(at now: MonotonicTime, hasPing: Bool, isHandlerWaiting: Bool, _ signs: PeerSigns?) {
        sentAt = now
        readAt = now
        self.hasPing = hasPing
        self.isHandlerWaiting = isHandlerWaiting
        self.signs = signs
        missingByteCount = signs?.outstandingByteCount ?? 0
        isBehindOthers = missingByteCount > 0
    }

    /// Until the next look.
    func delay(_ timeout: Duration, from now: MonotonicTime) -> Duration {
        let rest = readAt + timeout - now
        return isBehindOthers ? min(rest, timeout / Self.looksPerTimeout) : rest
    }

    enum Outcome: Equatable {
        /// - Parameter asks: a further Ping is to be sent, whose arrival shows how much room the
        ///   peer has.
        case waitOn(asks: Bool)
        /// The peer has sent something that is not read yet.
        case isAlive
        case isGone
    }

    /// Looks at the peer.
    func look(
        _ current: PeerSigns, at now: MonotonicTime, timeout: Duration, isReadingPaused: Bool
    ) -> Outcome {
        let last = signs ?? current
        signs = current
        if isReadingPaused && current.unreadByteCount > last.unreadByteCount { return .isAlive }
        if hasRead(since: last, current) { readAt = now }
        if now < readAt + timeout {
            return .waitOn(asks: isBehindOthers && current.outstandingByteCount == 0)
        }
        guard isReadingPaused, current.unreadByteCount > 0, !isHandlerWaiting else {
            return .isGone
        }
        if let duration = current.unansweredFor, duration >= timeout { return .isGone }
        return .isAlive
    }

    private func hasRead(since last: PeerSigns, _ current: PeerSigns) -> Bool {
        let taken = current.acknowledgedByteCount - last.acknowledgedByteCount
        let counts = missingByteCount > 0 || last.unsentByteCount > 0
        missingByteCount = max(0, missingByteCount - taken)
        return taken > 0 && counts || current.windowByteCount > last.windowByteCount
    }
}
