import Glibc
import Processes

/// What trapped, in words, as far as the backtrace shows it.
///
/// A check that the optimizer has put into the author's code prints nothing. Where it came from is
/// in the frames above the author's: `Swift runtime failure: arithmetic overflow`, or the function
/// of the library that the check belongs to.
enum TrapReason {
    /// - Parameter signal: that ended the process.
    static func text(signal: Int32, _ backtrace: Backtrace) -> String {
        if let failure = backtrace.failure { return lowercasedFirst(failure) }
        // A recursion without end runs into the page below the stack.
        if signal == SIGSEGV { return "stack overflow, or invalid memory access" }
        let functions = backtrace.functionsAbove
        if functions.contains(where: isSubscript) { return "index out of range" }
        let checked = functions.first { !isReporting($0) && isLibrary($0) }
        let hasMessage = functions.contains(where: isReporting)
        let hint = hasMessage ? "; its message is on standard error" : ""
        if let checked, signal != SIGABRT { return "a check in \(checked) failed\(hint)" }
        if hasMessage { return "a fatal error\(hint)" }
        switch signal {
        case SIGILL, SIGTRAP: return "a check failed: of an index, a sum, nil or a condition"
        case SIGBUS: return "invalid memory access"
        case SIGFPE: return "arithmetic fault"
        case SIGABRT: return "aborted; a message may be on standard error"
        default: return "\(ExitStatus(waitStatus: signal))"
        }
    }

    private static func isSubscript(_ function: String) -> Bool {
        ["subscript", "checkIndex", "checkSubscript"].contains { function.contains($0) }
    }

    /// The functions that print a message and then trap.
    private static func isReporting(_ function: String) -> Bool {
        ["_assertionFailure", "_fatalErrorMessage", "swift_unexpectedError"]
            .contains { function.contains($0) }
    }

    /// Not a piece of the author's code that has no place.
    private static func isLibrary(_ function: String) -> Bool {
        function.contains(".") && !function.contains("closure #")
    }

    private static func lowercasedFirst(_ text: String) -> String {
        text.prefix(1).lowercased() + text.dropFirst()
    }
}
