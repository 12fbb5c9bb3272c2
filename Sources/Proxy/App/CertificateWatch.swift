import Logging
import ServiceLifecycle

/// Looks at the files of the listener's certificate now and then, so that a renewed one is shown without a reload.
struct CertificateWatch: Service {
    /// Two looks at two files' times are nothing, and who tries a renewal does not want to wait for a minute.
    static let interval = Duration.seconds(2)

    let certificate: ListenerCertificate
    let time: TimeSource
    let logger: Logger

    /// Runs until the service group stops it, or its task is cancelled.
    func run() async {
        await cancelWhenGracefulShutdown {
            var complaint: String?
            while (try? await time.sleep(for: Self.interval)) != nil {
                let before = complaint
                // While a look hangs with its file system, no other is taken.
                guard
                    let after = try? await FileWork.certificate.run(
                        within: .seconds(10), on: time, { look(after: before) })
                else { continue }
                complaint = after
            }
        }
    }

    /// Reads the files again when they have changed. A pair that cannot be used changes nothing: the two are often written one after the
    /// other, and the next look will find both.
    ///
    /// - Parameter complaint: what was wrong the last time, which is not logged twice.
    /// - Returns: what is wrong now.
    func look(after complaint: String?) -> String? {
        guard let present = certificate.current, present.isOutdated else { return nil }
        do {
            let pair = try CertificatePair(present.files)
            // A reload may have brought another in the meantime.
            guard certificate.show(pair, insteadOf: present) else { return nil }
            logger.notice(
                "Certificate reloaded",
                metadata: ["file": "\(pair.files.certificate)", "expires": "\(RFC3339.format(pair.expiry))"])
            return nil
        } catch {
            if error.message != complaint {
                logger.error(
                    "The changed certificate was not loaded, the old one stays in use: \(error.message); \(error.fix)")
            }
            return error.message
        }
    }
}

extension CertificatePair.Files {
    /// Nil when the configuration wants no TLS.
    init?(_ settings: ServerSettings) {
        guard let certificate = settings.tlsCertificate, let key = settings.tlsKey else { return nil }
        self.init(certificate: certificate, key: key)
    }
}
