import EventLoop

/// Collects one part from each of several sources, until all have given theirs or the time is over.
///
/// `@unchecked Sendable`: touched on the thread of its loop only.
final class Gathering<Part>: @unchecked Sendable {
    private let loop: Loop
    /// Names of those that have not given their part.
    private var waiting: [Int: String] = [:]
    private var parts: [Part] = []
    private var missing: [String] = []
    private var onEnd: ((_ parts: [Part], _ missing: [String]) -> Void)?
    private var timer: EventLoop.Timer?

    /// - Parameters:
    ///   - sources: their names; at least one.
    ///   - onEnd: called once, with the names of those that gave nothing.
    init(
        from sources: [String], on loop: Loop, timeout: Duration,
        onEnd: @escaping (_ parts: [Part], _ missing: [String]) -> Void
    ) {
        self.loop = loop
        self.onEnd = onEnd
        for (index, name) in sources.enumerated() { waiting[index] = name }
        let timer = loop.makeTimer { [weak self] in self?.end() }
        self.timer = timer
        loop.schedule(timer, at: loop.currentTime + timeout)
    }

    /// - Parameter part: `nil`: there will be none.
    func give(_ part: Part?, from index: Int) {
        guard waiting[index] != nil else { return }
        if let part {
            waiting[index] = nil
            parts.append(part)
        } else {
            missing.append(waiting.removeValue(forKey: index) ?? "")
        }
        if waiting.isEmpty { end() }
    }

    /// Waits for nobody any more.
    func end() {
        guard let onEnd = onEnd.take() else { return }
        timer.map(loop.cancel)
        timer = nil
        missing += waiting.sorted { $0.key < $1.key }.map(\.value)
        onEnd(parts, missing)
    }
}
