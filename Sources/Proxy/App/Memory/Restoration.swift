import Logging
import ProxyAccounting
import ProxyRouting

/// Takes over what the process before has written down: before the first request, in two steps. What cannot be read is said, and begins anew.
struct Restoration: Sendable {
    let ledger: any Ledger
    let state: ProcessState
    private var logger: Logger { state.logger }

    /// Keys, what they have used, and what clients have had kept: all that does not need to know who serves.
    ///
    /// - Returns: the installation's secret; nil when there is none to be had.
    func beforeUpstreams(_ settings: Settings) async -> [UInt8]? {
        await restoreKeys(settings)
        do {
            let (secret, isNew) = try await ledger.secret()
            state.seals.take(secret)
            await restoreResponses(settings, secret, isNew: isNew)
            return secret
        } catch {
            logger.error("\(error)")
            return nil
        }
    }

    private func restoreKeys(_ settings: Settings) async {
        do {
            let keys = try await ledger.keys()
            // Which of two instances' states of a key is the later one, other instances want to know.
            let changes = state.sharing == nil ? [] : try await ledger.keyChanges(of: nil, limit: Self.mostChanges)
            let changed = Dictionary(changes.map { ($0.key, $0.at) }, uniquingKeysWith: max)
            for key in keys {
                state.managedKeys.put(key, changedAt: (changed[key.name] ?? key.created) * 1_000 + 999)
            }
        } catch {
            logger.error("Managed keys do not work, because the ledger cannot be read: \(error)")
        }
        let soft = Dictionary(
            settings.clientKeys.map { ($0.name, $0.limits.softBudgets) }
                + state.managedKeys.all.map { ($0.name, $0.limits.softBudgets) },
            uniquingKeysWith: { first, _ in first })
        let now = state.time.wallClock()
        do {
            state.accounts.restore(try await ledger.counters(at: now), soft: { soft[$0] ?? [] }, at: now)
        } catch {
            logger.error("Budgets begin anew, because the ledger cannot be read: \(error)")
        }
    }

    private static let mostChanges = 100_000

    private func restoreResponses(_ settings: Settings, _ secret: [UInt8], isNew: Bool) async {
        let sealed = SealedDocuments(ledger, secret: secret, time: state.time)
        let archive = sealed.archive
        state.responses.configure(ResponseStore.Limits(settings.responses))
        do {
            let (documents, lost) = try await sealed.all()
            if lost > 0 {
                logger.warning(
                    "\(lost) stored responses were dropped: ociai-proxy.secret in the state directory is not that with which they were sealed"
                )
            }
            state.responses.restore(documents, and: archive)
            state.makers.restore(documents, and: archive)
        } catch {
            logger.error(
                "Responses that were stored before the start are not found, because the ledger cannot be read: \(error)"
            )
            state.responses.restore([], and: archive)
            state.makers.restore([], and: archive)
        }
    }

    /// Limits, cooldowns, refused models and parameters.
    func ofUpstreams(_ generation: Generation, _ secret: [UInt8]) async {
        let now = state.time.now()
        let memory: LearntMemory
        do {
            guard let document = try await ledger.memory(LearntMemory.name) else { return }
            guard let read = LearntMemory(document: document, at: state.time.wallClock()) else {
                logger.warning("What the process before has learnt of upstreams is not understood, and is learnt anew")
                return
            }
            memory = read
        } catch {
            logger.error(
                "What the process before has learnt of upstreams is learnt anew, because the ledger cannot be read: \(error)"
            )
            return
        }
        var found = 0
        for upstream in memory.upstreams {
            // With other credentials, or at another place, it is another.
            guard
                let member = generation.members.first(where: {
                    $0.upstream.id == upstream.id && $0.identity.mark(by: secret) == upstream.mark
                })
            else { continue }
            found += 1
            await state.router.restore(upstream.memory, of: member.upstream)
            for model in upstream.refusedModels {
                generation.directory.restoreRefusal(of: model, at: UpstreamSet([member.upstream.index]))
            }
        }
        state.quirks.restore(memory.quirks, at: now)
        if found > 0 || !memory.quirks.isEmpty {
            logger.info(
                "Going on with what was learnt before the start",
                metadata: ["upstreams": "\(found)", "models": "\(memory.quirks.count)"])
        }
        if !memory.prices.isEmpty, memory.prices != BuiltInPrices.version {
            logger.notice(
                "The built-in prices are of \(BuiltInPrices.version) now, and were of \(memory.prices): costs that are in the ledger stay as they are (ociai-proxy ledger reprice)"
            )
        }
    }
}
