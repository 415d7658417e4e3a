/// Wrong options. The description is one line for the user.
package struct UsageError: Error, CustomStringConvertible {
    package let description: String
    package let exitCode: Int32

    /// 2, as shells and most programs have it for wrong arguments.
    package static let exitCode: Int32 = 2

    package init(_ description: String, exitCode: Int32 = Self.exitCode) {
        self.description = description
        self.exitCode = exitCode
    }
}
