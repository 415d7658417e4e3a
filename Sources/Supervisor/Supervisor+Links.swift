import EventLoop
import Logging
import Processes

// What server processes share. Topics go over sockets, a pair for each two of them: the supervisor
// makes those, and takes no part in what goes over them (TopicBus). Of shared memory each has a
// place.

/// A pair of sockets, until both processes have theirs.
final class TopicLink {
    /// The process that runs already.
    let peer: Generation
    let ends: StreamPair

    init(_ peer: Generation) throws(SystemError) {
        self.peer = peer
        ends = try StreamPair()
    }
}

extension Supervisor {
    /// The lowest that no living process has; `nil`: there is none.
    var freePlace: Int? {
        let taken = Set(generations.map(\.role.place))
        return (0..<ProcessRole.placeLimit).first { !taken.contains($0) }
    }

    /// One for each process that a new one shares topics with: all that can still publish, but for
    /// those that trapped. Beyond ``ProcessRole/linkLimit`` the oldest are left out.
    func makeLinks() -> [TopicLink] {
        let peers = generations.filter { $0.phase != .ended && $0.trap == nil }
        var links: [TopicLink] = []
        for peer in peers.suffix(ProcessRole.linkLimit) {
            do throws(SystemError) {
                links.append(try TopicLink(peer))
            } catch {
                log(.error, "no topics are shared with the server process \(peer.pid): \(error)")
            }
        }
        return links
    }

    /// Gives the processes that run already their ends; the new one has its own. Who takes no
    /// orders, because it is stopped, gets none: the pair ends with this process's copies.
    func handOver(_ links: [TopicLink]) {
        for link in links { link.peer.send(.link, descriptor: link.ends.other.number) }
    }
}
