/// How an endpoint compresses messages with permessage-deflate (RFC 7692).
///
/// A value out of range counts as the nearest one in range.
public struct CompressionSettings: Sendable, Hashable {
    /// Whether messages may refer to earlier ones.
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// permessage-deflate is neither offered nor accepted.
        case off
        /// No message refers to an earlier one, so that all connections of a thread share a few
        /// streams and an idle connection holds nothing.
        case shared
        /// Messages may refer to earlier ones (§7.1.1), which compresses small ones far better;
        /// each connection keeps what that needs.
        case dedicated
    }

    public var mode: Mode = .shared
    /// zlib's: 1 (fast) … 9 (small). Default: 1.
    public var level = 1
    /// 9…15: for `dedicated`, the largest window kept for a connection, in either direction, as
    /// the base-2 logarithm of its bytes (§7.1.2). Default: 15, 32 KiB.
    public var windowBits = 15
    /// zlib's: 1 (little) … 9 (much), for `dedicated`. A deflater takes about
    /// 2^(`windowBits` + 2) + 2^(`memoryLevel` + 9) bytes. Default: 8, zlib's own.
    public var memoryLevel = 8
    /// Shorter messages, in bytes of payload, are sent uncompressed. Default: 256.
    public var thresholdByteCount = 256

    public init() {}

    /// `windowBits`, limited to its range.
    var keptWindowBits: Int { min(max(windowBits, 9), 15) }
}
