import EventLoop
import WebSocketProtocol

/// A file that is sent as one message, as long as it was when it was opened.
struct FileMessage {
    private let path: String
    private let file: OpenFile

    /// 256 KiB: the payload of a frame that the kernel reads, a third more of them per second of
    /// CPU than with 64 KiB. As much as is sent to a client in a turn; Pongs wait for its end.
    private static let directFrameByteCount = 262_144
    /// 64 KiB: of one that is read here. Longer ones are not sent any faster.
    private static let frameByteCount = 65_536

    /// - Throws: ``FileError``.
    init(path: String) throws(FileError) {
        // A C string would end there, and another file be opened.
        if path.utf8.contains(0) { throw .notFound(path: path) }
        self.path = path
        do throws(SystemError) {
            file = try OpenFile(path: path)
        } catch {
            throw FileError(path, opening: error)
        }
        switch file.kind {
        case .regular: break
        case .folder: throw .isFolder(path: path)
        case .other: throw .isNoFile(path: path)
        }
    }

    /// Sends all of it.
    nonisolated(nonsending) func send(
        on connection: Connection, as kind: Message.Kind, compress: Bool
    ) async throws {
        var message = LongMessage(on: connection, kind, compress: compress)
        let byteCount = file.byteCount
        let isDirect = await connection.onLoop {
            kind == .binary && $0.sendsFiles(byteCount, compress: compress)
        }
        let frameByteCount = isDirect ? Self.directFrameByteCount : Self.frameByteCount
        do {
            if byteCount == 0 { return try await message.finish() }
            var rest = 0..<byteCount
            while !rest.isEmpty {
                let frame = rest.prefix(frameByteCount)
                rest = rest.dropFirst(frame.count)
                let body = try isDirect ? part(frame) : .bytes(bytes(frame), kind)
                try await message.send(body, isFinal: rest.isEmpty)
            }
        } catch {
            await message.giveUp()
            // Where the file became shorter behind ``part(_:)``, the stream has failed.
            if error as? ConnectionError == .lost { try checkLength(byteCount) }
            throw error
        }
    }

    /// A part that the kernel takes from the file itself.
    private func part(_ range: Range<Int>) throws(FileError) -> PieceBody {
        try checkLength(range.upperBound)
        return .file(file, range)
    }

    /// Read where the caller runs, mostly the loop's thread, as the files of a document root are:
    /// the kernel reads ahead, and another thread would take longer than a copy.
    private func bytes(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        var readCount: Int?
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            readCount = file.read(into: .init(buffer), at: range.lowerBound)
            code = SystemError("pread").code
            count = readCount ?? 0
        }
        guard let readCount else {
            throw .unreadable(path: path, SystemError("pread", code: code))
        }
        if readCount < range.count {
            throw .becameShorter(path: path, byteCount: file.byteCount)
        }
        return bytes
    }

    private func checkLength(_ byteCount: Int) throws(FileError) {
        if let current = file.currentByteCount, current < byteCount {
            throw .becameShorter(path: path, byteCount: file.byteCount)
        }
    }
}

extension Connection {
    /// Whether parts of a file can go to the socket as they are. On the loop's thread.
    func sendsFiles(_ byteCount: Int, compress: Bool) -> Bool {
        let mayCompress = compress || session.sendingKind != nil
        return endpoint.role == .server && !(mayCompress && session.compresses(byteCount))
    }
}
