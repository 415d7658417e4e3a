import EventLoop
import Glibc
import HTTPProtocol

/// One run of `publish`: from standard input to the server, until the input ends or it cannot go
/// on.
///
/// One thread, which waits for the input and the connection with `poll`. It reads no more than is
/// under way, so a fast input waits for the server.
final class Publisher {
    private let settings: PublishSettings
    private let place: ServerPlace
    private let inputDescriptor: Int32
    private var input: PublishInput
    private var session: PublishSession
    private var report: PublishReport
    private var connection: OwnerConnection?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    /// When the server answered last, or the first message after that was read.
    private var lastProgress = MonotonicTime.current()
    /// Why the last attempt to connect failed.
    private var connectReason = ""

    /// After so long without a message the connection is given up, sooner than the server would do
    /// so: it must not end when a message is on its way.
    static let idleTimeout: Duration = .seconds(5)
    /// Between attempts to connect.
    private static let connectPause: Duration = .milliseconds(50)

    /// Why it cannot go on.
    private enum Failure: Error {
        case noServer(reason: String)
        case gone(reason: String)
        case silent
        case refused(Status, reason: String)
        case misunderstood(String)
        case input(SystemError)
    }

    init(
        _ settings: PublishSettings, _ place: ServerPlace, input descriptor: Int32 = STDIN_FILENO,
        _ report: PublishReport
    ) {
        self.settings = settings
        self.place = place
        self.report = report
        inputDescriptor = descriptor
        input = PublishInput(
            descriptor, isBinary: settings.isBinary, byteLimit: settings.messageByteLimit)
        session = PublishSession(topic: settings.topic)
    }

    deinit { buffer.deallocate() }

    func run() -> PublishReport.ExitCode {
        var code: PublishReport.ExitCode?
        do throws(Failure) {
            do throws(ConnectFailure) {
                connection = try place.connect()
            } catch {
                throw .noServer(reason: error.reason)
            }
            try publishAll()
        } catch {
            code = explain(error)
        }
        report.sum()
        return code ?? report.exitCode
    }

    private func publishAll() throws(Failure) {
        while true {
            takeMessages()
            if session.isIdle && input.hasEnded { return }
            if connection == nil && !session.isIdle { try reconnect() }
            send()
            try wait()
        }
    }

    private func takeMessages() {
        while session.mayTakeMore, let message = input.next() {
            switch message.content {
            case .bytes(let bytes):
                if session.isIdle { lastProgress = .current() }
                session.publish(
                    bytes, isBinary: settings.isBinary, messageNumber: message.number)
            case .tooLong:
                report.leftOut(
                    message.number,
                    because: "not published: longer than \(settings.messageByteLimit) bytes "
                        + "(--max-message-size)")
            case .notUTF8:
                report.leftOut(
                    message.number, because: "not published: not UTF-8 (--binary sends any bytes)")
            }
        }
    }

    private func send() {
        guard let number = connection?.number, number >= 0, session.hasOutput else { return }
        session.sent(connection?.send(session.output) ?? 0)
    }

    // MARK: - Waiting

    /// For input, for the server, or until the time is over for either.
    private func wait() throws(Failure) {
        let end = lastProgress + (session.isIdle ? Self.idleTimeout : settings.timeout)
        let mayRead = session.mayTakeMore && !input.hasEnded
        let wanted = POLLIN | (session.hasOutput ? POLLOUT : 0)
        var descriptors = [
            pollfd(fd: mayRead ? inputDescriptor : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: connection?.number ?? -1, events: Int16(wanted), revents: 0),
        ]
        let isForever = connection == nil && session.isIdle
        _ = poll(&descriptors, 2, isForever ? -1 : Self.milliseconds(until: end))
        if descriptors[1].revents != 0 {
            try receive()
        } else if !isForever && MonotonicTime.current() >= end {
            guard session.isIdle else { throw .silent }
            connection = nil
        }
        guard descriptors[0].revents != 0 else { return }
        do throws(SystemError) {
            try input.read()
        } catch {
            throw .input(error)
        }
    }

    /// Rounded up.
    private static func milliseconds(until end: MonotonicTime) -> Int32 {
        let wait = end - .current()
        return wait < .zero ? 0 : Int32(clamping: wait.wholeNanoseconds / 1_000_000 + 1)
    }

    // MARK: - The server

    private func reconnect() throws(Failure) {
        while true {
            do throws(ConnectFailure) {
                connection = try place.connect()
                return
            } catch {
                guard MonotonicTime.current() < lastProgress + settings.timeout else {
                    throw .gone(reason: error.reason)
                }
                pause()
            }
        }
    }

    private func pause() {
        usleep(useconds_t(Self.connectPause.wholeNanoseconds / 1_000))
    }

    private func receive() throws(Failure) {
        switch connection?.receive(into: buffer) {
        case nil, .nothing?: return
        case .bytes(let count)?:
            let outcomes: [PublishSession.Outcome]
            do throws(PublishProtocolError) {
                outcomes = try session.received(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } catch {
                throw .misunderstood(error.description)
            }
            for outcome in outcomes { try handle(outcome) }
        case .end?:
            connection = nil
            report.lost(
                session.broke(), because: "the server process ended before it answered")
            try pauseBeforeReconnecting()
        }
    }

    private func handle(_ outcome: PublishSession.Outcome) throws(Failure) {
        switch outcome {
        case .published: lastProgress = .current()
        case .refused(let number, let reason):
            lastProgress = .current()
            report.leftOut(number, because: reason)
        case .failed(let status, let reason): throw .refused(status, reason: reason)
        case .connectionEnds:
            connection = nil
            session.reconnected()
            try pauseBeforeReconnecting()
        }
    }

    /// A server that ends all connections at once is not asked without end, nor all the time.
    private func pauseBeforeReconnecting() throws(Failure) {
        if session.isIdle { return }
        if MonotonicTime.current() >= lastProgress + settings.timeout { throw .silent }
        pause()
    }

    // MARK: - The end

    private func explain(_ failure: Failure) -> PublishReport.ExitCode {
        let server = place.name
        switch failure {
        case .noServer(let reason):
            report.say(
                "\(server) is not reached: \(reason). \(place.advice)")
        case .gone(let reason):
            report.say("\(server) has gone for \(timeoutText): \(reason)")
            giveUp()
        case .silent:
            report.say("\(server) has not answered for \(timeoutText)")
            giveUp()
        case .refused(let status, let reason):
            report.say("\(server) answered \(status): \(reason)")
            if status == .badRequest { return .usage }
            giveUp()
        case .misunderstood(let reason):
            report.say("\(server) answers something else than HTTP: \(reason)")
            giveUp()
        case .input(let error): report.say("standard input: \(error)")
        }
        return .unpublished
    }

    private var timeoutText: String { "\(settings.timeout.seconds) s (--timeout)" }

    /// What was sent may have been published; nothing behind it was.
    private func giveUp() {
        report.lost(session.broke(), because: "it was not answered")
        if let number = session.firstMessageNumber {
            report.nothing(from: number)
        }
    }
}
