import Glibc

/// A long piece of what a stream sends, with what goes in front of it: a frame's payload and its
/// header.
///
/// It is lent to the stream and not copied into its queue, which would take longer than all else
/// that is done with it here: echoes of 64 KiB 0.80 → 0.88 of raw-epoll (docs/PERFORMANCE.md). It
/// depends on nothing in the runtime.
package struct Loan {
    package enum Body: Sendable {
        case bytes([UInt8])
        case text(String)
    }

    let head: [UInt8]
    let body: Body

    package init(head: [UInt8], body: Body) {
        self.head = head
        self.body = body
    }

    var byteCount: Int {
        switch body {
        case .bytes(let bytes): head.count + bytes.count
        case .text(let text): head.count + text.utf8.count
        }
    }

    fileprivate func withParts<Result>(
        _ use: (_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) -> Result
    ) -> Result {
        head.withUnsafeBytes { head in
            switch body {
            case .bytes(let bytes): bytes.withUnsafeBytes { use(head, $0) }
            case .text(let text): text.utf8Span.span.withUnsafeBytes { use(head, $0) }
            }
        }
    }
}

// Loans stand before the queue: there are none while it holds anything, and before something is put
// into it they are sent.

extension Stream {
    /// 256 KiB: more is sent at once and not at the end of the turn, since the socket may not take
    /// it.
    private static let loanByteLimit = 262_144
    /// 8: as many as are long enough to be worth it within that. One call takes them all.
    private static let loanCountLimit = 8

    var loanByteCount: Int { loans.reduce(0) { $0 + $1.byteCount } }

    /// Sends a long piece at the end of the turn, together with others, from where it lies. What
    /// the socket does not take is copied into the queue.
    package func write(_ loan: Loan) {
        guard !isClosing else { return }
        if output != nil || outputParts != nil || tls != nil || memory != nil {
            return loan.withParts { head, body in
                write(head[...])
                write(body[...])
            }
        }
        loans.append(loan)
        if loans.count >= Self.loanCountLimit || loanByteCount > Self.loanByteLimit { sendLoans() }
        flushSoon()
    }

    /// Sends all of them in one call.
    func sendLoans() {
        guard !loans.isEmpty else { return }
        let all = loans
        loans = []
        var parts: [iovec] = []
        parts.reserveCapacity(2 * all.count)
        var sent = send(all[...], &parts)
        for loan in all {
            loan.withParts { head, body in
                write(head.dropFirst(sent))
                write(body.dropFirst(max(0, sent - head.count)))
            }
            sent = max(0, sent - loan.byteCount)
        }
    }

    /// - Returns: how many bytes were sent; an error waits for the next call.
    private func send(_ loans: ArraySlice<Loan>, _ parts: inout [iovec]) -> Int {
        guard let loan = loans.first else { return send(parts) }
        return loan.withParts { head, body in
            for part in [head, body] {
                let base = UnsafeMutableRawPointer(mutating: part.baseAddress)
                parts.append(iovec(iov_base: base, iov_len: part.count))
            }
            return send(loans.dropFirst(), &parts)
        }
    }

    private func send(_ parts: [iovec]) -> Int {
        let count = parts.withUnsafeBufferPointer { parts in
            var message = msghdr()
            message.msg_iov = UnsafeMutablePointer(mutating: parts.baseAddress)
            message.msg_iovlen = parts.count
            return sendmsg(fd, &message, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return 0 }
        sentByteCount &+= count
        return count
    }
}
