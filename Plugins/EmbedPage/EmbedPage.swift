import Foundation
import PackagePlugin

/// Puts the files of the operator's page into the program: `Operator/Dashboard` becomes `EmbeddedPage.swift`. A literal of text compiles at once, where
/// SwiftPM's own `.embedInCode`, an array of bytes, takes a minute for as much.
@main struct EmbedPage: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL.appending(path: "Operator/Dashboard")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { !$0.lastPathComponent.hasPrefix(".") }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedPage.swift")
        return [
            .buildCommand(
                displayName: "Embedding the operator's page", executable: try context.tool(named: "embed-files").url,
                arguments: [output.path()] + files.map { $0.path() }, inputFiles: files, outputFiles: [output])
        ]
    }
}
