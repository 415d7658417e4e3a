import EventLoop
import Glibc
import Testing

@testable import Processes

@Suite("Socket pairs")
struct StreamPairTests {
    @Test("a pair of stream sockets is joined, closed on exec, and does not block")
    func streamPair() throws {
        let pair = try StreamPair()
        for fd in [pair.one.number, pair.other.number] {
            #expect(fcntl(fd, F_GETFD) == FD_CLOEXEC)
            #expect(fcntl(fd, F_GETFL) & O_NONBLOCK != 0)
        }
        var bytes = [UInt8](repeating: 0, count: 10)
        #expect(recv(pair.other.number, &bytes, 10, 0) == -1 && errno == EAGAIN)
        #expect(send(pair.one.number, "ab", 2, 0) == 2)
        #expect(send(pair.one.number, "c", 1, 0) == 1)
        #expect(recv(pair.other.number, &bytes, 10, 0) == 3, "a stream keeps no messages apart")
        #expect(bytes.prefix(3) == [97, 98, 99])
    }
}
