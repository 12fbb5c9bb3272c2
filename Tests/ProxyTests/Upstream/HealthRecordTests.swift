import Testing

@testable import Proxy

@Suite struct HealthRecordTests {
    @Test func twoFailuresInARowMakeItUnhealthyAndOneSuccessHealthy() {
        var record = HealthRecord()
        #expect(record.isHealthy && !record.isKnown)
        record.record(.failed)
        #expect(record.isHealthy)
        record.record(.passed)
        record.record(.failed)
        #expect(record.isHealthy)
        record.record(.failed)
        #expect(!record.isHealthy)
        record.record(.passed)
        #expect(record.isHealthy)
    }

    @Test func refusedCredentialsCountAtOnce() {
        var record = HealthRecord()
        record.record(.credentialsRefused)
        #expect(!record.isHealthy)
    }
}
