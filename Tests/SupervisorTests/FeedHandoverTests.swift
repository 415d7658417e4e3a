import TestSupport
import Testing

@testable import Supervisor

@Suite("Which process runs the feeds")
struct FeedHandoverTests {
    @Test("the first process begins; the next one once the first has reported")
    func changeOver() {
        var feeds = FeedHandover()
        #expect(feeds.serves(1) == .begin(process: 1))
        #expect(feeds.serves(2) == nil)
        #expect(feeds.leaves(1) == .wait(process: 1))
        #expect(feeds.phase == .ending(process: 1))
        #expect(feeds.isOver(1) == .begin(process: 2))
        #expect(feeds.phase == .running(process: 2))
        #expect(feeds.ended(1) == nil, "the retired process ends later")
    }

    @Test("after a trap the next one begins as soon as it serves, or at once")
    func trap() {
        var feeds = FeedHandover()
        _ = feeds.serves(1)
        #expect(feeds.ended(1) == nil)
        #expect(feeds.phase == .idle)
        #expect(feeds.ended(1) == nil, "its end is noticed as well")
        #expect(feeds.serves(2) == .begin(process: 2))
        #expect(feeds.serves(3) == nil)
        #expect(feeds.ended(2) == .begin(process: 3))
    }

    @Test("the process that leaves by itself is waited for, and the next one begins")
    func leaving() {
        var feeds = FeedHandover()
        _ = feeds.serves(1)
        #expect(feeds.leaves(1) == .wait(process: 1))
        #expect(feeds.isOver(1) == nil)
        #expect(feeds.phase == .idle)
        #expect(feeds.serves(2) == .begin(process: 2))
        _ = feeds.leaves(2)
        #expect(feeds.serves(3) == nil)
        #expect(feeds.ended(2) == .begin(process: 3), "it ended before it reported")
    }

    @Test("processes that were replaced meanwhile are passed over")
    func passedOver() {
        var feeds = FeedHandover()
        _ = feeds.serves(1)
        _ = feeds.serves(2)
        _ = feeds.leaves(1)
        #expect(feeds.serves(3) == nil)
        #expect(feeds.leaves(2) == nil, "it never ran them")
        #expect(feeds.isOver(2) == nil, "it reports all the same")
        #expect(feeds.isOver(1) == .begin(process: 3))
        #expect(feeds.isOver(1) == nil, "both the report and the limit")
    }

    @Test("a report that comes unasked changes nothing")
    func unasked() {
        var feeds = FeedHandover()
        #expect(feeds.isOver(1) == nil)
        _ = feeds.serves(1)
        #expect(feeds.isOver(1) == nil)
        #expect(feeds.phase == .running(process: 1))
    }

    @Test("whatever happens in whatever order: never two at a time, and the newest in the end")
    func random() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<2_000 {
            var feeds = FeedHandover()
            var serving: Int?
            var (left, ended, running) = (Set<Int>(), Set<Int>(), Set<Int>())
            func note(_ step: FeedHandover.Step?) {
                guard case .begin(let process)? = step else { return }
                #expect(running.isEmpty, "nobody else runs them")
                #expect(process == serving)
                running = [process]
            }
            func leave(_ process: Int?) {
                guard let process else { return }
                left.insert(process)
                if serving == process { serving = nil }
                note(feeds.leaves(process))
            }
            func end(_ process: Int) {
                ended.insert(process)
                if serving == process { serving = nil }
                running.remove(process)
                note(feeds.ended(process))
            }
            for newest in 1...8 {
                let before = serving
                serving = newest
                note(feeds.serves(newest))
                leave(before)
                for _ in 0..<Int.random(in: 0...4, using: &generator) {
                    let process = Int.random(in: 1...newest, using: &generator)
                    guard !ended.contains(process) else { continue }
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: leave(process)
                    case 1 where left.contains(process):
                        running.remove(process)
                        note(feeds.isOver(process))
                    case 2: end(process)
                    default: break
                    }
                }
            }
            for process in 1...8 where process != serving && !ended.contains(process) {
                end(process)
            }
            #expect(running == serving.map { [$0] } ?? [])
        }
    }
}
