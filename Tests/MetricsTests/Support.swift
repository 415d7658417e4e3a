import Counting
import Foundation
import Metrics
import Synchronization

/// Zeros, as a supervisor's memory is at first, and what is written to them by hand.
final class TestMemory: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    init(byteCount: Int = MetricsMemory.ownByteCount) {
        self.byteCount = byteCount
        base = mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
            0)!
    }

    deinit { munmap(base, byteCount) }

    /// As each process sees it.
    func opened() -> MetricsMemory? {
        MetricsMemory(base, byteCount: byteCount, owner: self)
    }

    func write(_ word: UInt64, at offset: Int) {
        base.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
    }
}

/// What the text says: by sample, with its labels.
func samples(_ memory: MetricsMemory, _ format: MetricsFormat = .prometheus) -> [String: String] {
    let given = GivenValues(version: "1.2.3", residentByteCount: 4_096, openDescriptorCount: 7)
    let text = String(decoding: memory.text(given, format), as: UTF8.self)
    var samples: [String: String] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
        guard let space = line.lastIndex(of: " ") else { continue }
        samples[String(line[..<space])] = String(line[line.index(after: space)...])
    }
    return samples
}
