import Glibc

extension Stream {
    /// Sends a part of a file behind what was written so far, without a copy in this process.
    ///
    /// The queue counts as over its mark until the part is sent. A file that has become shorter
    /// fails the stream: the peer was promised more.
    public func sendFile(_ file: OpenFile, _ range: Range<Int>) {
        guard !isClosing, !range.isEmpty else { return }
        sendLoans()
        var parts = outputParts ?? OutputParts()
        parts.append(.file(file), range, queueByteCount: output?.count ?? 0)
        outputParts = parts
        flushSoon()
    }

    /// 1 MiB at a time, then the others on the loop: a peer that reads as fast as we send would
    /// keep it for the whole of a large file. nginx's `sendfile_max_chunk` is 2 MiB.
    static let filePieceByteLimit = 1 << 20

    /// Sends a piece of the part that is next.
    ///
    /// - Returns: whether to go on at once.
    func sendPart() -> Bool {
        guard let (source, offset, remaining) = outputParts?.next else { return false }
        let limit = min(remaining, Self.filePieceByteLimit)
        let count =
            switch source {
            case .file(let file): sendFilePart(file, offset, limit)
            case .bytes(let shared): sendShared(shared, offset, limit)
            }
        if count > 0 {
            sentByteCount &+= count
            outputParts?.advance(count)
            if outputParts?.isEmpty == true { outputParts = nil }
            if count < limit { return true }  // the next call shows whether the socket is full
            if outputParts?.isNext == true { flushSoon() }
            return outputParts?.isNext != true
        }
        if count < 0 && errno == EINTR { return true }
        if count < 0 && errno == EAGAIN { return false }
        fail(count == 0 ? SystemError("sendfile", code: EIO) : SystemError("sendfile"))
        return false
    }

    private func sendFilePart(_ file: OpenFile, _ offset: Int, _ byteLimit: Int) -> Int {
        guard memory == nil else { return copyFilePart(file, offset, byteLimit) }
        var start = off_t(offset)
        let count = sendfile(fd, file.fd, &start, byteLimit)
        // Some file systems have no sendfile.
        let isImpossible = count < 0 && (errno == EINVAL || errno == ENOSYS)
        return isImpossible ? copyFilePart(file, offset, byteLimit) : count
    }

    /// The same through a buffer of the loop.
    private func copyFilePart(_ file: OpenFile, _ offset: Int, _ limit: Int) -> Int {
        let buffer = loop.buffers.file
        let count = pread(file.fd, buffer.baseAddress, min(limit, buffer.count), off_t(offset))
        guard count > 0 else { return count }
        if let memory { return memory.take(UnsafeRawBufferPointer(buffer), byteLimit: count) }
        return Glibc.send(fd, buffer.baseAddress, count, Int32(MSG_NOSIGNAL))
    }

    /// The beginning of the part that is next, for bytes that are changed on their way.
    ///
    /// - Returns: at least one byte, valid until the next call; `nil` if the stream has failed.
    func readPart() -> UnsafeRawBufferPointer? {
        guard let (source, offset, remaining) = outputParts?.next else { return nil }
        let buffer = loop.buffers.file
        let limit = min(remaining, buffer.count)
        switch source {
        case .file(let file): return readFilePart(file, offset, limit)
        case .bytes(let shared):
            buffer.copyBytes(from: shared.bytes[offset..<offset + limit])
            return UnsafeRawBufferPointer(rebasing: buffer[..<limit])
        }
    }

    private func readFilePart(
        _ file: OpenFile, _ offset: Int, _ byteLimit: Int
    ) -> UnsafeRawBufferPointer? {
        let buffer = loop.buffers.file
        while true {
            let count = pread(file.fd, buffer.baseAddress, byteLimit, off_t(offset))
            if count > 0 { return UnsafeRawBufferPointer(rebasing: buffer[..<count]) }
            if count < 0 && errno == EINTR { continue }
            fail(count == 0 ? SystemError("pread", code: EIO) : SystemError("pread"))
            return nil
        }
    }
}
