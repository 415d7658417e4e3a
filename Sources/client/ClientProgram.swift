import CommandLineOptions
import EventLoop
import WebSocketClient

/// The program `client`, from the command line to the exit code.
enum ClientProgram {
    static func run(_ arguments: [String], _ interruption: ClosingSignals) async -> ExitCode {
        let settings: ClientSettings
        let url: String
        do throws(UsageError) {
            settings = try ClientOptions.read(arguments)
            if settings.showsHelp || settings.showsVersion {
                print(settings.showsHelp ? ClientOptions.help : "WebSocketHost \(Product.version)")
                return .success
            }
            url = try settings.address.resolved
        } catch {
            Log(level: .info).announce("\(error)\n\n\(ClientOptions.shortUsage)")
            return .usage
        }
        let code = await talk(to: url, settings, Output(settings, interruption), interruption)
        await interruption.waitForExit()
        return code
    }

    private static func talk(
        to url: String, _ settings: ClientSettings, _ output: Output, _ interruption: ClosingSignals
    ) async -> ExitCode {
        var configuration = settings.configuration
        configuration.connectTimeout = settings.timeout
        let client = WebSocketClient(configuration, log: Log(level: settings.logLevel))
        do throws(ConnectError) {
            let socket = try await client.connect(
                url, subprotocols: settings.subprotocols, origin: settings.origin,
                fields: (try? settings.fields) ?? settings.headerFields)
            interruption.protect(socket, Output(settings))
            output.opened(socket, URLCredentials(url)?.bareURL ?? url)
            if settings.script.isEmpty {
                return await Conversation(socket, output, settings).run()
            }
            return await OneShot(socket, output, settings.script).run(timeout: settings.timeout)
        } catch {
            if case .refused(let head, let body) = error { return output.refused(head, body) }
            return output.failed(escaped("\(error)", limit: 1_000), ExitCode(error))
        }
    }
}
