/// Carries publications to other processes, or to other machines, and back.
package protocol Backplane: AnyObject, Sendable {
    /// For each publication of this process, in order. Under the broker's lock, on any thread: it
    /// must not wait, and not call the broker.
    func published(_ publication: Publication)
    /// How many subscribers a topic has in this process now. As ``published(_:)``.
    func localCountChanged(of topic: String, to count: Int)
}
