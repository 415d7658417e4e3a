/// What a supervisor tells a server process of a listening socket that no option describes, because
/// a service manager passed it.
package struct PassedListener: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// It speaks TLS.
    package static let secure = PassedListener(rawValue: 1)
    /// Its connections begin with a header of the PROXY protocol.
    package static let behindProxy = PassedListener(rawValue: 2)
}
