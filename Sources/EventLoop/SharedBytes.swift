/// Bytes that several streams send, and that are kept as long as one of them does.
///
/// `@unchecked Sendable`: whoever makes it appends to it before it is given to a stream or to
/// another thread; from then on it never changes.
package final class SharedBytes: @unchecked Sendable {
    @exclusivity(unchecked) package private(set) var bytes: [UInt8]

    package init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    package var count: Int { bytes.count }

    package func append(_ other: SharedBytes) { bytes.append(contentsOf: other.bytes) }

    /// - Parameter write: appends to the bytes.
    package func append(_ write: (inout [UInt8]) -> Void) { write(&bytes) }

    /// Keeps the memory, for more of the same length. Only while no stream has a part of it.
    package func removeAll() { bytes.removeAll(keepingCapacity: true) }
}
