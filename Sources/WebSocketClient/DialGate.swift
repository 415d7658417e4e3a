import Synchronization

/// RFC 6455 §4.1: "There MUST be no more than one connection in a CONNECTING state" to an address;
/// "the client MUST serialize them so that there is no more than one connection at a time".
///
/// For the dials of one client, on whichever loops they are.
final class DialGate: Sendable {
    /// By address, without the port. An address that is here has a dial under way; others wait
    /// in their order.
    private let waiting = Mutex<[String: [Dial]]>([:])

    /// - Returns: whether the dial may begin now; if not, ``Dial/takeTurn()`` is called later.
    func enter(_ dial: Dial, _ host: String) -> Bool {
        waiting.withLock { waiting in
            if waiting[host] == nil {
                waiting[host] = []
                return true
            }
            waiting[host]?.append(dial)
            return false
        }
    }

    /// The dial that had the turn for this address, or waited for it, is done with it.
    func leave(_ dial: Dial, _ host: String) {
        let next = waiting.withLock { waiting -> Dial? in
            if let index = waiting[host]?.firstIndex(where: { $0 === dial }) {
                waiting[host]?.remove(at: index)
                return nil
            }
            guard var others = waiting[host], !others.isEmpty else {
                waiting[host] = nil
                return nil
            }
            let next = others.removeFirst()
            waiting[host] = others
            return next
        }
        next?.takeTurn()
    }
}
