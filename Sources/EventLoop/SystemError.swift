import Glibc

/// A system call that failed: which one, and with what `errno`.
public struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    public let call: String
    public let code: Int32

    public init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    public var description: String { "\(call): \(String(cString: strerror(code))) (\(code))" }
}

/// Calls again while a signal cut the call short; throws what is left of errors.
@discardableResult
package func check<Result: BinaryInteger>(
    _ name: String, _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        if errno != EINTR { throw SystemError(name) }
    }
}
