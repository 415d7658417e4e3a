/// Which server process runs the feeds: tasks of handlers that run once over all processes. The
/// newest one that serves has them. When another takes its place, the next one begins once the old
/// one's have ended, so that no two run at a time.
///
/// | phase | event | next phase | what is done |
/// |---|---|---|---|
/// | `idle` | a process serves | `running` in it | it begins |
/// | `running` in A | a newer one serves | the same | – |
/// | | A is told to leave, or leaves | `ending` in A | A is waited for, up to a limit |
/// | | A has ended or trapped | `running` in the newest, or `idle` | that begins |
/// | `ending` in A | A reports, has ended, or the limit is over | the same | the same |
///
/// A value, without clock or process: whoever holds it carries out the steps.
struct FeedHandover: Equatable {
    enum Phase: Equatable {
        case idle
        case running(process: Int)
        case ending(process: Int)
    }

    enum Step: Equatable {
        /// Its feeds begin.
        case begin(process: Int)
        /// ``isOver(_:)`` has to come within the limit.
        case wait(process: Int)
    }

    private(set) var phase = Phase.idle
    /// The newest process that serves.
    private var newest: Int?

    /// A process accepts connections.
    mutating func serves(_ process: Int) -> Step? {
        newest = process
        return phase == .idle ? beginInNewest() : nil
    }

    /// A process is told to end its feeds, or does so by itself.
    mutating func leaves(_ process: Int) -> Step? {
        if newest == process { newest = nil }
        guard phase == .running(process: process) else { return nil }
        phase = .ending(process: process)
        return .wait(process: process)
    }

    /// A process has ended its feeds after it was told to, or the limit for that is over.
    mutating func isOver(_ process: Int) -> Step? {
        guard phase == .ending(process: process) else { return nil }
        return beginInNewest()
    }

    /// Nothing of a process runs any more.
    mutating func ended(_ process: Int) -> Step? {
        if newest == process { newest = nil }
        guard phase == .running(process: process) || phase == .ending(process: process) else {
            return nil
        }
        return beginInNewest()
    }

    private mutating func beginInNewest() -> Step? {
        guard let newest else {
            phase = .idle
            return nil
        }
        phase = .running(process: newest)
        return .begin(process: newest)
    }
}
