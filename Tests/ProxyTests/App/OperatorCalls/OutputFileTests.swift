import Foundation
import Testing

@testable import Proxy

@Suite struct OutputFileTests {
    private func directory(_ body: (URL) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "output-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try body(directory)
    }

    private func names(in directory: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    }

    @Test func `A file is there when it is whole`() throws {
        try directory { directory in
            let place = directory.appending(path: "out.csv")
            try Data("old".utf8).write(to: place)
            let file = try OutputFile(place.path)
            try file.write(Array("a\n".utf8))
            #expect(try Data(contentsOf: place) == Data("old".utf8))
            try file.write(Array("b\n".utf8))
            try file.finish()
            #expect(try Data(contentsOf: place) == Data("a\nb\n".utf8))
            #expect(try names(in: directory) == ["out.csv"])
        }
    }

    @Test func `Who gives up leaves nothing behind`() throws {
        try directory { directory in
            func giveUp() throws { try OutputFile(directory.appending(path: "out.csv").path).write([1, 2, 3]) }
            try giveUp()
            #expect(try names(in: directory) == [])
        }
    }

    @Test func `A symbolic link stays`() throws {
        try directory { directory in
            let (link, target) = (directory.appending(path: "link"), directory.appending(path: "target"))
            try Data().write(to: target)
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
            let file = try OutputFile(link.path)
            try file.write(Array("x".utf8))
            try file.finish()
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path).hasSuffix("target"))
            #expect(try Data(contentsOf: target) == Data("x".utf8))
        }
    }

    @Test func `A device is written as it is`() throws {
        let file = try OutputFile("/dev/null")
        try file.write([1])
        try file.finish()
        #expect((SystemCall.status(of: "/dev/null")?.st_mode ?? 0) & 0o170000 == 0o020000)
    }

    @Test func `A place where there can be no file is told`() throws {
        try directory { directory in
            for (path, code) in [(directory.path, ExitCode.badUsage), (directory.path + "/none/x", .refused)] {
                let error = #expect(throws: ExitError.self) { _ = try OutputFile(path) }
                #expect(error?.code == code)
                #expect(error?.description.contains(path) == true)
            }
        }
    }
}
