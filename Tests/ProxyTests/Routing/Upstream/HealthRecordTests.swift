import Testing

@testable import Proxy
@testable import ProxyRouting

@Suite struct HealthRecordTests {
    @Test func `Two failures in a row make it unhealthy and one success healthy`() {
        var record = HealthRecord()
        #expect(record.isHealthy && record.lastCheck == nil)
        record.record(.failed, at: .seconds(1), latency: .milliseconds(1))
        #expect(record.isHealthy)
        record.record(.passed, at: .seconds(2), latency: .milliseconds(2))
        record.record(.failed, at: .seconds(3), latency: .milliseconds(3))
        #expect(record.isHealthy)
        record.record(.failed, at: .seconds(4), latency: .milliseconds(4))
        #expect(!record.isHealthy)
        record.record(.passed, at: .seconds(5), latency: .milliseconds(5))
        #expect(record.isHealthy)
    }

    @Test func `Refused credentials count at once`() {
        var record = HealthRecord()
        record.record(.credentialsRefused, at: .seconds(6), latency: .milliseconds(6))
        #expect(!record.isHealthy)
    }
}
