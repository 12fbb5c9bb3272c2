import NIOCore
import NIOHTTP1
import NIOPosix

/// Takes calls to the process that runs.
struct NetworkCarrier: Sendable {
    enum Outcome: Sendable {
        /// The proxy has answered.
        case answered(OperatorAnswer)
        /// Nobody is there, and why.
        case nobody(String)
    }

    let address: OperatorAddress
    /// `tls_cert` of the configuration.
    let certificate: String?
    /// An administrator's, where one is given.
    let key: Secret?

    private static let connectTimeout = TimeAmount.seconds(5)
    /// For the head of an answer to what is not long.
    private static let patience = Duration.seconds(60)

    /// Sends a call.
    ///
    /// - Throws: `ExitError` when somebody is there who does not answer as the proxy does; `CancellationError`.
    func send(_ call: OperatorCall) async throws -> Outcome {
        let transport = try transport()
        let name = RandomName().hex
        var headers: HTTPHeaders = [
            "accept": "*/*", "user-agent": "ociai-proxy/\(ProxyVersion.current)", "x-request-id": name,
        ]
        if !call.body.isEmpty { headers.add(name: "content-type", value: "application/json") }
        if let key { headers.add(name: "authorization", value: "Bearer \(key.reveal())") }
        let request = TransportRequest(
            method: HTTPMethod(rawValue: call.method.rawValue), url: address.url + call.target, headers: headers,
            body: call.body.isEmpty && call.method == .get ? nil : ByteBuffer(bytes: call.body))
        let response: TransportResponse
        do {
            response = try await exchange(request, by: transport, isLong: call.isLong)
        } catch let error as TransportError {
            switch error {
            // The address stands beside it.
            case .cannotConnect(let reason):
                return .nobody(reason.split(separator: ": ").last.map(String.init) ?? reason)
            case .connectTimeout: return .nobody(error.words)
            default: throw ExitError(.cannotBind, "\(address) does not answer as the proxy does: \(mend(error))")
            }
        }
        // The proxy sends it back, whatever the answer is.
        guard response.headers.value(of: "x-request-id") == name else {
            throw ExitError(
                .cannotBind,
                "\(address) is answered by another program (status \(response.status)\(response.headers.value(of: "server").map { ", \($0.quotable)" } ?? "")): "
                    + "name the address at which the proxy listens by -port, -host or the file's admin_listen, or stop that program"
            )
        }
        return .answered(
            OperatorAnswer(status: response.status) { [body = response.body] in
                // It has one reader: each iterator goes on where the last one was.
                var iterator = body.makeAsyncIterator()
                return try await iterator.next().map { Array($0.readableBytesView) }
            })
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

    private func exchange(_ request: TransportRequest, by transport: NIOTransport, isLong: Bool) async throws
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
        return
            "\(error.words); it must show the certificate of tls_cert = \(certificate ?? ""): reload or restart the proxy if that file or the setting has changed"
    }
}
