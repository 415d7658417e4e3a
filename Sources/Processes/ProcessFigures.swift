import EventLoop
import Glibc

/// What a process of the same user uses, as the kernel tells it (proc(5)). Of one that has ended,
/// or that belongs to somebody else, all figures are 0.
package enum ProcessFigures {
    /// Its memory that is not swapped out, in bytes.
    package static func residentByteCount(of processID: Int) -> Int {
        let text = firstBytes(of: "/proc/\(processID)/statm")
        // The second number, in pages.
        let words = text.split(separator: UInt8(ascii: " "))
        guard words.count > 1, let pages = Int(String(decoding: words[1], as: UTF8.self)) else {
            return 0
        }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// How many descriptors it has open.
    package static func openDescriptorCount(of processID: Int) -> Int {
        let path = "/proc/\(processID)/fd"
        // Since Linux 6.2 that is the folder's size.
        var status = stat()
        if stat(path, &status) == 0, status.st_size > 0 { return Int(status.st_size) }
        guard let folder = opendir(path) else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return max(0, count - 2)  // . and ..
    }

    private static func firstBytes(of path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        return [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, 256))
        }
    }
}
