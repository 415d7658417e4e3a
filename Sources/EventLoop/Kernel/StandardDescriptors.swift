import CLinux
import Glibc

/// Standard input, output and error.
public enum StandardDescriptors {
    /// Opens those on /dev/null that are closed, as a parent process may leave them. Otherwise the
    /// next files or sockets would take their numbers, and get what is meant for standard error.
    ///
    /// To be called first, while nothing else opens descriptors.
    public static func openClosed() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number, so this one. Without a /dev, one that takes and gives
            // nothing.
            if open("/dev/null", O_RDWR) < 0 { _ = open("/", linux_O_PATH) }
        }
    }
}
