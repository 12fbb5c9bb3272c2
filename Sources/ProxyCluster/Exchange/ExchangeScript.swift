/// What an exchange does in the engine: one script, so that it happens as a whole. Redis 6 or later, or Valkey.
///
/// It keeps everything about leases in one hash, `leases`, which lives, dies and is evicted as a whole:
///
/// * `meta`: the server's run, when these leases began, when the last exchange was, and each instance's lease and last number.
/// * `o:OBJECT`: the sums over all rows of an object. So an exchange costs as much as the instance has objects, however many instances
///   there are.
/// * `l:INSTANCE`: its rows of permits and of meters.
///
/// Each meter has a key of its own beside it, which outlives leases. News are in three more keys: the latest of each topic, their order,
/// and when they expire.
///
/// *The rule that keeps limits.* What is counted for an instance is the most that it may believe to have: its new share, what it has in
/// effect until it has heard of that one, and what is in flight. A share is at most the limit less what is counted for all others. So the
/// sum of what is counted never grows beyond the limit.
///
/// *Learning.* When there are no leases, when the server is another one than that which wrote them (it was restarted, or a replica has
/// taken over, and may lack what it wrote last), or when its clock has leapt by half a lease (or nobody came for as long), nothing that is
/// known of leases can be relied on. Then nobody is given anything for one lease: until then each lease that may be out there has
/// been told of again or has run out.
///
/// The server's run is read from `INFO server`, so the engine's user needs `+info`, besides `+eval +evalsha +script` and the commands
/// below. Names of keys have one hash tag, but those of meters are made here and not declared: a cluster of engines runs that, since
/// all of them are in one slot.
package enum ExchangeScript {
    /// For `SCRIPT LOAD` and `EVAL`.
    package static let text = text(
        clock: "redis.call('TIME')", run: "string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')")

    /// - Parameters:
    ///   - clock: an expression of seconds and microseconds, for tests.
    ///   - run: an expression of the server's run.
    package static func text(clock: String, run: String) -> String {
        """
        local leases, news, order, expiry = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
        local instance, number, lease, leaving = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
        local leased, since, board, channel = ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
        local prefix, permits, meters, posts = ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
        local at = 13
        local floor, max, min = math.floor, math.max, math.min

        local function stored(field)
            local value = redis.call('HGET', leases, field)
            return value and cmsgpack.unpack(value)
        end

        -- Whether what is known of leases can be relied on.
        local clock, run = \(clock), \(run)
        local now = tonumber(clock[1]) * 1000 + floor(tonumber(clock[2]) / 1000)
        local meta = stored('meta')
        if not meta or meta.run ~= run or now - meta.last > lease / 2 or meta.last - now > lease / 2 then
            redis.call('DEL', leases)
            meta = { run = run, born = now, last = now, members = {} }
        end
        now = max(now, meta.last)
        meta.last = now
        local left = max(0, meta.born + lease - now)
        local learning = left > 0

        local member = meta.members[instance]
        if member and number <= member[2] then return { 1 } end

        -- Sums of objects are arrays with these places, and whoever waits for a turn behind them.
        local COUNTED, WANT, WANTING, USED, SHARERS, LIMIT, LIMITED, SHORT, QUEUE = 1, 2, 3, 4, 5, 6, 7, 8, 9
        -- Rows of permits follow each other in one array: name, counted, want, in flight, share, since.
        local ROW = 6

        -- Read in bulk or when they are first asked for, written at the end.
        local objects, counters, keep = {}, {}, {}
        local function take(name, value)
            objects[name] = value and cmsgpack.unpack(value) or { 0, 0, 0, 0, 0, 0, 0, 0 }
        end
        local function object(name)
            if not objects[name] then take(name, redis.call('HGET', leases, 'o:' .. name)) end
            return objects[name]
        end
        local function counter(name)
            if counters[name] == nil then
                local value = redis.call('GET', prefix .. name)
                counters[name] = value and cmsgpack.unpack(value)
            end
            return counters[name]
        end
        local function place(o, id)
            for index = QUEUE, #o do
                if o[index] == id then return index - QUEUE + 1 end
            end
            return 0
        end
        local function dequeue(o, id)
            if #o < QUEUE then return end
            local index = place(o, id)
            if index > 0 then table.remove(o, index + QUEUE - 1) end
        end
        local function subtract(o, rows, index)
            o[COUNTED], o[WANT] = o[COUNTED] - rows[index + 1], o[WANT] - rows[index + 2]
            o[USED], o[SHARERS] = o[USED] - rows[index + 3], o[SHARERS] - 1
            if rows[index + 2] > 0 then o[WANTING] = o[WANTING] - 1 end
        end

        -- A row of a meter: counted, active, spent, rate. What was drawn and not spent goes back. Who is lost may have spent for two
        -- seconds what nobody has heard of.
        local function release(name, row, seconds)
            local c = counter(name)
            if not c then return end
            c.users = max(0, c.users - row[2])
            local drawn = row[1] - row[3]
            local back = max(0, drawn - seconds * row[4])
            if c.used then
                c.used = c.used - back
            else
                c.left, c.drawn = c.left + back * 60000, max(0, c.drawn - drawn)
            end
        end

        -- Who has not come back in time has nothing any more.
        local function drop(id, seconds)
            local gone = stored('l:' .. id)
            if gone then
                for index = 1, #gone.p, ROW do
                    local o = object(gone.p[index])
                    subtract(o, gone.p, index)
                    dequeue(o, id)
                end
                for name, row in pairs(gone.m) do release(name, row, seconds) end
                redis.call('HDEL', leases, 'l:' .. id)
            end
            meta.members[id] = nil
        end
        local ended = {}
        for id, other in pairs(meta.members) do
            if other[1] <= now then ended[#ended + 1] = id end
        end
        for _, id in ipairs(ended) do drop(id, 2) end
        if leaving then drop(instance, 0) else meta.members[instance] = { now + lease, number } end
        local members = 0
        for _ in pairs(meta.members) do members = members + 1 end

        local rows = stored('l:' .. instance) or { p = {}, m = {} }
        local fresh = { p = {}, m = {} }

        -- Permits.
        for first = 0, permits - 1, 1000 do
            local fields = {}
            for index = first, min(permits, first + 1000) - 1 do fields[#fields + 1] = 'o:' .. ARGV[at + index * 5] end
            for index, value in ipairs(redis.call('HMGET', leases, unpack(fields))) do
                local name = ARGV[at + (first + index - 1) * 5]
                if not objects[name] then take(name, value) end
            end
        end
        local places, own, kept = {}, rows.p, fresh.p
        for index = 1, #own, ROW do places[own[index]] = index end
        local shares = {}
        for _ = 1, permits do
            local name, limit, capacity = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
            local used, want = tonumber(ARGV[at + 3]), max(tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]))
            at = at + 5
            local o, row = objects[name], places[name]
            places[name] = nil
            if row then subtract(o, own, row) end
            if o[LIMITED] == 0 or limit <= o[LIMIT] or now - o[LIMITED] >= 2 * lease then
                o[LIMIT], o[LIMITED] = limit, now
            end
            limit = o[LIMIT]
            o[SHARERS], o[WANT] = o[SHARERS] + 1, o[WANT] + want
            if want > 0 then o[WANTING] = o[WANTING] + 1 end

            local had = row and own[row + 4] or 0
            local from = had > 0 and own[row + 5] or now
            local free = max(0, limit - o[COUNTED])
            local share
            if learning then
                share = leased and capacity or 0
            elseif limit >= o[SHARERS] then
                -- One for each, the rest by what each wants beyond that.
                dequeue(o, instance)
                local rest, more, sum = limit - o[SHARERS], max(want - 1, 0), o[WANT] - o[WANTING]
                local sure, target
                if sum <= rest then
                    sure = 1 + more + floor((rest - sum) / o[SHARERS])
                    target = sure
                else
                    sure = 1 + floor(rest * more / sum)
                    target = sure
                    if now >= o[SHORT] and rest * more % sum > 0 then target = sure + 1 end
                end
                share = min(target, free)
                if share < sure then o[SHORT] = now + floor(lease / 2) end
            elseif want == 0 then
                dequeue(o, instance)
                share = 0
            else
                -- Not enough for one each: in turns of a lease while others wait.
                local index = place(o, instance)
                local others = #o - QUEUE + 1 - (index > 0 and 1 or 0)
                if others == 0 then
                    share = min(free, floor((limit * want + o[WANT] - 1) / o[WANT]))
                elseif had > 0 then
                    share = now - from < lease and min(1, free) or 0
                elseif index > 0 then
                    share = index <= free and 1 or 0
                else
                    share = others < free and 1 or 0
                end
                if share > 0 then
                    dequeue(o, instance)
                elseif index == 0 then
                    o[#o + 1] = instance
                end
            end
            if share <= 0 or had <= 0 then from = now end
            local counted = max(share, used, capacity)
            shares[#shares + 1] = share
            shares[#shares + 1] = max(0, o[USED])
            o[COUNTED], o[USED] = o[COUNTED] + counted, o[USED] + used
            local last = #kept
            kept[last + 1], kept[last + 2], kept[last + 3] = name, counted, want
            kept[last + 4], kept[last + 5], kept[last + 6] = used, share, from
        end
        -- What it does not mention any more.
        for name, index in pairs(places) do
            local o = object(name)
            subtract(o, own, index)
            dequeue(o, instance)
        end

        -- Meters. What instances know of one from an engine before: the most of all, to which what each has spent since is added.
        local function recalled(c, known, most)
            local base = c.base
            c.base = most(base, known)
            return c.base - base
        end
        local blocks = {}
        for _ = 1, meters do
            local name, isRate, limit = ARGV[at], ARGV[at + 1] == 'r', tonumber(ARGV[at + 2])
            local granted, settled = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
            local allowance, spent, known = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7])
            local rate, need = tonumber(ARGV[at + 8]), tonumber(ARGV[at + 9])
            local active, life = ARGV[at + 10] == '1', tonumber(ARGV[at + 11])
            at = at + 12
            local c, row = counter(name), rows.m[name]
            rows.m[name] = nil
            local believes = known >= 0 and (learning or not c)
            -- What is in the sum already: by its row, by what an engine before has said, or what was left when its row was given up.
            local charged = row and row[1] or believes and granted or settled
            local held = max(allowance, spent)
            -- A rate is kept in parts of a unit, as many as a minute has milliseconds.
            local unit, rest
            if isRate then
                unit = 60000
                c = c or { users = 0, left = limit * unit, at = now }
                if c.epoch ~= meta.born then c.epoch, c.base, c.drawn = meta.born, c.left, 0 end
                c.drawn = max(0, c.drawn - (row and row[1] - row[3] or 0))
                if believes then c.left = c.left + recalled(c, known * unit, min) end
                rest = c.left + max(0, now - c.at) * limit + (charged - held) * unit
                -- What is drawn is in the bucket still.
                rest = max(min(rest, (limit - c.drawn - held + spent) * unit), -limit * unit * 60)
            else
                unit = 1
                c = c or { users = 0, used = 0 }
                if c.epoch ~= meta.born then c.epoch, c.base = meta.born, c.used end
                if believes then c.used = c.used + recalled(c, known, max) end
                rest = limit - c.used + charged - held
            end
            counters[name] = c
            c.users = max(0, c.users - (row and row[2] or 0)) + (active and 1 or 0)
            local whole = max(0, floor(rest / unit) + held - spent)
            local told = allowance
            if not learning then
                local near, some = whole * 5 < limit, max(1, members)
                local part = floor(whole / ((near and 8 or 4) * (active and c.users or some)))
                local block = 0
                if active or not near then block = min(whole, max(1, near and min(part, rate) or part)) end
                if active and need > block and (need <= whole or need > limit and whole >= limit) then block = need end
                told = spent + block
            end
            local total = max(held, told)
            rest = rest - (total - held) * unit
            if isRate then
                c.left, c.at, c.drawn = rest, now, c.drawn + total - spent
            else
                c.used = limit - rest
            end
            keep[name] = life
            fresh.m[name] = { total, active and 1 or 0, spent, rate }
            blocks[#blocks + 1] = told
            blocks[#blocks + 1] = total
            blocks[#blocks + 1] = max(0, floor(rest / unit))
            blocks[#blocks + 1] = isRate and 0 or c.used
        end
        for name, row in pairs(rows.m) do release(name, row, 0) end

        -- Written down.
        local fields = {}
        for name, o in pairs(objects) do
            if o[SHARERS] > 0 then
                fields[#fields + 1] = 'o:' .. name
                fields[#fields + 1] = cmsgpack.pack(o)
                if #fields == 2000 then
                    redis.call('HSET', leases, unpack(fields))
                    fields = {}
                end
            else
                redis.call('HDEL', leases, 'o:' .. name)
            end
        end
        if #fields > 0 then redis.call('HSET', leases, unpack(fields)) end
        for name, c in pairs(counters) do
            if c and keep[name] then
                redis.call('SET', prefix .. name, cmsgpack.pack(c), 'PX', keep[name])
            elseif c then
                redis.call('SET', prefix .. name, cmsgpack.pack(c), 'KEEPTTL')
            end
        end
        if leaving then
            redis.call('HDEL', leases, 'l:' .. instance)
        else
            redis.call('HSET', leases, 'l:' .. instance, cmsgpack.pack(fresh))
        end
        redis.call('HSET', leases, 'meta', cmsgpack.pack(meta))
        redis.call('PEXPIRE', leases, lease * 12)

        -- News.
        local begun = redis.call('HGET', news, 'begun')
        if not begun or not redis.call('ZSCORE', order, '') then
            redis.call('DEL', news, order, expiry)
            begun = string.format('%d', now)
            redis.call('HSET', news, 'begun', begun)
            redis.call('ZADD', order, 0, '')
        end
        for _, topic in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, 100)) do
            redis.call('HDEL', news, topic)
            redis.call('ZREM', order, topic)
            redis.call('ZREM', expiry, topic)
        end
        for _ = 1, posts do
            local topic, rank, life, body = 't:' .. ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
            at = at + 4
            local old = redis.call('HGET', news, topic)
            old = old and cmsgpack.unpack(old)
            if not old or old[1] < rank then
                redis.call('HSET', news, topic, cmsgpack.pack({ rank, instance, body }))
                redis.call('ZADD', order, redis.call('HINCRBY', news, 'sequence', 1), topic)
                if life > 0 then
                    redis.call('ZADD', expiry, now + life, topic)
                else
                    redis.call('ZREM', expiry, topic)
                end
                redis.call('PUBLISH', channel, body)
            end
        end
        if tonumber(begun) ~= board then since = 0 end
        local bodies = {}
        local after = '(' .. string.format('%d', since)
        local found = redis.call('ZRANGEBYSCORE', order, after, '+inf', 'WITHSCORES', 'LIMIT', 0, 64)
        for index = 1, #found, 2 do
            since = tonumber(found[index + 1])
            local old = redis.call('HGET', news, found[index])
            old = old and cmsgpack.unpack(old)
            if old and old[2] ~= instance then bodies[#bodies + 1] = old[3] end
        end
        for _, key in ipairs({ news, order, expiry }) do redis.call('PEXPIRE', key, 2592000000) end

        return { 0, now, meta.born, left, members, tonumber(begun), since, #found < 128 and 0 or 1, shares, blocks, bodies }
        """
    }
}
