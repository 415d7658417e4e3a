import CLinux
import EventLoop
import Glibc

/// Memory that processes share, and that outlives each of them while another one has it: a memfd,
/// mapped (memfd_create(2)).
///
/// It is all zero at first, and a page that nobody has touched takes no memory. Whoever shares it
/// may write anything: what is read from it is input like any other.
///
/// `@unchecked Sendable`: nothing of it changes but the memory, and who uses that says how.
package final class SharedMemory: @unchecked Sendable {
    package let base: UnsafeMutableRawPointer
    package let byteCount: Int
    private let file: FileDescriptor

    /// - Parameter name: shown in `/proc/PID/maps`.
    package convenience init(name: String, byteCount: Int) throws(SystemError) {
        let file = try FileDescriptor("memfd_create") {
            memfd_create(name, linux_MFD_CLOEXEC | linux_MFD_ALLOW_SEALING)
        }
        _ = try check("ftruncate") { ftruncate(file.number, off_t(byteCount)) }
        // To touch what another process has cut off would be SIGBUS.
        let seals = linux_F_SEAL_SHRINK | linux_F_SEAL_GROW | linux_F_SEAL_SEAL
        _ = try check("fcntl") { fcntl(file.number, linux_F_ADD_SEALS, seals) }
        try self.init(file, byteCount: byteCount)
    }

    /// - Parameter descriptor: of another process's memory; owned from now on.
    package convenience init(adopting descriptor: Int32) throws(SystemError) {
        let file = FileDescriptor(descriptor)
        var status = stat()
        _ = try check("fstat") { fstat(file.number, &status) }
        try self.init(file, byteCount: Int(status.st_size))
    }

    private init(_ file: consuming FileDescriptor, byteCount: Int) throws(SystemError) {
        let mapped = mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.number, 0)
        guard let mapped, mapped != MAP_FAILED else { throw SystemError("mmap") }
        base = mapped
        self.byteCount = byteCount
        self.file = file
    }

    /// For a process that is to share it.
    package var descriptor: Int32 { file.number }

    deinit { munmap(base, byteCount) }
}
