import Logging
import NIOCore
import NIOHTTP1
import ProxyRouting
import ProxyTelemetry
import ServiceLifecycle

/// Sends spans as long as the process lives, and what is left at its end.
struct TelemetryExport: Service {
    /// What is left has so long.
    private static let grace = Duration.seconds(5)

    let exporter: SpanExporter

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown { await exporter.run() }
        await exporter.drain(within: Self.grace)
    }
}

extension SpanExporter.Surroundings {
    /// The process's clock, its log, and its way out.
    init(over transports: TransportCache, _ proxies: ProxyRules, time: TimeSource, logger: Logger) {
        self.init(
            now: { time.now() }, sleep: { try await time.sleep($0) },
            send: { url, headers, body, timeout in
                let transport = try transports.transport(NIOTransport.Options(proxies: proxies))
                let fields = HTTPHeaders(headers.map { ($0.name, $0.value) })
                do {
                    return try await transport.post(body, to: url, headers: fields, within: timeout, on: time) {
                        response in
                        let wait = response.headers.first(name: "retry-after").flatMap {
                            RetryAfter.seconds($0, now: time.wallClock())
                        }
                        return SpanExporter.Reply(
                            status: response.status, retryAfter: wait.map { .seconds($0) },
                            body: try await response.collect(upTo: 64 * 1024))
                    }
                } catch let error as CancellationError {
                    throw error
                } catch {
                    throw ExportTrouble(error)
                }
            },
            tell: { level, text in logger.log(level: level == .warning ? .warning : .info, "\(text)") })
    }
}

/// Why a collector could not be asked, in words without its address and headers.
private struct ExportTrouble: Error, CustomStringConvertible {
    let description: String

    init(_ error: any Error) {
        description =
            switch error {
            case is MovingDeadline.Exceeded: "it did not answer in time"
            default: "it could not be reached"
            }
    }
}

extension Tracing.Upstream {
    init(_ backend: any Backend) {
        let origin = (try? RequestAddress(backend.endpoint))?.origin
        self.init(isOCI: backend.kind == .oci, host: origin?.host, port: origin?.port)
    }
}
