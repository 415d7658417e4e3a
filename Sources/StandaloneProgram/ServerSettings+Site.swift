import EventLoop
import HandlerBuild
import WebSocketHost

/// A file or value that an option names cannot be used. The description is one line for the user.
struct SetUpError: Error, CustomStringConvertible {
    let description: String
}

extension ServerSettings {
    /// Opens the document root and reads the passwords.
    mutating func setUpSite(_ log: Log) throws(SetUpError) {
        if let documentRoot {
            do throws(SystemError) {
                configuration.documentRoot = try DocumentRoot(
                    path: documentRoot, handlersDirectory: handlers.directory ?? "handlers",
                    scriptPaths: scriptPaths)
            } catch {
                throw SetUpError(
                    description: "-d, --document-root: '\(escaped(documentRoot))': \(error)")
            }
        }
        guard asksForPassword else { return }
        do throws(PasswordFileError) {
            if let passwordFile {
                configuration.basicAuthentication = try BasicAuthentication(file: passwordFile)
            } else {
                configuration.basicAuthentication = try BasicAuthentication(
                    credential: credential ?? Self.defaultCredential)
            }
        } catch {
            let option = passwordFile == nil ? "--basic-auth-credential" : "--basic-auth-file"
            throw SetUpError(description: "\(option): \(error)")
        }
        if credential == nil && passwordFile == nil {
            log(
                .warning,
                "--basic-auth accepts \(Self.defaultCredential), which is public knowledge: give "
                    + "--basic-auth-credential or --basic-auth-file")
        }
    }

    /// Lines for the start-up message about files, scripts and passwords.
    var siteLines: [String] {
        var lines: [String] = []
        if let documentRoot {
            lines.append("  files from \(escaped(documentRoot)) (-d)")
            if !scriptPaths.isEmpty {
                lines.append(
                    "  scripts from its \(escaped(scriptPaths.joined(separator: ", "))) (-x)")
            }
        }
        if asksForPassword {
            let whom = passwordFile.map { "the users in \(escaped($0))" } ?? "one user"
            lines.append("  only for \(whom) (--basic-auth)")
        }
        return lines
    }
}
