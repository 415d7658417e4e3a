import EventLoop
import Foundation

/// How long to wait for what has to come; much longer than it takes, for loaded machines.
package let deadline: TimeInterval = 20

package struct DeadlinePassed: Error {}

/// Hands a value to a thread that the compiler cannot see is the only one to use it.
package struct Unchecked<Value>: @unchecked Sendable {
    package var value: Value
    package init(_ value: Value) { self.value = value }
}

/// A value that one thread changes and another waits for.
package final class Watched<Value>: @unchecked Sendable {
    private let condition = NSCondition()
    private var stored: Value

    package init(_ value: Value) { stored = value }

    package var value: Value { condition.withLock { stored } }

    package func update(_ change: (inout Value) -> Void) {
        condition.withLock {
            change(&stored)
            condition.broadcast()
        }
    }

    /// Waits until the value is as wanted; false if the deadline passed first.
    package func wait(until isWanted: (Value) -> Bool) -> Bool {
        let end = Date(timeIntervalSinceNow: deadline)
        condition.lock()
        defer { condition.unlock() }
        while !isWanted(stored) {
            guard condition.wait(until: end) else { return isWanted(stored) }
        }
        return true
    }
}

extension Watched where Value == Bool {
    package func set() { update { $0 = true } }
    package func wait() -> Bool { wait { $0 } }
}

// MARK: - A running loop

package struct RunningLoop: Sendable {
    package let loop: Loop

    package init(loop: Loop) { self.loop = loop }

    /// Runs `body` on the loop's thread and waits for it.
    @discardableResult
    package func callAsFunction<Result>(_ body: @escaping () throws -> Result) throws -> Result {
        let result = Watched<Swift.Result<Result, any Error>?>(nil)
        let work = Unchecked(body)
        loop.submit { result.update { $0 = Swift.Result { try work.value() } } }
        guard result.wait(until: { $0 != nil }), let value = result.value else {
            throw DeadlinePassed()
        }
        return try value.get()
    }
}

/// A loop on its own thread for as long as `body` runs.
package func withLoop(_ body: (RunningLoop) throws -> Void) throws {
    Loop.ignoreBrokenPipes()
    let loop = try Loop()
    let thread = try loop.start()
    defer {
        loop.stop()
        thread.join()
    }
    try body(RunningLoop(loop: loop))
}
