import WebSocketHost

/// Subscribes to the topic of the query. "counters" is answered with the sums; anything else is
/// published, and its counts are answered.
public let handler = WebSocketHandler { socket in
    let query = socket.request.query
    let topic = query["topic"] ?? "all"
    if query["silent"] == nil {
        try await socket.subscribe(
            to: topic, slow: query["slow"].flatMap { SlowSubscriberPolicy(rawValue: $0) })
    }
    for try await message in socket {
        if message == .text("counters") {
            let sums = socket.topics.counters
            try await socket.send("\(sums.delivered) \(sums.skipped) \(sums.closed)")
        } else {
            let counts = socket.publish(message, to: topic)
            try await socket.send("\(counts.receivers) \(counts.skipped) \(counts.closed)")
        }
    }
}
