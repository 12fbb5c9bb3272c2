/// A PEM file that cannot be trusted, as there is no certificate in it.
struct CertificateProblem: Error {
    let message: String
    let fix: String
}
