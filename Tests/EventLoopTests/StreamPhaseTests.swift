import LoopTesting
import TestSupport
import Testing

@testable import EventLoop

extension EventLoopTests {
    /// The table above Stream+Closing.swift, row by row.
    @Suite("Phases of a stream")
    struct StreamPhaseTests {
        enum Step: Sendable {
            case write, peerPauses, peerReads, peerEnds, peerResets
            case closeAfterSending, closeAfterThePeer, closeBehindThePeer, close
            case lingerPasses
        }

        static let rows: [Row<[Step], String>] = [
            Row("at first", [], "open"),
            Row("sending", [.peerPauses, .write], "open"),
            Row("the peer's end", [.peerEnds], "peerEnded"),
            Row("nothing to send", [.closeAfterSending], "lingering"),
            Row("all sent", [.write, .closeAfterSending], "lingering"),
            Row("not all sent", [.peerPauses, .write, .closeAfterSending], "draining"),
            Row(
                "… and then it is", [.peerPauses, .write, .closeAfterSending, .peerReads],
                "lingering"),
            Row(
                "the peer ends before", [.peerPauses, .write, .closeAfterSending, .peerEnds],
                "draining, peer ended"),
            Row(
                "… and reads on",
                [.peerPauses, .write, .closeAfterSending, .peerEnds, .peerReads], "closed"),
            Row("the peer had ended, all sent", [.peerEnds, .closeAfterSending], "closed"),
            Row(
                "the peer had ended, not all sent",
                [.peerPauses, .write, .peerEnds, .closeAfterSending], "draining, peer ended"),
            Row("the peer's end is first", [.closeAfterThePeer], "draining"),
            Row("… and comes", [.closeAfterThePeer, .peerEnds], "closed"),
            Row("the peer is done", [.write, .closeBehindThePeer], "closed"),
            Row("… and reads nothing", [.peerPauses, .write, .closeBehindThePeer], "draining"),
            Row("lingering, the peer's end", [.closeAfterSending, .peerEnds], "closed"),
            Row("lingering, a reset", [.closeAfterSending, .peerResets], "closed"),
            Row("lingering for too long", [.closeAfterSending, .lingerPasses], "closed"),
            Row(
                "draining for too long",
                [.peerPauses, .write, .closeAfterSending, .lingerPasses], "closed"),
            Row("closed twice", [.closeAfterSending, .closeAfterThePeer], "lingering"),
            Row("a reset", [.peerResets], "closed"),
            Row("close", [.peerPauses, .write, .close], "closed"),
            Row("nothing follows on closed", [.close, .closeAfterSending, .write], "closed"),
        ]

        @Test(arguments: rows)
        func phase(_ row: Row<[Step], String>) throws {
            let loop = try Loop(manualTime: ManualTime())
            let thread = try loop.start()
            defer {
                loop.stop()
                thread.join()
            }
            let running = RunningLoop(loop: loop)
            let address = try loopback(port: 1)
            let (stream, peer) = try running {
                let peer = MemoryPeer()
                return Unchecked((Stream(peer, peer: address, on: loop), peer))
            }.value
            for step in row.input {
                let isDone = Watched(false)
                try running {
                    Self.take(step, stream, peer)
                    let passed: Duration = step == .lingerPasses ? .seconds(6) : .zero
                    loop.advance(by: passed) { isDone.set() }
                }
                #expect(isDone.wait())
            }
            let name = try running { stream.phase.name }
            #expect(name == row.expected)
        }

        private static func take(_ step: Step, _ stream: Stream, _ peer: MemoryPeer) {
            switch step {
            case .write: stream.write([1, 2, 3])
            case .peerPauses: peer.pauseReading()
            case .peerReads: peer.resumeReading()
            case .peerEnds: peer.end()
            case .peerResets: peer.reset()
            case .closeAfterSending: stream.closeAfterSending(linger: .seconds(5))
            case .closeAfterThePeer:
                stream.closeAfterSending(linger: .seconds(5), peerIsFirst: true)
            case .closeBehindThePeer:
                stream.closeAfterSending(linger: .seconds(5), peerIsDone: true)
            case .close: stream.close()
            case .lingerPasses: break
            }
        }
    }
}

extension Stream.Phase {
    fileprivate var name: String {
        switch self {
        case .open: "open"
        case .peerEnded: "peerEnded"
        case .ending(_, .draining(_, let hasPeerEnded)):
            hasPeerEnded ? "draining, peer ended" : "draining"
        case .ending(_, .lingering): "lingering"
        case .closed: "closed"
        }
    }
}
