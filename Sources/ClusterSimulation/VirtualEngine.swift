package import ProxyCluster

/// The engine and its script, as a value: what `ExchangeScript` does, step by step and to the same numbers. A test runs both side by side.
package struct VirtualEngine: Sendable {
    struct PermitRow: Equatable, Sendable {
        var counted: Int
        var want: Int
        var inFlight: Int
        var share: Int
        /// Since when it has had one.
        var since: Int64
    }

    struct MeterRow: Equatable, Sendable {
        var counted: Int64
        var isActive: Bool
        var spent: Int64
        var rate: Int64
    }

    struct Rows: Equatable, Sendable {
        var permits: [String: PermitRow] = [:]
        var meters: [String: MeterRow] = [:]
    }

    /// The sums over all rows of an object.
    struct Object: Equatable, Sendable {
        var counted = 0
        var want = 0
        var wanting = 0
        var inFlight = 0
        var sharers = 0
        var limit = 0
        var limitedAt: Int64?
        /// Until then nobody is given more than is surely theirs.
        var shortUntil: Int64 = 0
        /// Who waits for a turn, when there is less than one for each.
        var queue: [String] = []

        mutating func subtract(_ row: PermitRow) {
            counted -= row.counted
            want -= row.want
            inFlight -= row.inFlight
            sharers -= 1
            if row.want > 0 { wanting -= 1 }
        }

        mutating func dequeue(_ instance: String) { queue.removeAll { $0 == instance } }
    }

    struct Counter: Equatable, Sendable {
        var users = 0
        /// Of a rate: what is left, in 60,000ths.
        var left: Int64 = 0
        var at: Int64 = 0
        /// Of a budget.
        var used: Int64 = 0
        var isRate: Bool
        var ends: Int64 = 0
        /// When these leases began, and what was known of it then: the most of all instances.
        var epoch: Int64?
        var base: Int64 = 0
        /// Of a rate: drawn and not spent, of all rows.
        var drawn: Int64 = 0

        mutating func begin(_ epoch: Int64) {
            guard self.epoch != epoch else { return }
            (self.epoch, base, drawn) = (epoch, isRate ? left : used, 0)
        }

        mutating func recall(_ known: Int64, _ most: (Int64, Int64) -> Int64) -> Int64 {
            let before = base
            base = most(base, known)
            return base - before
        }
    }

    struct Member: Equatable, Sendable {
        var until: Int64
        var number: Int64
    }

    /// What is lost together.
    struct Leases: Equatable, Sendable {
        var run: String
        var born: Int64
        var last: Int64
        var members: [String: Member] = [:]
        var objects: [String: Object] = [:]
        var rows: [String: Rows] = [:]
    }

    struct Topic: Equatable, Sendable {
        var rank: String
        var origin: String
        var body: [UInt8]
        var sequence: Int64
        var ends: Int64?
    }

    struct Board: Equatable, Sendable {
        var begun: Int64
        var sequence: Int64 = 0
        var topics: [String: Topic] = [:]
    }

    /// Of the server.
    package var run: String
    private(set) var leases: Leases?
    private(set) var counters: [String: Counter] = [:]
    private(set) var board: Board?

    package init(run: String) { self.run = run }

    /// `FLUSHALL`.
    package mutating func empty() {
        leases = nil
        counters = [:]
        board = nil
    }

    /// Instances that have a row of an object.
    package func sharers(of name: String) -> Int { leases?.objects[name]?.sharers ?? 0 }

    /// Counted for all instances together.
    package func counted(of name: String) -> Int { leases?.objects[name]?.counted ?? 0 }

    /// - Parameter clock: milliseconds since 1970 by the server's clock.
    /// - Returns: nil for an exchange that was overtaken.
    package mutating func exchange(_ request: ExchangeRequest, at clock: Int64) -> ExchangeReply? {
        let (instance, lease) = (request.instance, request.lease)
        var now = clock
        var leases: Leases
        if let known = self.leases, known.run == run, 2 * (now - known.last) <= lease, 2 * (known.last - now) <= lease {
            leases = known
        } else {
            leases = Leases(run: run, born: now, last: now)
        }
        now = max(now, leases.last)
        leases.last = now
        let left = max(0, leases.born + lease - now)
        let isLearning = left > 0
        if let member = leases.members[instance], request.number <= member.number { return nil }

        counters = counters.filter { $0.value.ends > clock }
        for (id, member) in leases.members where member.until <= now { drop(id, from: &leases, unheard: 2) }
        if request.isLeaving {
            drop(instance, from: &leases, unheard: 0)
        } else {
            leases.members[instance] = Member(until: now + lease, number: request.number)
        }

        var rows = leases.rows[instance] ?? Rows()
        var fresh = Rows()
        var shares: [ExchangeReply.Share] = []
        for permit in request.permits {
            let row = rows.permits.removeValue(forKey: permit.name)
            var object = leases.objects[permit.name] ?? Object()
            if let row { object.subtract(row) }
            let (share, kept) = object.share(
                permit, row, of: instance, isLearning: isLearning, isLeased: request.isLeased, lease: lease, at: now)
            shares.append(share)
            fresh.permits[permit.name] = kept
            leases.objects[permit.name] = object
        }
        for (name, row) in rows.permits {
            leases.objects[name]?.subtract(row)
            leases.objects[name]?.dequeue(instance)
        }
        leases.objects = leases.objects.filter { $0.value.sharers > 0 }

        var blocks: [ExchangeReply.Block] = []
        for meter in request.meters {
            let row = rows.meters.removeValue(forKey: meter.name)
            let (block, kept) = draw(
                meter, row, isLearning: isLearning, members: leases.members.count, born: leases.born, clock: clock,
                at: now)
            blocks.append(block)
            fresh.meters[meter.name] = kept
        }
        for (name, row) in rows.meters { release(name, row, unheard: 0) }
        leases.rows[instance] = request.isLeaving ? nil : fresh
        self.leases = leases

        let (news, since, hasMore) = post(request, at: now)
        return ExchangeReply(
            now: now, began: leases.born, learningFor: left, members: leases.members.count, board: board?.begun ?? 0,
            since: since, hasMoreNews: hasMore, shares: shares, blocks: blocks, news: news)
    }

    private mutating func drop(_ id: String, from leases: inout Leases, unheard seconds: Int64) {
        if let rows = leases.rows.removeValue(forKey: id) {
            for (name, row) in rows.permits {
                leases.objects[name]?.subtract(row)
                leases.objects[name]?.dequeue(id)
            }
            for (name, row) in rows.meters { release(name, row, unheard: seconds) }
        }
        leases.members[id] = nil
    }

    private mutating func release(_ name: String, _ row: MeterRow, unheard seconds: Int64) {
        guard var counter = counters[name] else { return }
        counter.users = max(0, counter.users - (row.isActive ? 1 : 0))
        let drawn = row.counted - row.spent
        let back = max(0, drawn - seconds * row.rate)
        if counter.isRate {
            counter.left += back * 60_000
            counter.drawn = max(0, counter.drawn - drawn)
        } else {
            counter.used -= back
        }
        counters[name] = counter
    }

    // MARK: Meters

    private mutating func draw(
        _ meter: ExchangeRequest.Meter, _ row: MeterRow?, isLearning: Bool, members: Int, born: Int64, clock: Int64,
        at now: Int64
    ) -> (ExchangeReply.Block, MeterRow) {
        let known = counters[meter.name]
        let believes = meter.known >= 0 && (isLearning || known == nil)
        let charged = row?.counted ?? (believes ? meter.granted : meter.settled)
        let held = max(meter.allowance, meter.spent)
        let unit: Int64 = meter.isRate ? 60_000 : 1
        let full = meter.limit * unit
        var counter = known ?? Counter(left: full, at: now, isRate: meter.isRate)
        counter.begin(born)
        var rest: Int64
        if meter.isRate {
            counter.drawn = max(0, counter.drawn - (row.map { $0.counted - $0.spent } ?? 0))
            if believes { counter.left += counter.recall(meter.known * unit, min) }
            rest = counter.left + max(0, now - counter.at) * meter.limit + (charged - held) * unit
            rest = max(min(rest, (meter.limit - counter.drawn - held + meter.spent) * unit), -full * 60)
        } else {
            if believes { counter.used += counter.recall(meter.known, max) }
            rest = meter.limit - counter.used + charged - held
        }
        counter.users = max(0, counter.users - (row?.isActive == true ? 1 : 0)) + (meter.isActive ? 1 : 0)
        let whole = max(0, Self.floor(rest, unit) + held - meter.spent)
        var told = meter.allowance
        if !isLearning {
            let (isNear, some) = (whole * 5 < meter.limit, max(1, members))
            let part = whole / Int64((isNear ? 8 : 4) * (meter.isActive ? counter.users : some))
            var block: Int64 = 0
            if meter.isActive || !isNear { block = min(whole, max(1, isNear ? min(part, meter.rate) : part)) }
            if meter.isActive, meter.need > block,
                meter.need <= whole || meter.need > meter.limit && whole >= meter.limit
            {
                block = meter.need
            }
            told = meter.spent + block
        }
        let total = max(held, told)
        rest -= (total - held) * unit
        if meter.isRate {
            (counter.left, counter.at) = (rest, now)
            counter.drawn += total - meter.spent
        } else {
            counter.used = meter.limit - rest
        }
        counter.ends = clock + meter.life
        counters[meter.name] = counter
        return (
            ExchangeReply.Block(
                allowance: told, counted: total, remaining: max(0, Self.floor(rest, unit)),
                used: meter.isRate ? 0 : counter.used),
            MeterRow(counted: total, isActive: meter.isActive, spent: meter.spent, rate: meter.rate)
        )
    }

    private static func floor(_ value: Int64, _ unit: Int64) -> Int64 {
        value >= 0 ? value / unit : -((-value + unit - 1) / unit)
    }

    // MARK: News

    private mutating func post(_ request: ExchangeRequest, at now: Int64) -> (news: [[UInt8]], Int64, Bool) {
        var board = board ?? Board(begun: now)
        board.topics = board.topics.filter { $0.value.ends.map { $0 > now } ?? true }
        for post in request.news {
            if let old = board.topics[post.topic], old.rank >= post.rank { continue }
            board.sequence += 1
            board.topics[post.topic] = Topic(
                rank: post.rank, origin: request.instance, body: post.body, sequence: board.sequence,
                ends: post.life > 0 ? now + post.life : nil)
        }
        self.board = board
        var since = board.begun == request.board ? request.since : 0
        let found = board.topics.values.filter { $0.sequence > since }.sorted { $0.sequence < $1.sequence }.prefix(64)
        since = found.last?.sequence ?? since
        return (found.filter { $0.origin != request.instance }.map(\.body), since, found.count == 64)
    }
}

