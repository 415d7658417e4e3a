import WebSocketProtocol

/// How a message looks on a subscriber's connection: subscribers of one form get the same bytes.
package enum WireForm: Sendable, Hashable {
    case plain
    /// Compressed without context (RFC 7692 §7.1.1), which makes the same bytes for everyone that
    /// agreed on the same window.
    case compressed(windowBits: UInt8)
    /// Compressed with what this connection sent before, for itself alone.
    case own

    /// - Parameter parameters: what a server's connection agreed on; `nil`: no compression.
    package init(_ parameters: DeflateParameters?) {
        guard let parameters else {
            self = .plain
            return
        }
        self =
            parameters.deflateKeepsContext(.server)
            ? .own
            : .compressed(windowBits: UInt8(clamping: parameters.deflateWindowBits(.server)))
    }
}
