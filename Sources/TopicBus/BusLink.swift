import EventLoop
import Logging
import Topics

/// The connection to one other server process.
///
/// | phase | begins when | is sent | may come |
/// |---|---|---|---|
/// | `greeting` | it is made | our hello | the other's hello |
/// | `greeted` | that has come | `open`, then all but hello | `open` |
/// | `open` | that has come | the same, and questions | all but hello and `open` |
/// | `ended` | the other's end, an error, a frame out of this order | – | – |
///
/// So whoever has received `open` knows that all which is published in the other process from then
/// on is sent to it. Belongs to its bus's loop.
final class BusLink: StreamDelegate {
    private enum Phase {
        case greeting
        case greeted(process: UInt64)
        case open(process: UInt64)
        case ended
    }

    /// | state | begins when | a publication |
    /// |---|---|---|
    /// | `following` | at first, and when the queue has fallen to half of its limit | is queued |
    /// | `behind` | a publication has no room in the queue | is left out and counted |
    private enum Sending {
        case following
        case behind(MissedMessages)
    }

    let bus: TopicBus
    let stream: Stream
    private var decoder: BusFrameDecoder
    private var phase = Phase.greeting
    private var sending = Sending.following
    private var untold = CountChanges()
    /// Those that the other process owes.
    var answers: PendingAnswers
    /// One line tells that the other process does not read, however often it falls behind.
    private var isSlownessLogged = false

    init(_ descriptor: consuming FileDescriptor, _ bus: TopicBus) throws(SystemError) {
        self.bus = bus
        decoder = BusFrameDecoder(frameByteLimit: bus.settings.frameByteLimit)
        answers = PendingAnswers(on: bus.loop, byteLimit: bus.settings.answerByteLimit)
        stream = try Stream(
            descriptor, peer: .unnamed, on: bus.loop, drainMark: bus.settings.queueByteLimit / 2)
        stream.delegate = self
        write(.hello(version: BusFrame.version, process: bus.processNumber))
    }

    var isOpen: Bool { openProcess != nil }

    /// The other one, once it is open.
    var openProcess: UInt64? {
        if case .open(let process) = phase { process } else { nil }
    }

    /// Whether the other process gets publications.
    var isSending: Bool {
        switch phase {
        case .greeted, .open: true
        case .greeting, .ended: false
        }
    }

    private var process: UInt64? {
        switch phase {
        case .greeted(let process), .open(let process): process
        case .greeting, .ended: nil
        }
    }

    private var name: String { process.map { "server process \($0)" } ?? "another server process" }

    func write(_ frame: BusFrame) { stream.write(frame.bytes) }
}

// MARK: - Sending

extension BusLink {
    /// - Parameter frame: serialised; it is left out if it has no room.
    func send(publication frame: [UInt8], of topic: ExactText) {
        let room = bus.settings.queueByteLimit - stream.queuedByteCount
        let mayPass = frame.count <= room || stream.queuedByteCount == 0
        let isSendable = frame.count <= bus.settings.frameByteLimit + BusFrame.lengthByteCount
        if case .following = sending, mayPass, isSendable { return stream.write(frame) }
        var missed = MissedMessages()
        missed.add(topic)
        leaveOut(missed)
    }

    /// Counts these as lost. The other process is told of them before it gets anything else.
    func leaveOut(_ messages: MissedMessages) {
        switch sending {
        case .behind(var missed):
            sending = .following  // or its set would be copied
            missed.add(messages)
            sending = .behind(missed)
        case .following:
            sending = .behind(messages)
            if stream.isOverDrainMark { logSlowness() }
        }
        catchUp()
    }

    private func logSlowness() {
        guard !isSlownessLogged else { return }
        isSlownessLogged = true
        bus.log(
            .warning,
            "\(name) does not read what is published here: it misses messages until it does")
    }

    func send(_ counts: CountChanges) {
        untold.add(counts)
        catchUp()
    }

    /// Goes on as far as the queue has room: what was lost is told first, then counts.
    private func catchUp() {
        guard isSending, !stream.isOverDrainMark else { return stream.needsDrainNotice = true }
        if case .behind(let missed) = sending {
            sending = .following
            write(.missed(missed.count, topics: missed.topics))
        }
        if untold.areTooMany {
            untold = CountChanges(all: bus.target.localCounts)
            write(.forgetCounts)
        }
        while !untold.isEmpty && !stream.isOverDrainMark {
            for (topic, count) in untold.takePortion() { write(.count(topic: topic, count)) }
        }
        if !untold.isEmpty { stream.needsDrainNotice = true }
    }

    func streamDrained() { catchUp() }
}

// MARK: - Receiving

extension BusLink {
    func streamReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        decoder.append(UnsafeRawBufferPointer(bytes))
        do throws(BusError) {
            while !stream.isClosed, let frame = try decoder.next() { try received(frame) }
        } catch {
            broken(error)
        }
    }

    private func received(_ frame: BusFrame) throws(BusError) {
        switch (phase, frame) {
        case (.greeting, .hello(_, let process)):
            phase = .greeted(process: process)
            bus.linkBeginsSending()
            write(.open)
            untold = CountChanges(all: bus.target.localCounts)
            catchUp()
        case (.greeted(let process), .open):
            phase = .open(process: process)
            bus.linkOpened()
        case (.open(let process), _): try received(frame, from: process)
        default: throw .unexpected(frame.kind)
        }
    }

    private func received(_ frame: BusFrame, from process: UInt64) throws(BusError) {
        switch frame {
        case .publication(let topic, let key, let message):
            bus.target.deliver(Publication(topic: topic.text, message: message, key: key))
        case .count(let topic, let count): bus.target.setCount(count, of: topic.text, at: process)
        case .forgetCounts: bus.target.removeOrigin(process)
        case .missed(let count, let topics): bus.target.missed(count, of: topics?.map(\.text))
        case .question(let number, let text): received(question: text, number)
        case .answer(let number, let isLast, let piece):
            answers.take(piece, isLast: isLast, of: number)?()
        case .hello, .open: throw .unexpected(frame.kind)
        }
    }
}

// MARK: - The end

extension BusLink {
    /// The other process has ended, the usual way or not.
    func streamReachedEnd() {
        noteEnd()
        close()
    }

    /// It ended before it had read everything.
    func streamFailed(_ error: SystemError) {
        stream.readRest()
        noteEnd()
    }

    private func noteEnd() {
        guard decoder.isInsideFrame, !stream.isClosed else { return }
        bus.log(.warning, "\(name) ended in the middle of a message, which is lost")
    }

    func streamClosed() {
        let process = process
        phase = .ended
        for end in answers.endAll() { end() }
        if let process { bus.target.removeOrigin(process) }
        bus.linkEnded(self)
    }

    /// Nothing more is sent or delivered.
    func close() { stream.close() }

    /// What it publishes cannot be known any more, so its subscribers here are told that they miss
    /// something.
    private func broken(_ error: BusError) {
        bus.log(.error, "\(name) sent \(error): topics are no longer shared with it")
        bus.target.missed(1, of: nil)
        close()
    }
}
