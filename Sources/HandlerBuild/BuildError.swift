import EventLoop

/// Why nothing was built; the description is for a person.
package struct BuildError: Error, Equatable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        /// The directory or the machine is not ready, or the build failed.
        case failed
        /// Wrong arguments.
        case usage
        /// `--strict`, and a handler does not compile.
        case brokenHandler
        /// Asked to stop.
        case cancelled
    }

    package let reason: Reason
    package let description: String

    package init(_ description: String, _ reason: Reason = .failed) {
        self.description = description
        self.reason = reason
    }

    init(_ what: String, _ error: SystemError) {
        self.init("\(what): \(error)")
    }

    static let cancelled = BuildError("stopped", .cancelled)

    package var exitCode: Int32 {
        switch reason {
        case .failed, .cancelled: 1
        case .usage: 2
        case .brokenHandler: 4
        }
    }
}
