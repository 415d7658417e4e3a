// Stands in for the real client: prints its arguments.
import Foundation

print("client: \(CommandLine.arguments.dropFirst().joined(separator: " "))")
if CommandLine.arguments.contains("--exit-5") { exit(5) }
if CommandLine.arguments.contains("--read") { print("read: \(readLine() ?? "nothing")") }
