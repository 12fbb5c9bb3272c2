import ProxyCluster

/// What is said first on each connection: who this is, what the engine is, which database, and a name for people.
struct SignIn: Sendable {
    let login: RedisEngine.Login

    /// - Parameter limit: for all of it.
    /// - Throws: `EngineFailure`.
    func run(on connection: some EngineConnection, within limit: Duration) async throws {
        let end = ContinuousClock.now + limit
        if let password = login.password {
            let words = login.user.isEmpty ? ["AUTH", password] : ["AUTH", login.user, password]
            let answer = try await connection.ask(words.map { Array($0.utf8) }, within: end - .now)
            if let failure = Self.failure(ofAuthentication: answer) { throw failure }
        }
        let information = try await connection.ask(RESPCommand("INFO", "server").parts, within: end - .now)
        if case .error = information { throw EngineFailure(refusal: information) }
        guard let version = EngineVersion(information) else { throw EngineFailure.malformed }
        guard version.isSupported else { throw EngineFailure.version(version.description) }
        guard version.mode != .sentinel else {
            throw EngineFailure.version("a sentinel, which only knows where an engine is")
        }
        if login.database != 0 {
            guard version.mode == .alone else {
                throw EngineFailure.unable("it is a cluster, which has database 0 alone, and not \(login.database)")
            }
            let answer = try await connection.ask(
                RESPCommand("SELECT", "\(login.database)").parts, within: end - .now)
            if case .error = answer { throw EngineFailure(refusal: answer) }
        }
        // For people who look at CLIENT LIST; some engines' users may not.
        _ = try await connection.ask(RESPCommand("CLIENT", "SETNAME", login.name).parts, within: end - .now)
    }

    /// What a refusal of `AUTH` means. An engine that does not know this command says what it was given: its words are not shown.
    private static func failure(ofAuthentication answer: RESP) -> EngineFailure? {
        guard case .error(let bytes) = answer else { return nil }
        let text = String(decoding: bytes.prefix(200), as: UTF8.self)
        switch answer.errorCode {
        case "WRONGPASS": return .refused("it knows no such user with this password, or the user is off (WRONGPASS)")
        case "NOPERM", "DENIED", "LOADING", "BUSY", "MASTERDOWN": return EngineFailure(refusal: answer)
        default: break
        }
        if text.hasPrefix("ERR max number of clients") { return EngineFailure(refusal: answer) }
        if text.hasPrefix("ERR invalid password") { return .refused("the password is wrong") }
        // Of Redis 6 and later, and of those before.
        if text.contains("without any password configured") || text.contains("no password is set") {
            return .refused("it has no password, and was given one")
        }
        if text.hasPrefix("ERR wrong number of arguments") { return .version("an engine that knows no users") }
        return .refused("it does not accept AUTH")
    }
}
