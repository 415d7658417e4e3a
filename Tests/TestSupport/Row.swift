/// One row of a table: what it is about, what goes in, what comes out.
public struct Row<Input: Sendable, Expected: Sendable>: Sendable, CustomStringConvertible {
    public let name: String
    public let input: Input
    public let expected: Expected

    public init(_ name: String, _ input: Input, _ expected: Expected) {
        self.name = name
        self.input = input
        self.expected = expected
    }

    /// The name, which is what a test report shows.
    public var description: String { name }
}
