import Testing

@testable import Proxy

@Suite struct DescriptorLimitTests {
    @Test(arguments: [
        // wanted, upstream, descriptors, clients
        (10_000, 200, 1_048_576, 10_000), (10_000, 200, 20_000, 10_000), (10_000, 200, 1024, 560),
        (100, 200, 1024, 100),
        // More requests upstream than there are descriptors: a quarter is the clients' all the same.
        (10_000, 100_000, 1024, 256), (10_000, 200, 256, 64), (1, 1, 1, 1),
    ])
    func `Clients never get all of them`(wanted: Int, upstream: Int, descriptors: Int, clients: Int) {
        #expect(DescriptorLimit.clients(wanted: wanted, upstream: upstream, of: descriptors) == clients)
    }

    @Test func `A library takes the limit as it is`() {
        let first = ProcessMeans.embedded.descriptors
        #expect(first > 0 && DescriptorLimit.current == first)
    }
}
