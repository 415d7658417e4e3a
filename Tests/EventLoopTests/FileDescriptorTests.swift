import Glibc
import LoopTesting
import TestSupport
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("File descriptors and stamps")
    struct FileDescriptorTests {
        private func isOpen(_ fd: Int32) -> Bool { fcntl(fd, F_GETFD) >= 0 }

        /// High numbers, which no other test gets meanwhile.
        private func make(_ number: Int32) throws -> FileDescriptor {
            let null = open("/dev/null", O_RDONLY)
            defer { close(null) }
            return try FileDescriptor("fcntl") { fcntl(null, F_DUPFD_CLOEXEC, number) }
        }

        @Test func closesItself() throws {
            var number: Int32 = -1
            do {
                let descriptor = try make(700)
                number = descriptor.number
                #expect(isOpen(number))
            }
            #expect(!isOpen(number))
        }

        @Test func releasedStaysOpen() throws {
            let number = try make(700).release()
            #expect(isOpen(number))
            close(number)
        }

        @Test func failedCall() {
            let error = #expect(throws: SystemError.self) {
                _ = try FileDescriptor("open") { open("/no/such/file", O_RDONLY) }
            }
            #expect(error == SystemError("open", code: ENOENT))
        }

        private final class Source: EventSource {
            var descriptor: FileDescriptor?
            init(_ descriptor: consuming FileDescriptor) { self.descriptor = consume descriptor }
            func ready(_ readiness: Readiness) {}
            func close() { descriptor = nil }
        }

        /// epoll takes no regular files: the source that could not be watched closes its
        /// descriptor.
        @Test func closesWhatCannotBeWatched() throws {
            let path = try TemporaryFiles.write("text")
            try withLoop { loop in
                try loop {
                    let file = open(path, O_RDONLY)
                    let number = fcntl(file, F_DUPFD_CLOEXEC, 800)
                    Glibc.close(file)
                    do {
                        let source = Source(FileDescriptor(number))
                        let error = #expect(throws: SystemError.self) {
                            try source.descriptor?.watch(.readable, by: source, on: loop.loop)
                        }
                        #expect(error?.code == EPERM)
                    }
                    #expect(!isOpen(number))
                }
            }
        }

        @Test func stamps() throws {
            let path = try TemporaryFiles.write("text")
            let stamp = try #require(FileStamp(path))
            #expect(FileStamp(path) == stamp)
            let other = try TemporaryFiles.write("longer text")
            #expect(FileStamp(other) != stamp)
            #expect(rename(other, path) == 0)
            #expect(FileStamp(path) != stamp)
            #expect(unlink(path) == 0)
            #expect(FileStamp(path) == nil)
        }
    }
}
