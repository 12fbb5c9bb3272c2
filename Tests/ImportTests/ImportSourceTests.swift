import Testing

@testable import ProxyImport

@Suite struct ImportSourceTests {
    @Test func `Sources go by the names of the command line`() {
        #expect(ImportSource(rawValue: "oci-gateway") == .ociGateway)
    }
}
