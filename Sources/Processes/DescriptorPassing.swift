import EventLoop
import Glibc

/// Messages between processes that carry a descriptor: `SCM_RIGHTS` of unix(7).
///
/// The header's macros are none that Swift imports, so the layout of cmsg(3) is written down here:
/// a `cmsghdr`, then its data, each aligned to 8 bytes.
enum DescriptorPassing {
    /// Room for more descriptors than a message of ours has, so that the surplus comes, and is
    /// closed, rather than that the message is cut.
    private static let receivedCountLimit = 4

    private static let headerByteCount = aligned(MemoryLayout<cmsghdr>.size)

    private static func aligned(_ byteCount: Int) -> Int { (byteCount + 7) & ~7 }

    private static func length(ofDescriptors count: Int) -> Int {
        headerByteCount + count * MemoryLayout<Int32>.size
    }

    /// Sends a message, and duplicates of the descriptors with it. They stay the caller's.
    ///
    /// - Returns: as `sendmsg`.
    static func send(
        _ bytes: UnsafeRawBufferPointer, _ descriptors: [Int32], to fd: Int32
    ) -> Int {
        let length = length(ofDescriptors: descriptors.count)
        return withMessage(UnsafeMutableRawBufferPointer(mutating: bytes), aligned(length)) {
            message, control in
            if descriptors.isEmpty {
                (message.msg_control, message.msg_controllen) = (nil, 0)
            } else {
                control.storeBytes(
                    of: cmsghdr(length, SOL_SOCKET, Int32(SCM_RIGHTS)), as: cmsghdr.self)
                descriptors.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(rebasing: control[headerByteCount...])
                        .copyMemory(from: $0)
                }
            }
            return sendmsg(fd, &message, Int32(MSG_NOSIGNAL))
        }
    }

    /// Receives a message. Whatever descriptors came are closed on exec.
    ///
    /// - Parameter descriptor: set to the first one, if the message came whole. All others are
    ///   closed.
    /// - Returns: as `recvmsg`.
    static func receive(
        into buffer: UnsafeMutableRawBufferPointer, descriptor: inout FileDescriptor?,
        from fd: Int32
    ) -> Int {
        let room = aligned(length(ofDescriptors: receivedCountLimit))
        var received: [Int32] = []
        var isCut = false
        let count = withMessage(buffer, room) { message, control in
            let count = recvmsg(fd, &message, Int32(MSG_CMSG_CLOEXEC))
            guard count >= 0 else { return count }
            received = descriptors(in: control.prefix(message.msg_controllen))
            isCut = message.msg_flags & Int32(MSG_CTRUNC) != 0
            return count
        }
        for (index, number) in received.enumerated() {
            let owned = FileDescriptor(number)
            if index == 0 && !isCut { descriptor = consume owned }
        }
        return count
    }

    private static func descriptors(in control: Slice<UnsafeMutableRawBufferPointer>) -> [Int32] {
        var descriptors: [Int32] = []
        var rest = UnsafeRawBufferPointer(rebasing: control)
        while rest.count >= headerByteCount {
            let header = rest.loadUnaligned(as: cmsghdr.self)
            // The kernel wrote it; what is cut off ends with the buffer.
            let length = min(header.cmsg_len, rest.count)
            guard length >= headerByteCount else { break }
            if header.cmsg_level == SOL_SOCKET && header.cmsg_type == Int32(SCM_RIGHTS) {
                for place in stride(from: headerByteCount, through: length - 4, by: 4) {
                    descriptors.append(rest.loadUnaligned(fromByteOffset: place, as: Int32.self))
                }
            }
            rest = .init(rebasing: rest.dropFirst(aligned(length)))
        }
        return descriptors
    }

    private static func withMessage<Result>(
        _ bytes: UnsafeMutableRawBufferPointer, _ controlByteCount: Int,
        _ body: (inout msghdr, UnsafeMutableRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: controlByteCount, alignment: 8) { control in
            control.initializeMemory(as: UInt8.self, repeating: 0)
            var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
            return withUnsafeMutablePointer(to: &part) { part in
                var message = msghdr()
                message.msg_iov = part
                message.msg_iovlen = 1
                message.msg_control = control.baseAddress
                message.msg_controllen = control.count
                return body(&message, control)
            }
        }
    }
}

extension cmsghdr {
    fileprivate init(_ length: Int, _ level: Int32, _ type: Int32) {
        self.init()
        cmsg_len = length
        cmsg_level = level
        cmsg_type = type
    }
}
