import HTTPProtocol
import HTTPServer
import Topics

/// The topics that have subscribers, as JSON: for the page at `/`, and for whoever runs the server.
enum TopicList {
    /// No handler file can have it: names that begin with a dot are not looked at.
    static let path = "/.websockethost/topics"

    /// Topics in a list; of more, any so many are listed, and `isCut` is true.
    static let limit = 1_000

    static func response(_ topics: TopicBroker) -> Response {
        let (some, isCut) = topics.summaries(limit: limit)
        let listed = some.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let entries = listed.map { topic in
            "{\"name\":\(quotedAsJSON(topic.name)),\"subscribers\":\(topic.subscriberCount),"
                + "\"localSubscribers\":\(topic.localSubscriberCount),"
                + "\"published\":\(topic.publishedCount)}"
        }
        let text =
            "{\"topics\":[\(entries.joined(separator: ","))],"
            + "\"isCut\":\(isCut)}\n"
        var response = Response(.ok, type: "application/json", body: Array(text.utf8))
        response.isLogged = false
        return response
    }
}
