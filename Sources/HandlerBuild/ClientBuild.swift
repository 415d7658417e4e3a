/// Makes the client, a program without handlers.
package struct ClientBuild: Sendable {
    private let checkout: Checkout
    private let runner: CommandRunner
    private let output: BuildOutput

    package init(
        checkout: Checkout, environment: [String], cancellation: Cancellation,
        output: BuildOutput
    ) {
        self.checkout = checkout
        runner = CommandRunner(environment: environment, cancellation: cancellation)
        self.output = output
    }

    /// Builds it if its sources changed.
    ///
    /// - Returns: the program's path.
    package func run() throws(BuildError) -> String {
        try FileSystem.makeFolder(checkout.handlersState)
        let toolchain = try Toolchain(runner, log: checkout.handlersState + "/log")
        let identity = checkout.identity(of: toolchain)
        let packages = PackageBuild(
            checkout: checkout, toolchain: toolchain, runner: runner, output: output)
        if packages.clientIsUpToDate(identity) { return packages.clientProgram }
        let lock = try BuildLock(checkout, runner.cancellation, output)
        defer { withExtendedLifetime(lock) {} }
        let program = try packages.client(identity)
        output.clearProgress()
        return program
    }
}
