import EventLoop
import Logging

// Feeds run in one process at a time: FeedHandover.swift decides in which, this carries it out.

extension Supervisor {
    /// What the feeds of a process have to end, after it was told to. Then the next process's begin
    /// all the same.
    static let feedEndTimeout: Duration = .seconds(5)

    func carryOut(_ step: FeedHandover.Step?) {
        switch step {
        case .begin(let number):
            if let feedTimer { loop.cancel(feedTimer) }
            guard !isStopping else { return }
            generations.first { $0.number == number }?.send(.startFeeds)
        case .wait(let number):
            let timer = loop.makeTimer { [unowned self] in feedsAreLate(in: number) }
            feedTimer = timer
            loop.schedule(timer, at: .current() + Self.feedEndTimeout)
        case nil: break
        }
    }

    private func feedsAreLate(in number: Int) {
        guard case .begin(let next)? = feeds.isOver(number) else { return }
        if let late = generations.first(where: { $0.number == number }) {
            log(
                .warning,
                "the feeds of the server process \(late.pid) have not ended within "
                    + "\(Self.feedEndTimeout.components.seconds) s; the next process begins its own"
            )
        }
        carryOut(.begin(process: next))
    }
}
