import HandlerBuild

/// What the options of a start say, before there is a program that could follow them.
package enum Preparation {
    /// - Parameter isCheck: whether the program only says what is wrong.
    case build(HandlerChoice, isCheck: Bool)
    /// Help was printed, or what is wrong with the options.
    case ended(exitCode: Int32)

    package init(_ arguments: [String]) {
        switch Program.read(arguments, help: ServerOptions.help) {
        case .ended(let code): self = .ended(exitCode: code)
        case .serve(let invocation):
            self = .build(invocation.settings.handlers, isCheck: invocation.settings.checks)
        }
    }
}
