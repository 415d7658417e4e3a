/// Memory into which the sources of a loop read, one after the other.
final class LoopBuffers {
    /// Where every stream receives; valid until the next one does. 256 KiB: four messages of 64 KiB
    /// in one call.
    let receive = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 64)

    /// Where streams with TLS receive what they open into ``receive``. Half as long, so that what
    /// comes of it fits there together with a record that began before.
    private(set) lazy var sealed = allocate(receive.count / 2)

    /// Where parts of files are read that cannot go from file to socket by themselves. Not where
    /// streams receive: one may be looking at what it has there while another sends. 16 KiB: a
    /// record of TLS.
    private(set) lazy var file = allocate(16_384)

    /// Where sources that are no streams read. Not where streams receive: a script is read on when
    /// its output has been sent. 64 KiB: what a pipe holds.
    private(set) lazy var other = allocate(65_536)

    /// What was allocated besides ``receive``.
    private var allocated: [UnsafeMutableRawBufferPointer] = []

    private func allocate(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        allocated.append(buffer)
        return buffer
    }

    deinit {
        receive.deallocate()
        for buffer in allocated { buffer.deallocate() }
    }
}

extension Loop {
    /// 64 KiB where event sources that are no streams read; valid until the next one does.
    package var readBuffer: UnsafeMutableRawBufferPointer { buffers.other }
}
