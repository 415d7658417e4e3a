/// One invariant that has to hold for all bytes.
///
/// The functions are here once: libFuzzer calls them by way of Tests/Fuzzing/Entry, and `swift
/// test` by way of FuzzSeedTests.
public struct FuzzTarget: Sendable {
    /// Also the name of its folder in Tests/Fuzzing/seeds.
    public let name: String
    /// Throws a `Violation` if the bytes break the invariant.
    public let check: @Sendable (UnsafeRawBufferPointer) throws -> Void

    /// In the order of the layers, lowest first.
    public static let all: [FuzzTarget] = [
        FuzzTarget(name: "frame", check: checkFrame),
        FuzzTarget(name: "session", check: checkSession),
        FuzzTarget(name: "deflate", check: checkDeflate),
        FuzzTarget(name: "request", check: checkRequest),
        FuzzTarget(name: "response", check: checkResponse),
        FuzzTarget(name: "extensions", check: checkExtensions),
        FuzzTarget(name: "handshake", check: checkHandshake),
        FuzzTarget(name: "bus", check: checkBusFrame),
    ]
}

/// An invariant that did not hold.
struct Violation: Error, CustomStringConvertible {
    let description: String
}

func require(_ holds: Bool, _ rule: @autoclosure () -> String) throws {
    if !holds { throw Violation(description: rule()) }
}
