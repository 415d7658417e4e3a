// Stands in for the real server: prints what it would serve, one line per route.
import Foundation
import WebSocketHost

for registration in registrations {
    let failure = registration.failure?.split(separator: "\n").first
    print(registration.route, registration.source, failure ?? "ok", separator: "|")
}
print("arguments: \(CommandLine.arguments.dropFirst().joined(separator: " "))")
if CommandLine.arguments.contains("--exit-7") { exit(7) }
if CommandLine.arguments.contains("--wait") { sleep(60) }
