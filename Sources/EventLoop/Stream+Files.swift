import Glibc

/// Parts of files in a stream's queue, each with the bytes of the queue that go out before it.
struct FileParts {
    private struct Part {
        let file: OpenFile
        var offset: Int
        var remaining: Int
        /// From the end of the part before this one.
        var precedingByteCount: Int
    }

    private var parts: [Part] = []

    /// Of all parts; the queue's bytes beyond these follow the last part.
    private var allPrecedingByteCount: Int { parts.reduce(0) { $0 + $1.precedingByteCount } }

    mutating func append(_ file: OpenFile, _ range: Range<Int>, queuedByteCount: Int) {
        parts.append(
            Part(
                file: file, offset: range.lowerBound, remaining: range.count,
                precedingByteCount: queuedByteCount - allPrecedingByteCount))
    }

    var isEmpty: Bool { parts.isEmpty }
    /// Whether a file comes before any byte of the queue.
    var isNext: Bool { precedingByteCount == 0 && !parts.isEmpty }
    var precedingByteCount: Int { parts.first?.precedingByteCount ?? .max }

    mutating func removePreceding(_ byteCount: Int) {
        guard !parts.isEmpty else { return }
        parts[0].precedingByteCount -= byteCount
    }

    var next: (file: OpenFile, offset: Int, remaining: Int)? {
        parts.first.map { ($0.file, $0.offset, $0.remaining) }
    }

    mutating func advance(_ byteCount: Int) {
        guard !parts.isEmpty else { return }
        parts[0].offset += byteCount
        parts[0].remaining -= byteCount
        if parts[0].remaining <= 0 { parts.removeFirst() }
    }
}

extension Stream {
    /// Sends a part of a file behind what was written so far, without a copy in this process.
    ///
    /// The queue counts as over its mark until the part is sent. A file that has become shorter
    /// fails the stream: the peer was promised more.
    public func sendFile(_ file: OpenFile, _ range: Range<Int>) {
        guard !isClosing, !range.isEmpty else { return }
        sendLoans()
        var parts = fileParts ?? FileParts()
        parts.append(file, range, queuedByteCount: queuedByteCount)
        fileParts = parts
        flushSoon()
    }

    /// 1 MiB at a time, then the others on the loop: a peer that reads as fast as we send would
    /// keep it for the whole of a large file. nginx's `sendfile_max_chunk` is 2 MiB.
    static let filePieceByteLimit = 1 << 20

    /// Sends a piece of the file that is next.
    ///
    /// - Returns: whether to go on at once.
    func sendFilePart() -> Bool {
        guard let (file, offset, remaining) = fileParts?.next else { return false }
        var start = off_t(offset)
        let limit = min(remaining, Self.filePieceByteLimit)
        var count =
            memory == nil ? sendfile(fd, file.fd, &start, limit) : copyFilePart(file, offset, limit)
        if memory == nil && count < 0 && (errno == EINVAL || errno == ENOSYS) {
            count = copyFilePart(file, offset, limit)  // some file systems have no sendfile
        }
        if count > 0 {
            sentByteCount &+= count
            fileParts?.advance(count)
            if fileParts?.isEmpty == true { fileParts = nil }
            if count < limit { return true }  // the next call shows whether the socket is full
            if fileParts?.isNext == true { flushSoon() }
            return fileParts?.isNext != true
        }
        if count < 0 && errno == EINTR { return true }
        if count < 0 && errno == EAGAIN { return false }
        fail(count == 0 ? SystemError("sendfile", code: EIO) : SystemError("sendfile"))
        return false
    }

    /// The same through a buffer of the loop.
    private func copyFilePart(_ file: OpenFile, _ offset: Int, _ limit: Int) -> Int {
        let buffer = loop.buffers.file
        let count = pread(file.fd, buffer.baseAddress, min(limit, buffer.count), off_t(offset))
        guard count > 0 else { return count }
        if let memory { return memory.take(UnsafeRawBufferPointer(buffer), byteLimit: count) }
        return Glibc.send(fd, buffer.baseAddress, count, Int32(MSG_NOSIGNAL))
    }

    /// Reads the beginning of the file that is next, for bytes that are changed on their way.
    ///
    /// - Returns: at least one byte, valid until the next call; `nil` if the stream has failed.
    func readFilePart() -> UnsafeRawBufferPointer? {
        guard let (file, offset, remaining) = fileParts?.next else { return nil }
        let buffer = loop.buffers.file
        while true {
            let count = pread(
                file.fd, buffer.baseAddress, min(remaining, buffer.count), off_t(offset))
            if count > 0 { return UnsafeRawBufferPointer(rebasing: buffer[..<count]) }
            if count < 0 && errno == EINTR { continue }
            fail(count == 0 ? SystemError("pread", code: EIO) : SystemError("pread"))
            return nil
        }
    }
}
