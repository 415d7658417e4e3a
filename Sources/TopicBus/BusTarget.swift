import EventLoop
import Topics

/// Where a bus delivers: a broker, or a test.
protocol BusTarget: AnyObject, Sendable {
    func join(_ backplane: any Backplane)
    func leave(_ backplane: any Backplane)
    func deliver(_ publication: Publication)
    func missed(_ count: Int, of topics: [String]?)
    func setCount(_ count: Int, of topic: String, at origin: UInt64)
    func removeOrigin(_ origin: UInt64)
    /// How many subscribers each topic has in this process.
    var localCounts: [ExactText: Int] { get }
}

extension TopicBroker: BusTarget {
    var localCounts: [ExactText: Int] {
        var counts: [ExactText: Int] = [:]
        for summary in summaries where summary.localSubscriberCount > 0 {
            counts[ExactText(summary.name)] = summary.localSubscriberCount
        }
        return counts
    }
}
