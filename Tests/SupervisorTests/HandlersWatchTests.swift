import EventLoop
import Foundation
import Synchronization
import TestSupport
import Testing
import Logging

@testable import Supervisor

/// A folder, watched by a loop on a thread of its own.
private final class WatchedFolder: Sendable {
    let root: URL
    private let loop: Loop
    private let thread: LoopThread
    private let count = Mutex(0)
    /// `@unchecked Sendable`: made and stopped on the loop's thread.
    private final class Box: @unchecked Sendable { var watch: HandlersWatch? }
    private let box = Box()

    init() throws {
        root = URL(filePath: try TemporaryFiles.makeFolder("-watch"))
        loop = try Loop()
        thread = try loop.start()
        let isReady = DispatchSemaphore(value: 0)
        loop.submit { [self] in
            let log = Log(level: .critical)
            let watch = HandlersWatch(root: root.path, on: loop, log: log) { [unowned self] _ in
                count.withLock { $0 += 1 }
            }
            box.watch = watch
            watch.start()
            isReady.signal()
        }
        isReady.wait()
    }

    func stop() {
        loop.submit { [box] in
            box.watch?.stop()
            box.watch = nil
        }
        loop.stop()
        thread.join()
        try? FileManager.default.removeItem(at: root)
    }

    /// Whether a change is told because of this; how often is the file system's affair.
    func tells(_ change: (URL) throws -> Void) async throws -> Bool {
        let before = count.withLock { $0 }
        try change(root)
        let end = ContinuousClock.now + .seconds(20)
        while count.withLock({ $0 }) == before {
            if ContinuousClock.now > end { return false }
            try await Task.sleep(for: .milliseconds(5))
        }
        return true
    }
}

private func write(_ text: String, _ url: URL) throws { try Data(text.utf8).write(to: url) }

@Suite("Watching a handlers directory", .timeLimit(.minutes(5)))
struct HandlersWatchTests {
    @Test func changes() async throws {
        let folder = try WatchedFolder()
        defer { folder.stop() }
        let files = FileManager.default
        #expect(try await folder.tells { try write("1", $0.appending(path: "a_wsh.swift")) })
        #expect(try await folder.tells { try write("2", $0.appending(path: "a_wsh.swift")) })
        // An editor that writes beside the file, then moves it over.
        #expect(
            try await folder.tells {
                try write("3", $0.appending(path: ".a_wsh.swift.new"))
                rename(
                    $0.appending(path: ".a_wsh.swift.new").path,
                    $0.appending(path: "a_wsh.swift").path)
            })
        #expect(
            try await folder.tells {
                try files.moveItem(
                    at: $0.appending(path: "a_wsh.swift"), to: $0.appending(path: "b_wsh.swift"))
            })
        #expect(
            try await folder.tells {
                try files.createDirectory(
                    at: $0.appending(path: "sub/deep"), withIntermediateDirectories: true)
            })
        #expect(
            try await folder.tells { try write("4", $0.appending(path: "sub/deep/c_wsh.swift")) })
        #expect(try await folder.tells { try files.removeItem(at: $0.appending(path: "sub")) })
        #expect(
            try await folder.tells { try files.removeItem(at: $0.appending(path: "b_wsh.swift")) })
    }

    @Test("a link's target is watched too")
    func link() async throws {
        let (folder, other) = (try WatchedFolder(), try WatchedFolder())
        defer {
            folder.stop()
            other.stop()
        }
        let target = other.root.appending(path: "real.swift")
        try write("1", target)
        #expect(
            try await folder.tells {
                try FileManager.default.createSymbolicLink(
                    at: $0.appending(path: "link_wsh.swift"), withDestinationURL: target)
            })
        #expect(try await folder.tells { _ in try write("2", target) })
    }

    @Test("the directory goes and comes back")
    func vanishes() async throws {
        let folder = try WatchedFolder()
        defer { folder.stop() }
        let aside = folder.root.appendingPathExtension("aside")
        #expect(
            try await folder.tells {
                try FileManager.default.moveItem(at: $0, to: aside)
                try FileManager.default.moveItem(at: aside, to: $0)
            })
        #expect(try await folder.tells { try write("1", $0.appending(path: "a_wsh.swift")) })
    }

    @Test("what is no Swift file is nobody's business")
    func others() async throws {
        let folder = try WatchedFolder()
        defer { folder.stop() }
        let count = Mutex(0)
        #expect(
            try await folder.tells {
                for name in ["page.html", ".hidden.swift", "a.swift~", "#a_wsh.swift#"] {
                    try write("x", $0.appending(path: name))
                }
                count.withLock { $0 += 1 }
                // The one that counts comes last: the ones before would have been told before it.
                try write("x", $0.appending(path: "a_wsh.swift"))
            })
        #expect(count.withLock { $0 } == 1)
    }
}
