import EventLoop
import Glibc

/// Reads small files that people write by hand.
enum TextFile {
    /// - Throws: also for a file of more than `byteLimit` bytes.
    static func read(_ path: String, byteLimit: Int) throws(SystemError) -> String {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { throw SystemError("open(\(path))") }
        defer { close(fd) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(fd, &piece, piece.count)
            if count < 0 { throw SystemError("read(\(path))") }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
            if bytes.count > byteLimit { throw SystemError("read(\(path))", code: EFBIG) }
        }
    }
}
