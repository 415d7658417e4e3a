import EventLoop
import Logging
import Processes

// From a changed handler file to the process that serves it.

extension Supervisor {
    func startWatching() {
        guard plan.watches, watch == nil else { return }
        let watch = HandlersWatch(root: plan.root, on: loop, log: log) { [unowned self] began in
            request(Request(began: began, isForced: false))
        }
        self.watch = watch
        watch.start()
        // Files may have changed since the last build.
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

    /// Starts the request that waited for a build, or for a process to become ready.
    func startPendingRequest() {
        guard let waiting = pending, !isStopping else { return settleService() }
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
            settleService()
        }
    }

    func built(_ request: Request, _ outcome: Rebuild.Outcome) {
        let binary = FileStamp(plan.executable)
        if outcome.isUnchanged { current?.binary = binary }
        let isNew = binary != current?.binary || outcome.changesPrograms
        logOutcome(outcome, request)
        let hasFailed = !outcome.isBuilt || !outcome.broken.isEmpty || !outcome.kept.isEmpty
        // Messages that were shown before stay.
        if !hasFailed && !failure.isEmpty {
            show("")
        } else if hasFailed && !outcome.messages.isEmpty {
            show(outcome.messages)
        }
        if outcome.isBuilt && (isNew || request.isForced) {
            guard next == nil, current?.phase == .serving else {
                return self.request(
                    Request(
                        began: request.began,
                        isForced: request.isForced || outcome.changesPrograms))
            }
            changeOver(request, outcome)
        } else {
            startPendingRequest()
        }
    }

    /// Logs the compiler's messages, and what they mean for the routes.
    private func logOutcome(_ outcome: Rebuild.Outcome, _ request: Request) {
        logSkipped(outcome)
        if !outcome.messages.isEmpty { log.announce(outcome.messages.trimmedEnd) }
        if !outcome.isBuilt {
            let time = Self.seconds(since: request.began)
            return log(.error, "not built after \(time); the previous version keeps serving")
        }
        guard !outcome.changed.isEmpty else { return }
        for (paths, consequence) in [
            (outcome.kept, "the previous version keeps serving"), (outcome.broken, "answers 503"),
        ] where !paths.isEmpty {
            let names = paths.map { escaped($0, limit: 200) }.joined(separator: ", ")
            log(.error, "\(names) \(paths.count == 1 ? "does" : "do") not compile; \(consequence)")
        }
    }

    /// What is left alone now and was not at the start, when standalone.sh said so, or last time.
    private func logSkipped(_ outcome: Rebuild.Outcome) {
        guard outcome.isBuilt else { return }
        for sentence in outcome.skipped where knownSkips?.contains(sentence) == false {
            log(.warning, escaped(sentence, limit: 1_000))
        }
        knownSkips = outcome.skipped
    }

    func show(_ text: String) {
        // As much as fits into a message to the server process.
        failure = String(text.prefix(ControlSocket.messageByteLimit / 8))
        current?.send(.show(failure: failure))
    }

    func changeOver(_ request: Request, _ outcome: Rebuild.Outcome) {
        var what = outcome.changed.map { escaped($0, limit: 200) }.joined(separator: ", ")
        if what.isEmpty { what = request.isForced ? "a new process" : "a new version" }
        // The files that were left out may have been corrected.
        leftOut = [:]
        forgetTraps()
        next = launch(
            Change(began: request.began, what: what),
            because: request.isForced && outcome.changed.isEmpty ? .signal : .change)
        if next == nil { startPendingRequest() }
    }
}

extension String {
    /// Without empty lines at the end.
    var trimmedEnd: String {
        var text = self
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}
