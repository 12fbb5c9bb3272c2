import Testing

@testable import Proxy

@Suite struct RequestClaimsTests {
    @Test func `Bodies share one budget and are counted four times`() {
        let claims = RequestClaims()
        var (first, second, third) = (RequestClaims.Claim.none, RequestClaims.Claim.none, RequestClaims.Claim.none)
        #expect(claims.take(bodyBytes: 100, limit: 1000, for: &first))
        #expect(claims.take(bodyBytes: 150, limit: 1000, for: &second))
        #expect(claims.bytes == 1000)
        #expect(!claims.take(bodyBytes: 1, limit: 1000, for: &third))
        #expect(third == .none)
        claims.giveBack(&first)
        claims.giveBack(&first)
        #expect(claims.bytes == 600)
        #expect(claims.take(bodyBytes: 1, limit: 1000, for: &third))
    }

    @Test func `A body that is alone is let in whatever its length`() {
        let claims = RequestClaims()
        var (large, other) = (RequestClaims.Claim.none, RequestClaims.Claim.none)
        #expect(claims.take(bodyBytes: 1000, limit: 100, for: &large))
        #expect(claims.take(bodyBytes: 1000, limit: 100, for: &large), "its own next piece")
        #expect(!claims.take(bodyBytes: 1, limit: 100, for: &other))
        #expect(!claims.take(bodyBytes: .max, limit: .max, for: &other))
    }

    @Test func `Large bodies leave room for the usual ones`() {
        let claims = RequestClaims()
        let limit = 8 * RequestClaims.share << 20
        var (large, another, pieces, usual) = (
            RequestClaims.Claim.none, RequestClaims.Claim.none, RequestClaims.Claim.none, RequestClaims.Claim.none
        )
        #expect(claims.take(bodyBytes: 6 << 20, limit: limit, for: &large))
        #expect(!claims.take(bodyBytes: 2 << 20, limit: limit, for: &another))
        #expect(claims.take(bodyBytes: 1 << 20, limit: limit, for: &another))
        #expect(claims.take(bodyBytes: RequestClaims.small / RequestClaims.share, limit: limit, for: &pieces))
        #expect(
            !claims.take(bodyBytes: 1, limit: limit, for: &pieces),
            "what comes in pieces is large when it has become so")
        #expect(claims.take(bodyBytes: 4096, limit: limit, for: &usual))
    }

    @Test func `One key of several gets half`() {
        let claims = RequestClaims()
        var all = [RequestClaims.Claim](repeating: .none, count: 5)
        #expect(claims.take(bodyBytes: 100, limit: 1000, owner: "a", for: &all[0]))
        #expect(!claims.take(bodyBytes: 50, limit: 1000, owner: "a", for: &all[1]))
        #expect(claims.take(bodyBytes: 25, limit: 1000, owner: "a", for: &all[1]))
        #expect(claims.take(bodyBytes: 100, limit: 1000, owner: "b", for: &all[2]))
        claims.giveBack(&all[0])
        #expect(claims.take(bodyBytes: 100, limit: 1000, owner: "a", for: &all[3]))
        for index in all.indices { claims.giveBack(&all[index]) }
        #expect(claims.take(bodyBytes: 1000, limit: 1000, owner: "a", for: &all[4]), "alone")
    }

    @Test func `A key has its number and others have theirs`() {
        let claims = RequestClaims()
        var all = [RequestClaims.Claim](repeating: .none, count: 4)
        #expect(claims.take("a", limit: 2, for: &all[0]) && claims.take("a", limit: 2, for: &all[1]))
        #expect(!claims.take("a", limit: 2, for: &all[2]))
        #expect(claims.take("b", limit: 2, for: &all[2]))
        claims.giveBack(&all[0])
        #expect(claims.requests(of: "a") == 1)
        #expect(claims.take("a", limit: 2, for: &all[3]))
        for index in all.indices { claims.giveBack(&all[index]) }
        #expect(claims.requests(of: "a") == 0 && claims.requests(of: "b") == 0)
        #expect(claims.take("a", limit: 0, for: &all[0]) && all[0] == .none, "without a limit nothing is counted")
    }
}
