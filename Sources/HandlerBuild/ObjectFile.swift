import CLinux
import Glibc

/// What a compiled module says of itself.
enum ObjectFile {
    static func contains(_ path: String, _ text: String) -> Bool {
        guard let bytes = try? FileSystem.read(path) else { return false }
        let text = Array(text.utf8)
        return bytes.withUnsafeBytes { bytes in
            text.withUnsafeBytes { text in
                guard let place = bytes.baseAddress, let word = text.baseAddress else {
                    return false
                }
                return linux_memmem(place, bytes.count, word, text.count) != nil
            }
        }
    }
}
