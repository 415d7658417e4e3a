import EventLoop
import Logging
import Processes

// From a change of the author's to the process that serves it.

extension Supervisor {
    func startWatching() {
        guard plan.watches, watch == nil else { return }
        let watch = HandlersWatch(root: plan.root, on: loop, log: log) { [unowned self] began in
            request(Request(began: began, isForced: false))
        }
        self.watch = watch
        watch.start()
        // What changed since it was built.
        request(Request(began: .current(), isForced: false))
    }

    func request(_ request: Request) {
        guard rebuild == nil, next == nil, current?.phase == .serving else {
            pending = Request(
                began: pending?.began ?? request.began,
                isForced: request.isForced || pending?.isForced == true)
            return
        }
        build(request)
    }

    /// What waited for a build, or for a process to be ready.
    func goOn() {
        guard let waiting = pending, !isStopping else { return }
        pending = nil
        request(waiting)
    }

    func build(_ request: Request) {
        guard let builder = plan.builder else { return changeOver(request, Rebuild.Outcome()) }
        do throws(SystemError) {
            rebuild = try Rebuild(builder, on: loop) { [unowned self] outcome in
                rebuild = nil
                built(request, outcome)
            }
        } catch {
            log(.error, "nothing was built: \(error)")
        }
    }

    func built(_ request: Request, _ outcome: Rebuild.Outcome) {
        let binary = FileStamp(plan.executable)
        if outcome.isUnchanged { current?.binary = binary }
        let isNew = binary != current?.binary
        tell(outcome, request)
        let hasFailed = !outcome.isBuilt || !outcome.broken.isEmpty || !outcome.kept.isEmpty
        // What was said already is still shown.
        if !hasFailed && !failure.isEmpty {
            show("")
        } else if hasFailed && !outcome.messages.isEmpty {
            show(outcome.messages)
        }
        if outcome.isBuilt && (isNew || request.isForced) {
            guard next == nil, current?.phase == .serving else { return self.request(request) }
            changeOver(request, outcome)
        } else {
            goOn()
        }
    }

    /// What the compiler says, and what that means.
    private func tell(_ outcome: Rebuild.Outcome, _ request: Request) {
        if !outcome.messages.isEmpty { log.announce(outcome.messages.trimmedEnd) }
        if !outcome.isBuilt {
            let time = Self.seconds(since: request.began)
            return log(.error, "not built after \(time); what worked before is served on")
        }
        guard !outcome.changed.isEmpty else { return }
        for (paths, consequence) in [
            (outcome.kept, "what worked before is served on"), (outcome.broken, "answers 503"),
        ] where !paths.isEmpty {
            let names = paths.map { escaped($0, limit: 200) }.joined(separator: ", ")
            log(.error, "\(names) \(paths.count == 1 ? "does" : "do") not compile; \(consequence)")
        }
    }

    func show(_ text: String) {
        // As much as fits into a message.
        failure = String(text.prefix(ControlSocket.messageByteLimit / 8))
        current?.send(.show(failure: failure))
    }

    func changeOver(_ request: Request, _ outcome: Rebuild.Outcome) {
        var what = outcome.changed.map { escaped($0, limit: 200) }.joined(separator: ", ")
        if what.isEmpty { what = request.isForced ? "a new process" : "a new version" }
        // Its code may be another now.
        leftOut = [:]
        next = launch(Change(began: request.began, what: what))
        if next == nil { goOn() }
    }
}

extension String {
    /// Without line ends behind the last line.
    var trimmedEnd: String {
        var text = self
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}
