import TestSupport
import Testing

@testable import EventLoop

extension EventLoopTests {
    @Suite("Byte queue")
    struct ByteQueueTests {
        private func append(_ bytes: [UInt8], to queue: inout ByteQueue) {
            let place = queue.reserve(bytes.count)
            bytes.withUnsafeBytes {
                if let base = $0.baseAddress {
                    place.copyMemory(from: base, byteCount: bytes.count)
                }
            }
            queue.commit(bytes.count)
        }

        @Test func firstInFirstOut() {
            var queue = ByteQueue()
            #expect(queue.count == 0)
            append([1, 2, 3], to: &queue)
            append([4], to: &queue)
            queue.removeFirst(2)
            #expect(Array(queue.bytes) == [3, 4])
            _ = queue.reserve(100)
            #expect(Array(queue.bytes) == [3, 4], "reserving alone adds nothing")
            queue.commit(0)
            queue.removeAll()
            #expect(queue.count == 0)
            #expect(queue.isWorthKeeping == true)
        }

        /// Random operations against an array.
        @Test(arguments: 1...6 as ClosedRange<UInt64>)
        func likeAnArray(seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            var queue = ByteQueue()
            var model: [UInt8] = []
            for step in 0..<400 {
                switch Int.random(in: 0..<5, using: &generator) {
                case 0...1:
                    let limit = [10, 5_000, 40_000].randomElement(using: &generator) ?? 10
                    let count = Int.random(in: 0...limit, using: &generator)
                    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: step), count: count)
                    append(bytes, to: &queue)
                    model += bytes
                case 2...3:
                    let count = Int.random(in: 0...model.count, using: &generator)
                    queue.removeFirst(count)
                    model.removeFirst(count)
                default:
                    // More is reserved than is used.
                    queue.reserve(20_000).storeBytes(of: 0xEE, as: UInt8.self)
                    queue.commit(1)
                    model.append(0xEE)
                }
                #expect(queue.count == model.count)
                #expect(Array(queue.bytes) == model)
            }
        }

        /// A queue that is never quite empty does not grow for ever.
        @Test func staysSmallWhenDrainedInStep() {
            var queue = ByteQueue()
            let bytes = pattern(1_000)
            append(bytes, to: &queue)
            for _ in 0..<2_000 {
                append(bytes, to: &queue)
                queue.removeFirst(1_000)
            }
            #expect(Array(queue.bytes) == bytes)
            #expect(queue.isWorthKeeping == true)
        }

        @Test func largeOnesAreNotKept() {
            var queue = ByteQueue()
            _ = queue.reserve(ByteQueue.keptCapacityLimit + 1)
            #expect(queue.isWorthKeeping == false)
        }
    }
}
