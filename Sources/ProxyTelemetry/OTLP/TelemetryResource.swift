/// Who reports: attributes of the service, and of what wrote the spans down.
package struct TelemetryResource: Hashable, Sendable {
    /// Each key once.
    package var attributes: [SpanAttribute]
    /// `ociai-proxy`, or what the program is called that has the proxy in it.
    package var scopeName: String
    package var scopeVersion: String

    /// - Parameters:
    ///   - identity: what the program says of itself.
    ///   - given: from the environment; wins over it, but for `telemetry.sdk.*`, which say who wrote the spans.
    package init(_ identity: Identity, given: [SpanAttribute] = []) {
        scopeName = identity.name
        scopeVersion = identity.version
        let writer = [
            SpanAttribute("telemetry.sdk.language", .string("swift")),
            SpanAttribute("telemetry.sdk.name", .string(identity.name)),
            SpanAttribute("telemetry.sdk.version", .string(identity.version)),
        ]
        let own = [
            SpanAttribute("service.name", .string(identity.name)),
            SpanAttribute("service.version", .string(identity.version)),
            SpanAttribute("service.instance.id", .string(identity.instance)),
        ]
        attributes = []
        for attribute in writer + given + own where !attributes.contains(where: { $0.key == attribute.key }) {
            attributes.append(attribute)
        }
    }

    /// What a program says of itself.
    package struct Identity: Hashable, Sendable {
        package var name: String
        package var version: String
        /// Another one for each process of the service that runs at the same time.
        package var instance: String

        package init(name: String, version: String, instance: String) {
            self.name = name
            self.version = version
            self.instance = instance
        }
    }
}
