import Foundation
import LoopTesting
import Testing

@testable import EventLoop

/// All tests of this module, one after the other: they block the thread they run on, and there are
/// few.
@Suite("Event loop", .serialized, .timeLimit(.minutes(3)))
enum EventLoopTests {}

// MARK: - The two ends of a connection

extension RunningLoop {
    /// A TCP connection: our end on the loop, the peer's end in the test's hands.
    func connect(
        drainMark: Int = 65_536, peerBufferByteCount: Int32? = nil,
        _ prepare: @escaping (Recorder) -> Void = { _ in }
    ) throws -> (recorder: Recorder, peer: Peer) {
        let socket = try ListeningSocket(at: loopback(), backlog: 1)
        defer { socket.close() }
        let peer = try Peer(to: socket.address, bufferByteCount: peerBufferByteCount)
        let accepted = try Socket.accept(socket.descriptor)
        let recorder = try self {
            let recorder = Recorder()
            let stream = try accepted.makeStream(on: loop, tls: nil, drainMark: drainMark)
            recorder.stream = stream
            stream.delegate = recorder
            prepare(recorder)
            return Unchecked(recorder)
        }.value
        return (recorder, peer)
    }
}

func loopback(port: UInt16 = 0) throws -> SocketAddress {
    try #require(SocketAddress.resolve(host: "127.0.0.1", port: port).first)
}

/// The calls of a stream.
struct Record: Sendable {
    var received: [UInt8] = []
    var endCount = 0
    var endKnownCount = 0
    var drainCount = 0
    var failures: [Int32] = []
    var closeCount = 0
    /// The calls in their order, repetitions of `received` left out.
    var calls: [String] = []

    mutating func note(_ call: String) { if calls.last != call { calls.append(call) } }
}

/// Records the calls of a stream, and does in answer what the test asks.
final class Recorder: EventLoop.StreamDelegate {
    nonisolated(unsafe) weak var stream: EventLoop.Stream?
    let record = Watched(Record())
    var onReceived: ([UInt8]) -> Void = { _ in }
    var onEnd: () -> Void = {}
    var onDrained: () -> Void = {}
    var onFailed: () -> Void = {}
    var onTLSFailed: (TLSError) -> Void = { _ in }
    var onClosed: () -> Void = {}
    var keepsBytes = true

    func streamReceived(_ bytes: UnsafeMutableRawBufferPointer) {
        let copy = Array(bytes)
        record.update {
            if keepsBytes { $0.received += copy }
            $0.note("received")
        }
        onReceived(copy)
    }

    func streamReachedEnd() {
        record.update {
            $0.endCount += 1
            $0.note("end")
        }
        onEnd()
    }

    func streamEndIsKnown() { record.update { $0.endKnownCount += 1 } }

    func streamDrained() {
        record.update {
            $0.drainCount += 1
            $0.note("drained")
        }
        onDrained()
    }

    func streamFailed(_ error: SystemError) {
        record.update {
            $0.failures.append(error.code)
            $0.note("failed")
        }
        onFailed()
    }

    func streamFailed(_ error: TLSError) {
        record.update { $0.note(error == .notTLS ? "notTLS" : "tlsFailed") }
        onTLSFailed(error)
    }

    func streamClosed() {
        record.update {
            $0.closeCount += 1
            $0.note("closed")
        }
        onClosed()
    }
}

/// A blocking socket, whose calls give up after the deadline.
final class Peer: @unchecked Sendable {
    let fd: Int32
    private var isOpen = true

    /// - Parameter bufferByteCount: of the kernel, so that little fits on the way.
    init(to address: SocketAddress, bufferByteCount: Int32? = nil) throws {
        fd = try check("socket") {
            socket(address.family.domain, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        }
        var timeout = timeval(tv_sec: Int(deadline), tv_usec: 0)
        let byteCount = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, byteCount)
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, byteCount)
        if let bufferByteCount {
            try Socket.set(fd, level: SOL_SOCKET, SO_RCVBUF, bufferByteCount, "SO_RCVBUF")
            try Socket.set(fd, level: SOL_SOCKET, SO_SNDBUF, bufferByteCount, "SO_SNDBUF")
        }
        let fd = fd
        do {
            try check("connect") { address.withSockaddr { Glibc.connect(fd, $0, $1) } }
        } catch {
            Glibc.close(fd)
            throw error
        }
    }

    deinit { close() }

    /// Returns how much was sent before an error.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 { break }
            sent += count
        }
        return sent
    }

    /// As many bytes as asked for, or fewer if the end or an error came first; then `code` is 0 for
    /// the end or the `errno`.
    func receive(_ limit: Int = .max) -> (bytes: [UInt8], code: Int32?) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < limit {
            let count = recv(fd, &buffer, min(buffer.count, limit - bytes.count), 0)
            if count <= 0 { return (bytes, count == 0 ? 0 : errno) }
            bytes += buffer[..<count]
        }
        return (bytes, nil)
    }

    func endSending() { shutdown(fd, Int32(SHUT_WR)) }

    func close() {
        if isOpen { Glibc.close(fd) }
        isOpen = false
    }

    /// Ends the connection as a crash does.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }
}

/// Bytes that differ from their neighbours: 0, 1, … 250, 0, …; no block of a power of two is like
/// another.
func pattern(_ byteCount: Int) -> [UInt8] {
    let block = (0..<(251 * 64)).map { UInt8($0 % 251) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount + block.count)
    while bytes.count < byteCount { bytes += block }
    bytes.removeLast(bytes.count - byteCount)
    return bytes
}

/// Runs `body` on a thread of its own.
func onThread(_ body: @escaping @Sendable () -> Void) throws -> LoopThread {
    try LoopThread(body)
}
