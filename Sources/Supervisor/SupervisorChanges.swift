import EventLoop
import WebSocketConnection

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
                began: pending?.began ?? request.began, isForced: request.isForced || pending?.isForced == true)
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
        let isNew = FileIdentity(plan.executable) != current?.binary
        if !outcome.messages.isEmpty { log.announce(outcome.messages.trimmedEnd) }
        let names = outcome.broken.map { escaped($0, limit: 200) }.joined(separator: ", ")
        if !outcome.broken.isEmpty {
            let verb = outcome.broken.count == 1 ? "does" : "do"
            log(.error, "\(names) \(verb) not compile; what worked before is served on")
        } else if !outcome.isBuilt {
            log(.error, "not built after \(Self.seconds(since: request.began)); what worked before is served on")
        }
        let hasFailed = !outcome.isBuilt || !outcome.broken.isEmpty
        if hasFailed || isNew || !failure.isEmpty { show(hasFailed ? outcome.messages : "") }
        if outcome.isBuilt && (isNew || request.isForced) {
            changeOver(request, outcome)
        } else {
            goOn()
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
