import Foundation
import Testing

@testable import Processes

extension ProcessesTests {
    @Suite("Files in memory")
    struct MemoryFileTests {
        @Test func memoryFile() throws {
            let file = try MemoryFile(name: "test")
            try "written by another".write(toFile: file.path, atomically: false, encoding: .utf8)
            #expect(file.text(byteLimit: 100) == "written by another")
            #expect(file.text(byteLimit: 7) == "written")
        }
    }
}
