import HandlerBuild

/// The output of the compiler with the handlers directory at `/site/handlers`, where the modules
/// were copied to `/build`.
func output(_ text: String) -> CompilerOutput { output(Array(text.utf8)) }

func output(_ bytes: [UInt8]) -> CompilerOutput {
    CompilerOutput(
        bytes, root: "/site/handlers",
        copies: [
            .init(
                copy: "/build/a/handler.swift", original: "/site/handlers/a_wsh.swift",
                lineOffset: 1),
            .init(
                copy: "/build/Shared/,util,text.swift", original: "/site/handlers/util/text.swift"),
        ])
}

/// The messages about `/site/handlers/a_wsh.swift`, as an author sees them.
func messages(
    _ compiler: String, source: String = "", isCompiled: Bool = false
) -> String {
    CompilerMessages.ofHandler(
        "a_wsh.swift", source: Array(source.utf8), export: "/build/a/export.swift",
        output(compiler), isCompiled: isCompiled
    ).text(under: "handlers")
}
