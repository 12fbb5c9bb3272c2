import ProxyCluster

/// Many instances and an engine under virtual time, with everything going wrong that a scenario says.
package struct ClusterSimulation {
    private enum Message: Sendable {
        case request(ExchangeRequest)
        case reply(ExchangeReply?, number: Int64)
    }

    private struct Sent: Sendable {
        var at: Int
        var index: Int
        /// To whom, or from whom: who starts anew does not hear what was meant for who was there before.
        var name: String
        var message: Message
    }

    /// The engine's process.
    private struct Server: Sendable {
        var engine: VirtualEngine
        /// What it would come back with.
        var written: [(at: Int, engine: VirtualEngine)] = []
        /// Wall clock less true time.
        var clock = 1_800_000_000_000
        var goneUntil = 0
        var hangsUntil = 0
        var runs = 1
    }

    private static let step = 20

    private let scenario: ClusterScenario
    private var dice: Dice
    private var server: Server
    private var instances: [SimulatedInstance?] = []
    private var returns: [Int: Int] = [:]
    private var mail: [Sent] = []
    private var born = 0
    package private(set) var figures = ClusterFigures()

    // What meters have let in, against a bucket and a sum that know everything.
    private var bucket: Double
    private var spent: Int64 = 0
    private var judgesMeters = true

    package init(_ scenario: ClusterScenario) {
        self.scenario = scenario
        dice = Dice(scenario.seed)
        server = Server(engine: VirtualEngine(run: "run1"))
        bucket = Double(scenario.rateLimit)
        judgesMeters = !scenario.events.contains { $0.fault == .engineClock }
        for index in 0..<scenario.instances { instances.append(make(index)) }
    }

    package static func run(_ scenario: ClusterScenario) -> ClusterFigures {
        var simulation = ClusterSimulation(scenario)
        simulation.run()
        return simulation.figures
    }

    private mutating func make(_ index: Int, at time: Int = 0) -> SimulatedInstance {
        born += 1
        let origin = Int.random(in: 0...1_000_000_000, using: &dice)
        let drift = Int.random(in: -5_000...5_000, using: &dice)
        let instance = SimulatedInstance(
            member: ClusterMember(instance: "i\(born)", leastInstances: scenario.instances),
            objects: scenario.objects.count,
            rate: Meter(name: "rate", kind: .rate, limit: scenario.rateLimit, typical: scenario.amount),
            budget: Meter(name: "budget", kind: .budget, limit: scenario.budget, typical: scenario.amount),
            drift: drift, origin: origin)
        instance.nextExchange = instance.clock(time + Int.random(in: 0...1_000, using: &dice))
        return instance
    }

    package mutating func run() {
        var events = scenario.events[...]
        var time = 0
        while time < scenario.duration {
            time += Self.step
            while let event = events.first, event.at <= time {
                events.removeFirst()
                happen(event, at: time)
            }
            for (index, due) in returns where due <= time {
                instances[index] = make(index, at: time)
                returns[index] = nil
            }
            if time % 500 == 0 {
                server.written.append((time, server.engine))
                if server.written.count > 40 { server.written.removeFirst() }
            }
            bucket = min(Double(scenario.rateLimit), bucket + Double(scenario.rateLimit) * Double(Self.step) / 60_000)
            for index in instances.indices { instances[index]?.noteLease(at: time) }
            deliver(at: time)
            for index in instances.indices { turn(index, at: time) }
            judge(at: time)
        }
    }

    // MARK: Faults

    private mutating func happen(_ event: ClusterScenario.Event, at time: Int) {
        switch event.fault {
        case .crash:
            guard instances[event.instance] != nil else { return }
            instances[event.instance] = nil
            returns[event.instance] = time + event.lasts
        case .pause: instances[event.instance]?.stoppedUntil = time + event.lasts
        case .partition: instances[event.instance]?.cutUntil = time + event.lasts
        case .answersLost: instances[event.instance]?.deafUntil = time + event.lasts
        case .engineHangs: server.hangsUntil = time + event.lasts
        case .engineEmptied: restart(VirtualEngine(run: ""), at: time, for: event.lasts)
        case .engineStale:
            restart(server.written.randomElement(using: &dice)?.engine ?? server.engine, at: time, for: event.lasts)
        case .engineFailsOver:
            let before = time - Int.random(in: 0...1_000, using: &dice)
            restart(
                server.written.last { $0.at <= before }?.engine ?? server.engine, at: time, for: min(event.lasts, 1_000)
            )
        case .engineFlushed: server.engine.empty()
        case .engineClock: server.clock += dice.happens(0.5) ? 3_600_000 : -3_600_000
        }
    }

    private mutating func restart(_ state: VirtualEngine, at time: Int, for length: Int) {
        server.runs += 1
        server.engine = state
        server.engine.run = "run\(server.runs)"
        server.goneUntil = time + length
        server.hangsUntil = 0
        // What was under way to it is lost with its connections.
        mail.removeAll {
            if case .request = $0.message { return true }
            return false
        }
    }

    // MARK: Messages

    private mutating func deliver(at time: Int) {
        let due = mail.filter { $0.at <= time }.sorted { $0.at < $1.at }
        mail.removeAll { $0.at <= time }
        for sent in due {
            switch sent.message {
            case .request(let request):
                if server.goneUntil > time { continue }
                if server.hangsUntil > time {
                    var late = sent
                    late.at = server.hangsUntil
                    mail.append(late)
                    continue
                }
                figures.exchanges += 1
                let reply = server.engine.exchange(request, at: Int64(server.clock + sent.at))
                mail.append(
                    Sent(
                        at: time + latency(), index: sent.index, name: sent.name,
                        message: .reply(reply, number: request.number)))
            case .reply(let reply, let number):
                guard let instance = instances[sent.index], instance.member.instance == sent.name else { continue }
                if instance.stoppedUntil > time {
                    var late = sent
                    late.at = instance.stoppedUntil
                    mail.append(late)
                    continue
                }
                guard max(instance.cutUntil, instance.deafUntil) <= time else { continue }
                hear(reply, number, instance, at: time)
            }
        }
    }

    private mutating func latency() -> Int {
        dice.happens(0.97) ? Int.random(in: 0...40, using: &dice) : Int.random(in: 40...1_500, using: &dice)
    }

    private mutating func hear(
        _ reply: ExchangeReply?, _ number: Int64, _ instance: SimulatedInstance, at time: Int
    ) {
        let now = instance.clock(time)
        guard let reply, instance.underWay?.number == number else { return }
        let had = instance.hadLease
        guard case .applied = instance.member.apply(reply, of: number, at: now) else {
            instance.underWay = nil
            return
        }
        instance.underWay = nil
        if !had, now < instance.member.leaseEnd {
            instance.hadLease = true
        }
        if reply.blocks.count == 2 {
            let (end, isLearning) = (instance.member.leaseEnd, reply.learningFor > 0)
            instance.rate.apply(reply.blocks[0], until: end, isLearning: isLearning)
            instance.budget.apply(reply.blocks[1], until: end, isLearning: isLearning)
        }
        let told = instance.member.engineTime(at: now) ?? 0
        // An instance knows the engine's time by its answers alone, to half of what an exchange took: less than a lease.
        if abs(told - reply.now) > 2_600 { violate("engine's time is off by \(told - reply.now) ms", at: time) }
    }

    // MARK: An instance's turn

    private mutating func turn(_ index: Int, at time: Int) {
        guard let instance = instances[index], instance.stoppedUntil <= time else { return }
        figures.instanceTime += Self.step
        let now = instance.clock(time)
        if let underWay = instance.underWay, now >= underWay.deadline {
            instance.member.failed(underWay.number, at: now)
            instance.underWay = nil
        }
        if time >= instance.nextTick {
            instance.nextTick = time + 1_000
            for object in instance.objects.indices where dice.happens(scenario.unrest) {
                let mood = [0.0, 0.0, 0.0, 0.2, 1.0, 4.0].randomElement(using: &dice) ?? 0.0
                instance.objects[object].pace = scenario.busiest * mood / 1_000
                // Whoever waited is gone, too.
                if mood == 0, dice.happens(0.5) { instance.objects[object].waiting = 0 }
            }
        }
        if now >= instance.member.leaseEnd, now < instance.member.safeEnd {
            let (count, end) = (instance.member.count, instance.member.safeEnd)
            instance.rate.goOnAlone(among: count, until: end, at: now)
            instance.budget.goOnAlone(among: count, until: end, at: now)
        }
        for object in instance.objects.indices { serve(object, of: instance, at: time) }
        if instance.underWay == nil, now >= instance.nextExchange { begin(index, instance, at: time) }
    }

    private mutating func begin(_ index: Int, _ instance: SimulatedInstance, at time: Int) {
        let now = instance.clock(time)
        instance.nextExchange = now + instance.member.delay(jitter: Double.random(in: 0..<1, using: &dice))
        let wants = scenario.objects.indices.map {
            PermitWant(
                name: scenario.objects[$0].name, limit: scenario.objects[$0].limit,
                inFlight: instance.objects[$0].running.count, waiting: instance.objects[$0].waiting)
        }
        let request = instance.member.begin(
            wants,
            meters: [
                instance.rate.report(life: .seconds(180), at: now),
                instance.budget.report(life: .seconds(86_400), at: now),
            ], at: now)
        if server.goneUntil > time {
            instance.member.failed(request.number, at: now)
            return
        }
        instance.underWay = (request.number, now + instance.member.times.timeout)
        guard instance.cutUntil <= time else { return }
        mail.append(
            Sent(at: time + latency(), index: index, name: instance.member.instance, message: .request(request)))
    }

    private mutating func serve(_ index: Int, of instance: SimulatedInstance, at time: Int) {
        var object = instance.objects[index]
        instance.objects[index] = SimulatedInstance.Object()
        defer { instance.objects[index] = object }
        if object.running.contains(where: { $0.end <= time }) { object.running.removeAll { $0.end <= time } }
        var arrivals = object.pace * Double(Self.step)
        while arrivals > 0 {
            if dice.happens(min(1, arrivals)) { object.waiting = min(object.waiting + 1, 500) }
            arrivals -= 1
        }
        let now = instance.clock(time)
        let lease = instance.member.lease(of: scenario.objects[index].name)
        while object.waiting > 0, object.running.count < lease.capacity(at: now) {
            object.waiting -= 1
            if index == 0, !pays(instance, at: now) { continue }
            figures.admitted += 1
            object.running.append(
                SimulatedInstance.Request(
                    end: time + Int.random(in: 20...scenario.longest, using: &dice),
                    term: now < lease.until ? instance.term : nil))
        }
    }

    private mutating func pays(_ instance: SimulatedInstance, at now: Duration) -> Bool {
        let amount = max(1, scenario.amount / 2 + Int64.random(in: 0...scenario.amount, using: &dice))
        guard instance.rate.take(amount, at: now) else {
            figures.refusedByMeters += 1
            return false
        }
        bucket -= Double(amount)
        guard instance.budget.take(amount, at: now) else {
            instance.rate.correct(by: -amount)
            bucket += Double(amount)
            figures.refusedByMeters += 1
            return false
        }
        spent += amount
        return true
    }

    // MARK: What must hold

    private mutating func violate(_ text: String, at time: Int) {
        guard figures.violations.count < 20 else { return }
        figures.violations.append("seed \(scenario.seed), \(time) ms: \(text)")
    }

    private mutating func judge(at time: Int) {
        for (index, object) in scenario.objects.enumerated() {
            var (underLease, inAll) = (0, 0)
            for instance in instances {
                underLease += instance?.inFlight(index, at: time, underLeaseOnly: true) ?? 0
                inAll += instance?.inFlight(index, at: time, underLeaseOnly: false) ?? 0
            }
            figures.overLimit = max(figures.overLimit, underLease - object.limit)
            figures.overInAll = max(figures.overInAll, (inAll - object.limit) * 1_000 / max(1, object.limit))
            if underLease > object.limit {
                violate("\(underLease) of \(object.limit) in flight under leases of \(object.name)", at: time)
            }
            judgeStarvation(index, object, at: time)
        }
        guard judgesMeters else { return }
        figures.rateOvershoot = max(figures.rateOvershoot, Int64(-bucket * 1_000 / Double(scenario.rateLimit)))
        figures.budgetOvershoot = max(figures.budgetOvershoot, (spent - scenario.budget) * 1_000 / scenario.budget)
    }

    private mutating func judgeStarvation(_ index: Int, _ object: ClusterScenario.Object, at time: Int) {
        // Nobody's permit is taken from a running request: with long ones the wait is theirs.
        guard scenario.longest <= 3_000 else { return }
        let enough = object.limit >= server.engine.sharers(of: object.name)
        for position in instances.indices {
            guard let instance = instances[position] else { continue }
            let since = instance.objects[index].starvedSince
            let wants =
                enough && instance.objects[index].waiting > 0 && instance.objects[index].running.isEmpty
                && instance.stoppedUntil <= time && instance.cutUntil <= time
                && instance.member.mode(at: instance.clock(time)) == .leased
                && instance.member.lease(of: object.name).capacity(at: instance.clock(time)) == 0
            if wants, let since {
                figures.longestStarved = max(figures.longestStarved, time - since)
                if time - since > 10_000 { violate("instance \(position) is starved of \(object.name)", at: time) }
            } else if wants || since != nil {
                instance.objects[index].starvedSince = wants ? time : nil
            }
        }
    }
}
