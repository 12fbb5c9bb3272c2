import Testing

@testable import Proxy

@Suite struct KnownAddressesTests {
    @Test func `An address is the same at every look`() throws {
        let addresses = KnownAddresses()
        for _ in 0..<3 {
            let address = try addresses.address(of: "https://Host:8443/v1?a=b")
            #expect(address == (try RequestAddress("https://Host:8443/v1?a=b")))
            #expect(address.authority == "host:8443")
        }
        #expect(addresses.count == 1)
    }

    @Test func `What is no address is refused each time`() {
        let addresses = KnownAddresses()
        for _ in 0..<2 { #expect(throws: TransportError.self) { try addresses.address(of: "ftp://x") } }
        #expect(addresses.count == 0)
    }

    @Test func `They do not pile up`() throws {
        let addresses = KnownAddresses()
        for number in 0..<KnownAddresses.limit * 3 { _ = try addresses.address(of: "http://x/\(number)") }
        #expect(addresses.count <= KnownAddresses.limit)
        #expect(try addresses.address(of: "http://x/1").target == "/1")
    }
}
