import EventLoop
import Glibc

/// Why a file cannot be sent, or not to its end.
///
/// Where a part of it has gone out already, the connection is closed with 1011.
public enum FileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is nothing of this name.
    case notFound(path: String)
    /// This process may not read it.
    case notPermitted(path: String)
    case isFolder(path: String)
    /// A pipe, a socket or a device.
    case isNoFile(path: String)
    /// It has become shorter since it was opened, when it had `byteCount` bytes.
    case becameShorter(path: String, byteCount: Int)
    /// It cannot be opened or read for another reason.
    case unreadable(path: String, SystemError)

    public var description: String {
        switch self {
        case .notFound(let path): "there is no file \(path)"
        case .notPermitted(let path): "no permission to read \(path)"
        case .isFolder(let path): "\(path) is a folder"
        case .isNoFile(let path): "\(path) is no file, but a pipe, a socket or a device"
        case .becameShorter(let path, let byteCount):
            "\(path) has become shorter than the \(byteCount) bytes that it had"
        case .unreadable(let path, let error): "\(path) cannot be read: \(error)"
        }
    }

    /// - Parameter error: of opening the file.
    init(_ path: String, opening error: SystemError) {
        switch error.code {
        case ENOENT, ENOTDIR: self = .notFound(path: path)
        case EACCES, EPERM: self = .notPermitted(path: path)
        case ENXIO: self = .isNoFile(path: path)  // a socket
        default: self = .unreadable(path: path, error)
        }
    }
}
