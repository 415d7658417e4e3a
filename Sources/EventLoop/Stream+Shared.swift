import Glibc

extension Stream {
    /// 16 KiB: of what the socket does not take, less than that is copied into the queue, which has
    /// as much room at first.
    private static let keptByteCount = 16_384

    /// Whether what is sent now goes to the socket at once: nothing is queued, and nothing changes
    /// it on its way.
    package var isClear: Bool { !hasOutput && tls == nil && !isClosing }

    /// Sends bytes that other streams send too, at once where ``isClear``, and else behind what is
    /// queued. What the socket does not take stays where it lies, unless it is short.
    ///
    /// - Parameter isUrgent: false to send at the end of the turn, together with what follows.
    package func send(_ shared: SharedBytes, _ range: Range<Int>, isUrgent: Bool = true) {
        guard !isClosing, !range.isEmpty else { return }
        var rest = range
        if isUrgent && isClear { rest = rest.dropFirst(sendNow(shared, range)) }
        if !loans.isEmpty { sendLoans() }
        guard !rest.isEmpty, !isClosing else { return }
        if rest.count <= Self.keptByteCount {
            return shared.bytes.withUnsafeBytes { write($0[rest]) }
        }
        var parts = outputParts ?? OutputParts()
        parts.append(.bytes(shared), rest, queueByteCount: output?.count ?? 0)
        outputParts = parts
        flushSoon()
    }

    /// - Returns: how many bytes were sent; an error waits for the next call.
    private func sendNow(_ shared: SharedBytes, _ range: Range<Int>) -> Int {
        let count = max(0, sendShared(shared, range.lowerBound, range.count))
        sentByteCount &+= count
        return count
    }

    /// As `send`.
    func sendShared(_ shared: SharedBytes, _ offset: Int, _ byteCount: Int) -> Int {
        shared.bytes.withUnsafeBytes { bytes in
            let bytes = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + byteCount])
            return memory?.take(bytes, byteLimit: byteCount)
                ?? Glibc.send(fd, bytes.baseAddress, byteCount, Int32(MSG_NOSIGNAL))
        }
    }
}
