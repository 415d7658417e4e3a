import EventLoop
import Processes
import Testing

@Suite("Signals to end")
struct StopSignalsTests {
    @Test("what comes within half a second is one wish")
    func repeated() {
        let start = MonotonicTime.current()
        var signals = StopSignals()
        let meanings = [0, 0, 100, 499, 500, 501, 10_000].map {
            signals.meaning(ofSignalAt: start + .milliseconds($0))
        }
        #expect(
            meanings == [.first, .repeated, .repeated, .repeated, .again, .again, .again])
    }
}
