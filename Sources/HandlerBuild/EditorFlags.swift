/// The command `editor`: SourceKit-LSP reads the compiler's options for all files of a folder from
/// compile_flags.txt.
package enum EditorFlags {
    /// - Parameter build: of the directory, after it was run.
    /// - Returns: what the author reads then.
    package static func write(_ build: Build) throws(BuildError) -> String {
        let directory = build.directory
        let file = directory.absolute("compile_flags.txt")
        let shown = directory.shortened(file)
        let ours = build.checkout.path + "/.build/"
        if FileSystem.exists(file), FileSystem.text(file)?.contains(ours) != true {
            throw BuildError("editor: \(shown) exists and is not ours; nothing was written")
        }
        let flags = ["-module-name", "handlers"] + (try build.handlerFlags())
        try FileSystem.write(flags.map { $0 + "\n" }.joined(), to: file)
        return """
            wrote \(shown): an editor with SourceKit-LSP completes in the files beside it.
            It names folders of this machine: keep it out of version control.
            """
    }
}
