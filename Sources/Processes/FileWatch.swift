import EventLoop
import Glibc

/// What happened to a watched file or folder (inotify(7)).
public struct FileEvent: Sendable {
    /// As given to ``FileWatch/watch(_:)``; empty when events were lost.
    public let path: String
    /// The entry of a watched folder that it is about; empty: the file or folder itself.
    public let name: String
    /// Whether the entry is a folder.
    public let isFolder: Bool
    /// The entry is new: a link is complete, a file is not before it is closed.
    public let isCreation: Bool
    /// The file or folder is no longer under its path.
    public let isGone: Bool
    /// More happened than the kernel could keep: everything has to be looked at again.
    public let isOverflow: Bool
}

/// Reports what is written, made, moved and removed in folders.
public final class FileWatch: EventSource {
    private let loop: Loop
    private var descriptor: FileDescriptor?
    private let onEvent: (FileEvent) -> Void
    private var paths: [Int32: String] = [:]

    public init(on loop: Loop, onEvent: @escaping (FileEvent) -> Void) throws(SystemError) {
        self.loop = loop
        self.onEvent = onEvent
        descriptor = try FileDescriptor("inotify_init1") {
            inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        }
        try descriptor?.watch(.readable, by: self, on: loop)
    }

    /// Begins to watch a folder's entries, not what lies in its folders; or one file, through
    /// links.
    ///
    /// - Throws: why not: it is not there, may not be read, or `fs.inotify.max_user_watches` is
    ///   reached.
    public func watch(_ path: String) throws(SystemError) {
        // A file is complete when it is closed; what editors move into place is complete already.
        let mask =
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ATTRIB
        let fd = descriptor?.number ?? -1
        let watch = try check("inotify_add_watch(\(path))") {
            inotify_add_watch(fd, path, UInt32(truncatingIfNeeded: mask))
        }
        paths[watch] = path
    }

    public func ready(_ readiness: Readiness) {
        let headByteCount = MemoryLayout<inotify_event>.size
        while let fd = descriptor?.number {
            let buffer = loop.readBuffer
            let count = read(fd, buffer.baseAddress, buffer.count)
            guard count > 0 else { return }
            var offset = 0
            while descriptor != nil, offset + headByteCount <= count {
                let head = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                let end = min(count, offset + headByteCount + Int(head.len))
                let name = buffer[(offset + headByteCount)..<end].prefix { $0 != 0 }
                report(head, String(decoding: name, as: UTF8.self))
                offset = end
            }
        }
    }

    private func report(_ head: inotify_event, _ name: String) {
        func has(_ flag: some BinaryInteger) -> Bool {
            head.mask & UInt32(truncatingIfNeeded: flag) != 0
        }
        if has(IN_Q_OVERFLOW) {
            return onEvent(
                FileEvent(
                    path: "", name: "", isFolder: false, isCreation: false, isGone: false,
                    isOverflow: true))
        }
        guard let path = paths[head.wd] else { return }
        let isGone = has(IN_DELETE_SELF) || has(IN_MOVE_SELF) || has(IN_IGNORED) || has(IN_UNMOUNT)
        onEvent(
            FileEvent(
                path: path, name: name, isFolder: has(IN_ISDIR), isCreation: has(IN_CREATE),
                isGone: isGone,
                isOverflow: false))
        if has(IN_IGNORED) { paths[head.wd] = nil }
    }

    public func close() { descriptor = nil }
}
