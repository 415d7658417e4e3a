import CommandLineOptions
import WebSocketHost

extension ServerOptions {
    static let topics: [ServerOption] = [
        ServerOption(
            name: "slow-subscribers", value: "POLICY",
            help: "what happens to a client for whom too much that is published waits, unless its "
                + "handler says otherwise: close (default) with 1013, skip-newest, skip-oldest, "
                + "latest (of each key)"
        ) { settings, text, option throws(UsageError) in
            settings.configuration.topics.slowSubscribers = try Values.slowSubscriberPolicy(
                text, option)
        }.byDefault(defaults.topics.slowSubscribers.rawValue)
            .offering(SlowSubscriberPolicy.allCases.map(\.rawValue)),
        byteLimit(
            "max-topic-queue-size", \.topics.queueByteLimit, 1,
            "most bytes that may wait for one client before that happens"),
        wait(
            "topic-queue-timeout", \.topics.queueTimeout,
            "how long a message may wait for one client before that happens"),
        count(
            "max-subscriptions", \.topics.subscriptionLimit, 1...1_000_000,
            "topics of one connection; subscribing to more throws"),
        byteLimit(
            "max-topic-name-size", \.topics.nameByteLimit, 1, "longest name of a topic"),
    ]
}

extension Values {
    static func slowSubscriberPolicy(
        _ text: String, _ option: String
    ) throws(UsageError) -> SlowSubscriberPolicy {
        guard let policy = SlowSubscriberPolicy(rawValue: text.lowercased()) else {
            throw notOneOf(SlowSubscriberPolicy.allCases.map(\.rawValue), text, option)
        }
        return policy
    }
}
