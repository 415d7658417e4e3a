import EventLoop
import Glibc
import HandlerBuild
import Logging
import Processes

/// Watches a handlers directory, and reports changes once a burst of them is over.
///
/// On its loop's thread.
final class HandlersWatch {
    private let root: String
    private let loop: Loop
    private let log: Log
    /// The time of the first change of the burst.
    private let onChange: (MonotonicTime) -> Void
    private var watch: FileWatch?
    private var burstBegan: MonotonicTime?
    private var isRootGone = false
    private var mustScan = false
    private lazy var timer = loop.makeTimer { [unowned self] in burstEnded() }
    private lazy var returnTimer = loop.makeTimer { [unowned self] in lookForRoot() }

    /// Editors write several files one after the other, and rename them.
    private static let quietPeriod: Duration = .milliseconds(25)
    /// If something writes all the time, changes are still reported at this interval.
    private static let burstLimit: Duration = .milliseconds(500)
    private static let returnInterval: Duration = .milliseconds(250)
    /// The most folders that are watched, the root included.
    private static let folderLimit = 10_000

    init(
        root: String, on loop: Loop, log: Log, onChange: @escaping (MonotonicTime) -> Void
    ) {
        self.root = root
        self.loop = loop
        self.log = log
        self.onChange = onChange
    }

    func start() { scan() }

    func stop() {
        watch?.close()
        watch = nil
        loop.cancel(timer)
        loop.cancel(returnTimer)
    }

    // MARK: - What to watch

    /// Looks at all folders anew: new ones are watched, and links to files.
    private func scan() {
        mustScan = false
        watch?.close()
        watch = nil
        do throws(SystemError) {
            let watch = try FileWatch(on: loop) { [unowned self] in handle($0) }
            self.watch = watch
            try watch.watch(root)
            try watchFolders(watch)
        } catch {
            guard error.code != ENOENT && error.code != ENOTDIR else { return rootVanished() }
            log(.error, "--watch: cannot watch all of \(escaped(root)): \(error)")
        }
    }

    private func watchFolders(_ watch: FileWatch) throws(SystemError) {
        var folders = [root]
        var count = 0
        while let folder = folders.popLast() {
            count += 1
            guard count <= Self.folderLimit else {
                return log(
                    .warning,
                    "--watch: only \(Self.folderLimit) folders of \(escaped(root)) are watched")
            }
            if !folder.isExactly(root) {
                do throws(SystemError) {
                    try watch.watch(folder)
                } catch {
                    guard error.code != ENOSPC && error.code != ENOMEM else { throw error }
                    if error.code != ENOENT { log(.error, "--watch: \(error)") }
                    continue
                }
            }
            for entry in try entries(of: folder) {
                let name = String(decoding: entry.name, as: UTF8.self)
                let path = "\(folder)/\(name)"
                if name.beginsExactly(with: ".") { continue }
                if entry.isFolder {
                    folders.append(path)
                } else if entry.isLink && Self.isOfInterest(name) {
                    // Its target may be written in another folder. The target of a broken link may
                    // be created here.
                    try? watch.watch(path)
                }
            }
        }
    }

    /// - Throws: if it is the root that cannot be read. Of another folder it is logged; one that
    ///   has vanished is reported by the folder that it was in.
    private func entries(of folder: String) throws(SystemError) -> [FileSystem.Entry] {
        do throws(SystemError) {
            return try FileSystem.entries(of: folder)
        } catch {
            if folder.isExactly(root) { throw error }
            if error.code != ENOENT { log(.error, "--watch: \(error)") }
            return []
        }
    }

    // MARK: - What happens

    /// Swift files and programs.
    private static func isOfInterest(_ name: String) -> Bool {
        name.endsExactly(with: ".swift") || name.endsExactly(with: "_wsh")
    }

    private func handle(_ event: FileEvent) {
        if event.isOverflow || event.isFolder { return changed(mustScan: true) }
        if event.path.isExactly(root) && event.isGone { return rootVanished() }
        // A file that is watched on its own, through a link.
        if event.name.isEmpty {
            return Self.isOfInterest(event.path) ? changed(mustScan: event.isGone) : ()
        }
        guard Self.isOfInterest(event.name), !event.name.beginsExactly(with: ".") else { return }
        if event.isCreation {
            // A link is complete at once, a file when it is closed.
            guard FileSystem.isLink("\(event.path)/\(event.name)") else { return }
            return changed(mustScan: true)
        }
        changed(mustScan: false)
    }

    private func changed(mustScan: Bool) {
        self.mustScan = self.mustScan || mustScan
        let now = MonotonicTime.current()
        let began = burstBegan ?? now
        burstBegan = began
        loop.schedule(timer, at: min(now + Self.quietPeriod, began + Self.burstLimit))
    }

    private func burstEnded() {
        guard let began = burstBegan else { return }
        burstBegan = nil
        if mustScan { scan() }
        if !isRootGone { onChange(began) }
    }

    // MARK: - The root itself

    private func rootVanished() {
        guard !isRootGone else { return }
        isRootGone = true
        burstBegan = nil
        watch?.close()
        watch = nil
        log(
            .warning,
            "the handlers directory \(escaped(root)) is gone; the last version keeps serving until "
                + "it is back"
        )
        loop.schedule(returnTimer, after: Self.returnInterval)
    }

    private func lookForRoot() {
        guard FileSystem.isFolder(root) else {
            return loop.schedule(returnTimer, after: Self.returnInterval)
        }
        isRootGone = false
        log(.info, "the handlers directory \(escaped(root)) is back")
        changed(mustScan: true)
    }
}
