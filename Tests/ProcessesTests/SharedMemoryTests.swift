import EventLoop
import Foundation
import Testing

@testable import Processes

extension ProcessesTests {
    @Suite("Shared memory")
    struct SharedMemoryTests {
        @Test("what one mapping holds, another one sees, after the first one's end too")
        func shared() throws {
            var first: SharedMemory? = try SharedMemory(name: "test", byteCount: 3 * 4_096)
            let descriptor = dup(try #require(first).descriptor)
            try #require(first).base.storeBytes(of: 42, toByteOffset: 8_192, as: UInt64.self)
            let second = try SharedMemory(adopting: descriptor)
            #expect(second.byteCount == 3 * 4_096)
            first = nil
            #expect(second.base.load(fromByteOffset: 8_192, as: UInt64.self) == 42)
            #expect(second.base.load(fromByteOffset: 0, as: UInt64.self) == 0)
        }

        @Test("nobody can cut it off: to touch it would end every other process")
        func sealed() throws {
            let memory = try SharedMemory(name: "test", byteCount: 4_096)
            #expect(ftruncate(memory.descriptor, 0) == -1)
            #expect(errno == EPERM)
        }

        @Test("large memory takes room only where it is touched")
        func sparse() throws {
            let memory = try SharedMemory(name: "test", byteCount: 1 << 36)
            memory.base.storeBytes(of: 1, toByteOffset: 1 << 35, as: UInt8.self)
            var status = stat()
            #expect(fstat(memory.descriptor, &status) == 0)
            #expect(status.st_blocks * 512 <= 1 << 21)
        }

        @Test func notThere() {
            #expect(throws: SystemError.self) { try SharedMemory(adopting: -1) }
        }
    }
}
