import EventLoop
import Glibc

/// Why a server cannot listen. `option` is the program's for the address.
public enum ListenError: Error, Sendable, CustomStringConvertible {
    case unknownHost(ResolveError, option: String)
    case addressInUse(SocketAddress, option: String)
    case notPermitted(SocketAddress, option: String)
    /// Where the file of a Unix-domain socket shall be, there is one of another kind.
    case notASocket(SocketAddress, option: String)
    /// The folder is missing in which the file of a Unix-domain socket shall be.
    case folderMissing(SocketAddress, option: String)
    case failed(SocketAddress, SystemError, option: String)
    case system(SystemError)
    /// A file of ``Configuration/tls`` cannot be used.
    case tls(TLSFileError)
    /// A listener is to speak TLS, and ``Configuration/tls`` is `nil`.
    case certificateMissing
    /// ``Server/start()`` was called before, or ``Server/stop()`` was.
    case alreadyStarted

    public var description: String {
        switch self {
        case .unknownHost(let error, let option):
            "\(error) (\(option))"
        case .addressInUse(let address, let option) where address.family == .unix:
            "another process listens on \(address) (\(option)); stop it, or give another path; "
                + "`ss -lxp` shows the program"
        case .addressInUse(let address, let option):
            "port \(address.port) on \(address.host) is in use (\(option)); "
                + "`ss -ltnp 'sport = :\(address.port)'` shows the program, "
                + (option == "--listen" ? "port 0" : "\(option) 0") + " takes a free one"
        case .notPermitted(let address, let option) where address.family == .unix:
            "this process may not make \(address) (\(option)); it needs to write to the folder "
                + "\(FolderLock.folder(of: address.host)), and to remove what is there already"
        case .notPermitted(let address, let option):
            "port \(address.port) needs more rights than this process has (\(option)); "
                + "ports from 1024 do not"
        case .notASocket(let address, let option):
            "\(address.host) is there already, and is no socket (\(option)); remove it, or give "
                + "another path"
        case .folderMissing(let address, let option):
            "the folder \(FolderLock.folder(of: address.host)) of \(address) is missing "
                + "(\(option)); make it first"
        case .failed(let address, let error, let option):
            "cannot listen on \(address) (\(option)): \(error)"
        case .system(let error):
            "\(error)"
        case .tls(let error):
            "\(error)"
        case .certificateMissing:
            "a listener speaks TLS, and there is no certificate for it"
        case .alreadyStarted:
            "a server can be started only once, and not after it was stopped"
        }
    }
}

extension ListenError {
    /// - Parameter error: of making a socket listen on the address.
    init(_ error: SystemError, at address: SocketAddress, option: String) {
        let isUnix = address.family == .unix
        switch error.code {
        case EADDRINUSE: self = .addressInUse(address, option: option)
        case EACCES, EPERM, EROFS: self = .notPermitted(address, option: option)
        case ENOTSOCK where isUnix: self = .notASocket(address, option: option)
        case ENOENT where isUnix, ENOTDIR where isUnix:
            self = .folderMissing(address, option: option)
        default: self = .failed(address, error, option: option)
        }
    }
}
