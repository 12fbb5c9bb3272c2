import NIOCore
import NIOHTTP1
import NIOPosix

/// Takes calls to the process that runs.
struct NetworkCarrier: Sendable {
    enum Outcome: Sendable {
        /// The proxy has answered.
        case answered(OperatorAnswer)
        /// Nobody is there, or no proxy, which is told as a clause: with the address.
        case nobody(String)
    }

    let address: OperatorAddress
    /// `tls_cert` of the configuration.
    let certificate: String?
    /// An administrator's, where one is given.
    let key: Secret?
    /// The configuration that the process must have; nil for whatever it has.
    let configuration: ConfigurationIdentity?
    /// Who may have the key.
    let receiver: KeyReceiver

    private static let connectTimeout = TimeAmount.seconds(5)
    /// For the head of an answer to what is not long.
    private static let patience = Duration.seconds(60)

    /// Sends a call.
    ///
    /// - Throws: `ExitError` when the proxy may not have the key, or has another configuration; `CancellationError`.
    func send(_ call: OperatorCall) async throws -> Outcome {
        let transport = try transport()
        // Nothing is changed, and no key is sent, before it is known that a proxy is there.
        let isLookedAt = key != nil || call.method != .get
        if isLookedAt, let reason = try await silence(by: transport) { return .nobody(reason) }
        if key != nil, let objection = receiver.objection(to: address) {
            throw ExitError(
                .cannotBind,
                "The key was not sent to \(address): \(objection). Run the command as the proxy's user or root, or use an address with TLS or a Unix socket (admin_listen)"
            )
        }
        let request = request(
            HTTPMethod(rawValue: call.method.rawValue), call.target, call.body, key,
            for: configuration?.value ?? ConfigurationIdentity.any)
        switch try await exchange(request, by: transport, isLong: call.isLong) {
        case .response(let response): return .answered(answer(response))
        case .silence(let reason) where isLookedAt:
            let doubt = call.method == .get ? "" : "; look whether it has been done, before you do it again"
            throw ExitError(.cannotBind, reason + doubt)
        case .silence(let reason): return .nobody(reason)
        }
    }

    /// Why no proxy is there; nil when one is.
    private func silence(by transport: NIOTransport) async throws -> String? {
        switch try await exchange(request(.GET, "/", [], nil, for: nil), by: transport, isLong: false) {
        case .silence(let reason): return reason
        case .response(let response):
            let root = (try? await response.collect(upTo: 1 << 20)).flatMap { try? JSONDocument(parsing: $0).root }
            // Clients' address does not tell, where the operator has another one.
            if root?["name"]?.string == "ociai-proxy" || root?["error"]?["code"]?.string == "unknown_path" {
                return nil
            }
            return another(response)
        }
    }

    private func another(_ response: TransportResponse) -> String {
        let server = response.headers.value(of: "server").map { ", \(TextTable.printable($0.quotable))" } ?? ""
        return "\(address) is answered by another program (status \(response.status)\(server))"
    }

    private func request(
        _ method: HTTPMethod, _ target: String, _ body: [UInt8], _ key: Secret?, for configuration: String?
    ) -> TransportRequest {
        var headers: HTTPHeaders = ["accept": "*/*", "user-agent": "ociai-proxy/\(ProxyVersion.current)"]
        headers.add(name: "x-request-id", value: RandomName().hex)
        if let configuration { headers.add(name: ConfigurationIdentity.field, value: configuration) }
        if !body.isEmpty { headers.add(name: "content-type", value: "application/json") }
        if let key { headers.add(name: "authorization", value: "Bearer \(key.reveal())") }
        return TransportRequest(
            method: method, url: address.url + target, headers: headers,
            body: body.isEmpty && method == .GET ? nil : ByteBuffer(bytes: body))
    }

    private func answer(_ response: TransportResponse) -> OperatorAnswer {
        let process = response.headers.value(of: "x-ociai-process").flatMap { Int($0) }
        let its = response.headers.value(of: "x-ociai-configuration").flatMap { ConfigurationIdentity(field: $0) }
        var origin = "the proxy at \(address)"
        if let process { origin += " (process \(process)" + (its.map { ", \($0.path.quotable)" } ?? "") + ")" }
        return OperatorAnswer(status: response.status, origin: TextTable.printable(origin)) { [body = response.body] in
            // It has one reader: each iterator goes on where the last one was.
            var iterator = body.makeAsyncIterator()
            return try await iterator.next().map { Array($0.readableBytesView) }
        }
    }

    private func transport() throws(ExitError) -> NIOTransport {
        var options = NIOTransport.Options()
        options.connectTimeout = Self.connectTimeout
        options.idleTimeout = .zero
        if case .unix(let path) = address { options.unixSocket = path }
        do {
            if case .host(_, _, isTLS: true) = address, let certificate {
                options.certificate = AuthorityFile(
                    path: certificate, content: try ConfigurationFile.read(certificate, name: certificate))
            }
            return try NIOTransport(group: MultiThreadedEventLoopGroup.singleton, options: options)
        } catch {
            throw ExitError(
                .badConfiguration, "tls_cert = \(certificate ?? "") cannot be used to recognize the proxy: \(error)")
        }
    }

    private enum Reply {
        case response(TransportResponse)
        /// As of `Outcome.nobody`.
        case silence(String)
    }

    private func exchange(_ request: TransportRequest, by transport: NIOTransport, isLong: Bool) async throws -> Reply {
        let response: TransportResponse
        do {
            response = try await patiently(request, by: transport, isLong: isLong)
        } catch let error as TransportError {
            switch error {
            // The address stands beside it.
            case .cannotConnect(let reason):
                return .silence(
                    "nobody answers at \(address) (\(reason.split(separator: ": ").last.map(String.init) ?? reason))")
            case .connectTimeout: return .silence("nobody answers at \(address) (\(error.words))")
            default: return .silence("\(address) does not answer as the proxy does: \(mend(error))")
            }
        }
        // The proxy sends it back, whatever the answer is.
        guard let name = request.headers.value(of: "x-request-id"), response.headers.value(of: "x-request-id") == name
        else { return .silence(another(response)) }
        return .response(response)
    }

    private func patiently(_ request: TransportRequest, by transport: NIOTransport, isLong: Bool) async throws
        -> TransportResponse
    {
        guard !isLong else { return try await transport.send(request) }
        return try await withThrowingTaskGroup(of: TransportResponse.self) { tasks in
            tasks.addTask { try await transport.send(request) }
            tasks.addTask {
                try await Task.sleep(for: Self.patience)
                throw TransportError.connectionLost("no answer within \(Self.patience.components.seconds) s")
            }
            defer { tasks.cancelAll() }
            guard let first = try await tasks.next() else { throw CancellationError() }
            return first
        }
    }

    private func mend(_ error: TransportError) -> String {
        guard case .tls = error else { return "\(error.words); look into its log, or restart it" }
        guard let certificate else { return "\(error.words); no authority of this machine vouches for its certificate" }
        return
            "\(error.words); it must show the certificate of tls_cert = \(certificate): reload or restart the proxy if that file or the setting has changed"
    }
}
