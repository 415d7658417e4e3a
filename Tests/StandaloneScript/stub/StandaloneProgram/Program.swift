// Stands in for the real server: prints what it would serve, one line per route.
import Foundation
import WebSocketHost

package enum Program {
    package static func run(_ arguments: [String], _ registrations: [Registration]) -> Int32 {
        for registration in registrations {
            let failure = registration.failure?.split(separator: "\n").first
            print(registration.route, registration.source, failure ?? "ok", separator: "|")
        }
        print("arguments: \(arguments.joined(separator: " "))")
        if arguments.contains("--exit-7") { return 7 }
        if arguments.contains("--wait") { sleep(60) }
        return 0
    }
}
