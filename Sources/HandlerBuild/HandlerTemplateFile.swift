import EventLoop
import Glibc

/// The file that the command `new` writes.
package enum HandlerTemplateFile {
    /// Never over a file, not even over one that came this moment.
    ///
    /// - Returns: where it is, as the author would type it.
    package static func write(
        _ new: NewHandler, _ checkout: Checkout
    ) throws(BuildError) -> String {
        var folder = new.directory ?? HandlerDirectory.shownDefault(checkout)
        while folder.hasSuffix("/") && folder != "/" { folder.removeLast() }
        let file = "\(folder)/\(new.path)"
        if let slash = file.lastIndex(of: "/") {
            try FileSystem.makeFolder(String(file[..<slash]))
        }
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            if errno == EEXIST {
                throw BuildError("new: \(file) exists; nothing was written")
            }
            throw BuildError("new: cannot write \(file)", SystemError("open"))
        }
        defer { close(descriptor) }
        let bytes = Array(new.text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw BuildError("new: cannot write \(file)", SystemError("write"))
        }
        return file
    }
}
