import EventLoop
import Glibc

/// Files and folders, by path.
package enum FileSystem {
    /// What lies in a folder.
    package struct Entry: Sendable {
        /// Need not be UTF-8.
        package let name: [UInt8]
        package let isFolder: Bool
        package let isLink: Bool
    }

    static func read(_ path: String) throws(SystemError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open(\(path))") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read(\(path))") }
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }

    /// `nil` if it cannot be read.
    static func text(_ path: String) -> String? {
        (try? read(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Under another name first, so that nobody sees half of a file.
    static func write(_ bytes: [UInt8], to path: String) throws(BuildError) {
        do throws(SystemError) {
            try writeAndRename(bytes, to: path)
        } catch {
            throw BuildError("cannot write \(path)", error)
        }
    }

    static func write(_ text: String, to path: String) throws(BuildError) {
        try write(Array(text.utf8), to: path)
    }

    private static func writeAndRename(_ bytes: [UInt8], to path: String) throws(SystemError) {
        let part = path + ".part"
        let descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw SystemError("open(\(part))") }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let error = SystemError("write(\(part))")
                close(descriptor)
                throw error
            }
            rest = rest.dropFirst(count)
        }
        guard close(descriptor) == 0 else { throw SystemError("close(\(part))") }
        guard rename(part, path) == 0 else { throw SystemError("rename(\(path))") }
    }

    static func move(_ path: String, to target: String) throws(BuildError) {
        guard rename(path, target) == 0 else {
            throw BuildError("cannot write \(target)", SystemError("rename"))
        }
    }

    /// With the folders that it lies in.
    static func makeFolder(_ path: String) throws(BuildError) {
        if isFolder(path) { return }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try makeFolder(String(path[..<slash]))
        }
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw BuildError("cannot write to \(path)", SystemError("mkdir"))
        }
    }

    /// A file, or a folder with all that is in it. Not being there is as good.
    static func remove(_ path: String) {
        if unlink(path) == 0 || errno == ENOENT { return }
        for entry in (try? entries(of: path)) ?? [] {
            remove(path + "/" + String(decoding: entry.name, as: UTF8.self))
        }
        rmdir(path)
    }

    /// Without `.` and `..`.
    ///
    /// - Throws: if it cannot be read, which is not the same as being empty.
    package static func entries(of folder: String) throws(SystemError) -> [Entry] {
        guard let stream = opendir(folder) else { throw SystemError("opendir(\(folder))") }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw SystemError("readdir(\(folder))") }
                return entries
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                Array(bytes.prefix { $0 != 0 })
            }
            guard name != [UInt8(ascii: ".")], name != Array("..".utf8) else { continue }
            var kind = mode_t(entry.pointee.d_type) << 12
            if kind == 0 {  // some file systems do not say
                var status = stat()
                if lstat(folder + "/" + String(decoding: name, as: UTF8.self), &status) == 0 {
                    kind = status.st_mode & S_IFMT
                }
            }
            entries.append(
                Entry(name: name, isFolder: kind == S_IFDIR, isLink: kind == S_IFLNK))
        }
    }

    /// Whether it is a link itself.
    package static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    package static func isFolder(_ path: String) -> Bool { kind(path) == S_IFDIR }
    static func isFile(_ path: String) -> Bool { kind(path) == S_IFREG }
    static func exists(_ path: String) -> Bool { kind(path) != nil }

    /// Links are followed.
    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// Without links; `nil` if there is no such file.
    static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    static var workingFolder: String { realPath(".") ?? "/" }

    /// What changes whenever the file does. The status-change time is part of it: a modification
    /// time can be set back. `nil` if there is no such file.
    static func stamp(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let time = status.st_ctim
        return "\(time.tv_sec).\(time.tv_nsec),\(status.st_size),\(status.st_ino)"
    }
}
