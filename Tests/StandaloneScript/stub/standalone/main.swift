// Stands in for the real program: prints what it would serve, one line per route.
import Glibc
import WebSocketHost

for registration in registrations {
    let failure = registration.failure?.split(separator: "\n").first
    print(registration.route, registration.source, failure ?? "ok", separator: "|")
}
print("arguments: \(CommandLine.arguments.dropFirst().joined(separator: " "))")
if getenv("STUB_WAITS") != nil { sleep(60) }
exit(getenv("STUB_EXIT").flatMap { Int32(String(cString: $0)) } ?? 0)