extension VirtualEngine.Object {
    /// What one instance gets, and what is counted for it from now on.
    fileprivate mutating func share(
        _ permit: ExchangeRequest.Permits, _ row: VirtualEngine.PermitRow?, of instance: String, isLearning: Bool,
        isLeased: Bool, lease: Int64, at now: Int64
    ) -> (ExchangeReply.Share, VirtualEngine.PermitRow) {
        let want = max(permit.inFlight, permit.want)
        if limitedAt.map({ permit.limit <= limit || now - $0 >= 2 * lease }) ?? true {
            (limit, limitedAt) = (permit.limit, now)
        }
        sharers += 1
        self.want += want
        if want > 0 { wanting += 1 }

        let had = row?.share ?? 0
        var since = had > 0 ? row?.since ?? now : now
        let free = max(0, limit - counted)
        let share: Int
        if isLearning {
            share = isLeased ? permit.capacity : 0
        } else if limit >= sharers {
            dequeue(instance)
            let (rest, more, sum) = (limit - sharers, max(want - 1, 0), self.want - wanting)
            var sure: Int
            var target: Int
            if sum <= rest {
                sure = 1 + more + (rest - sum) / sharers
                target = sure
            } else {
                sure = 1 + rest * more / sum
                target = sure
                if now >= shortUntil, rest * more % sum > 0 { target += 1 }
            }
            share = min(target, free)
            if share < sure { shortUntil = now + lease / 2 }
        } else if want == 0 {
            dequeue(instance)
            share = 0
        } else {
            share = turn(of: instance, want: want, had: had, since: since, free: free, lease: lease, at: now)
        }
        if share <= 0 || had <= 0 { since = now }
        let counted = max(share, permit.inFlight, permit.capacity)
        let reply = ExchangeReply.Share(share: share, elsewhere: max(0, inFlight))
        self.counted += counted
        inFlight += permit.inFlight
        return (
            reply,
            VirtualEngine.PermitRow(
                counted: counted, want: want, inFlight: permit.inFlight, share: share, since: since)
        )
    }

    private mutating func turn(
        of instance: String, want: Int, had: Int, since: Int64, free: Int, lease: Int64, at now: Int64
    ) -> Int {
        let place = queue.firstIndex(of: instance)
        let others = queue.count - (place == nil ? 0 : 1)
        let share: Int
        if others == 0 {
            share = min(free, (limit * want + self.want - 1) / self.want)
        } else if had > 0 {
            share = now - since < lease ? min(1, free) : 0
        } else if let place {
            share = place < free ? 1 : 0
        } else {
            share = others < free ? 1 : 0
        }
        if share > 0 {
            dequeue(instance)
        } else if place == nil {
            queue.append(instance)
        }
        return share
    }
}
