import Foundation
import TestFixtures

@testable import OCISimulator

extension Fixtures {
    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: url(path))) }

    static func text(_ path: String) throws -> String { String(decoding: try bytes(path), as: UTF8.self) }

    /// As the simulator's own parser reads it.
    static func json(_ path: String) throws -> JSON { try JSONParser.parse(bytes(path)) }
}
