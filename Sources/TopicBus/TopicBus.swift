import EventLoop
import Logging
import Synchronization
import Topics

/// Joins the topics of the server processes of one supervisor: what is published in one reaches the
/// subscribers in all.
///
/// Each two processes share a pair of sockets, which the supervisor made: see ``BusLink``. Nobody
/// waits for a process that does not read; what it misses is counted, and told once it reads again.
///
/// `@unchecked Sendable`: `links`, `waiters`, `onQuestion` and `scratch` are touched on the loop's
/// thread only; a mutex protects the outbox.
package final class TopicBus: Backplane, @unchecked Sendable {
    let processNumber: UInt64
    let target: any BusTarget
    let loop: Loop
    let log: Log
    let settings: BusSettings
    private let outbox = Mutex(Outbox())
    /// Whether another process listens. If none does, as usually, a publication costs no more than
    /// to see that.
    private let hasListener = Atomic<Bool>(false)
    private(set) var links: [BusLink] = []
    private var waiters: [Waiter] = []
    /// Answers what another process asks, by calling `then` once, or not at all. Set and called on
    /// the loop's thread.
    package var onQuestion: (_ question: String, _ then: @escaping (String) -> Void) -> Void = {
        _, then in then("")
    }
    /// Frames of a turn are written here, each once for all links.
    private var scratch: [UInt8] = []

    private struct Waiter {
        let timer: Timer
        let done: (_ unansweredCount: Int) -> Void
    }

    /// Joins the broker.
    ///
    /// - Parameters:
    ///   - processNumber: tells the process from the others of its supervisor.
    ///   - loop: reads and writes. It runs no handler, so that none blocks it.
    package convenience init(
        processNumber: UInt64, _ broker: TopicBroker, on loop: Loop, log: Log,
        settings: BusSettings
    ) {
        self.init(processNumber: processNumber, target: broker, on: loop, log: log, settings)
    }

    init(
        processNumber: UInt64, target: any BusTarget, on loop: Loop, log: Log,
        _ settings: BusSettings
    ) {
        self.processNumber = processNumber
        self.target = target
        self.loop = loop
        self.log = log
        self.settings = settings
        target.join(self)
    }

    // MARK: The broker's side, on any thread

    package func published(_ publication: Publication) {
        guard hasListener.load(ordering: .acquiring) else { return }
        let mustCall = outbox.withLock { $0.add(publication, byteLimit: settings.queueByteLimit) }
        if mustCall { loop.submit { [self] in empty() } }
    }

    package func localCountChanged(of topic: String, to count: Int) {
        guard hasListener.load(ordering: .acquiring) else { return }
        let mustCall = outbox.withLock { $0.note(count: count, of: topic) }
        if mustCall { loop.submit { [self] in empty() } }
    }

    // MARK: On the loop's thread

    /// Begins to talk to another process.
    ///
    /// - Parameter descriptor: one of a pair of stream sockets.
    package func add(_ descriptor: consuming FileDescriptor) {
        do throws(SystemError) {
            links.append(try BusLink(descriptor, self))
        } catch {
            log(.error, "no topics are shared with another server process: \(error)")
        }
    }

    /// Leaves the broker and all other processes.
    package func close() {
        target.leave(self)
        for link in links { link.close() }
    }

    private func empty() {
        let taken = outbox.withLock { $0.take() }
        let listeners = links.filter(\.isSending)
        guard !listeners.isEmpty else { return }
        for publication in taken.publications {
            scratch.removeAll(keepingCapacity: true)
            let topic = ExactText(publication.topic)
            BusFrame.publication(topic: topic, key: publication.key, publication.message)
                .write(to: &scratch)
            for link in listeners { link.send(publication: scratch, of: topic) }
        }
        if scratch.capacity > Self.keptCapacityLimit { scratch = [] }
        for link in listeners {
            if !taken.missed.isEmpty { link.leaveOut(taken.missed) }
            if !taken.counts.isEmpty { link.send(taken.counts) }
        }
    }

    /// 256 KiB. After a longer publication the memory is freed.
    private static let keptCapacityLimit = 262_144

    /// From now on publications are kept for it. Called before it is told so.
    func linkBeginsSending() { hasListener.store(true, ordering: .releasing) }

    func linkOpened() { notifyWaiters() }

    func linkEnded(_ link: BusLink) {
        links.removeAll { $0 === link }
        hasListener.store(links.contains(where: \.isSending), ordering: .releasing)
        notifyWaiters()
    }
}

// MARK: - Waiting for the others

extension TopicBus {
    /// Calls `done` once all other processes have answered, or have ended, or
    /// ``BusSettings/answerTimeout`` is over. From then on a subscriber here misses nothing that is
    /// published there. On the loop's thread.
    ///
    /// - Parameter done: gets how many have not answered.
    func whenAnswered(_ done: @escaping (_ unansweredCount: Int) -> Void) {
        let timer = loop.makeTimer { [weak self] in self?.notifyWaiters(isOver: true) }
        waiters.append(Waiter(timer: timer, done: done))
        loop.schedule(timer, after: settings.answerTimeout)
        notifyWaiters()
    }

    /// Blocks the calling thread until then; not that of the loop, which must run. Logs if a
    /// process does not answer.
    package func waitForAnswers() {
        let gate = Gate()
        loop.submit { [self] in
            whenAnswered { [self] count in
                if count > 0 { logUnanswered(count) }
                gate.open()
            }
        }
        gate.wait()
    }

    private func logUnanswered(_ count: Int) {
        let who = count == 1 ? "an older server process does" : "\(count) older server processes do"
        log(
            .warning,
            "\(who) not answer: what is published there is missed here until it does")
    }

    private func notifyWaiters(isOver: Bool = false) {
        let unansweredCount = links.count { !$0.isOpen }
        guard isOver || unansweredCount == 0 else { return }
        let waiters = waiters
        self.waiters = []
        for waiter in waiters {
            loop.cancel(waiter.timer)
            waiter.done(unansweredCount)
        }
    }
}
