import Foundation
import NIOCore
import Testing

@testable import Proxy

/// A provider's tool calls that no client could tell apart are mended; what is right passes byte for byte.
@Suite struct CallRepairTests {
    struct Habit: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The entries of each event.
        let entries: [String]
        /// Name and arguments of each call.
        let calls: [[String]]
        var isRight = false
    }

    private static func call(_ index: Int?, _ id: String?, _ name: String?, _ arguments: String) -> String {
        let members = [
            index.map { #""index":\#($0)"# }, id.map { #""id":"\#($0)""# }, #""type":"function""#,
            #""function":{\#(name.map { #""name":"\#($0)","# } ?? "")"arguments":"\#(arguments.replacing("\"", with: "\\\""))"}"#,
        ]
        return "{\(members.compactMap { $0 }.joined(separator: ","))}"
    }

    private static let habits: [Habit] = [
        Habit(
            testDescription: "as it should be",
            entries: [
                call(0, "a", "f", ""), call(0, nil, nil, #"{"x":"#), call(0, nil, nil, "1}"), call(1, "b", "g", "{}"),
            ],
            calls: [["f", #"{"x":1}"#], ["g", "{}"]], isRight: true),
        Habit(
            testDescription: "numbers from one", entries: [call(1, "a", "f", "{}"), call(2, "b", "g", "{}")],
            calls: [["f", "{}"], ["g", "{}"]], isRight: true),
        Habit(
            testDescription: "no numbers", entries: [call(nil, "a", "f", "{}"), call(nil, "b", "g", "{}")],
            calls: [["f", "{}"], ["g", "{}"]]),
        Habit(
            testDescription: "no numbers, in fragments",
            entries: [
                call(nil, "a", "f", ""), call(nil, nil, nil, #"{"x":"#), call(nil, nil, nil, "1}"),
                call(nil, "b", "g", "{}"),
            ],
            calls: [["f", #"{"x":1}"#], ["g", "{}"]]),
        Habit(
            testDescription: "no numbers, in one event",
            entries: [call(nil, "a", "f", "{}") + "," + call(nil, "b", "f", "{}")], calls: [["f", "{}"], ["f", "{}"]]),
        Habit(
            testDescription: "one number for all",
            entries: [call(0, "a", "f", "{}"), call(0, "b", "g", "{}"), call(0, "c", "g", "{}")],
            calls: [["f", "{}"], ["g", "{}"], ["g", "{}"]]),
        Habit(
            testDescription: "one number for all, in fragments",
            entries: [
                call(0, "a", "f", ""), call(0, nil, nil, #"{"x":1}"#), call(0, "b", "f", ""),
                call(0, nil, nil, #"{"x":2}"#),
            ],
            calls: [["f", #"{"x":1}"#], ["f", #"{"x":2}"#]]),
        Habit(
            testDescription: "neither numbers nor ids",
            entries: [call(nil, nil, "f", #"{"x":1}"#), call(nil, nil, "f", #"{"x":2}"#)],
            calls: [["f", #"{"x":1}"#], ["f", #"{"x":2}"#]]),
        Habit(
            testDescription: "one number and no ids",
            entries: [call(0, nil, "f", #"{"x":1}"#), call(0, nil, "f", #"{"x":1}"#)],
            calls: [["f", #"{"x":1}"#], ["f", #"{"x":1}"#]]),
        Habit(
            testDescription: "one id", entries: [call(0, "x", "f", #"{"x":1}"#), call(1, "x", "f", #"{"x":2}"#)],
            calls: [["f", #"{"x":1}"#], ["f", #"{"x":2}"#]]),
        Habit(
            testDescription: "one id and one number",
            entries: [call(0, "x", "f", #"{"x":1}"#), call(0, "x", "f", #"{"x":2}"#)],
            calls: [["f", #"{"x":1}"#], ["f", #"{"x":2}"#]]),
        Habit(
            testDescription: "one id, and fragments with it",
            entries: [
                call(0, "x", "f", #"{"x":"#), call(0, "x", nil, "1}"), call(1, "x", "g", #"{"x":"#),
                call(1, "x", nil, "2}"),
            ],
            calls: [["f", #"{"x":1}"#], ["g", #"{"x":2}"#]]),
        Habit(
            testDescription: "restated at the end",
            entries: [call(0, "a", "f", #"{"x":1}"#), call(0, "a", "f", #"{"x":1}"#)], calls: [["f", #"{"x":1}"#]]),
        Habit(
            testDescription: "arguments as an object",
            entries: [#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":{"x":"\"é"}}}"#],
            calls: [["f", #"{"x":"\"é"}"#]]),
        // sgl-project/sglang#6310: the first entry of a call is numbered by its tool, the others by the call.
        Habit(
            testDescription: "numbers of the tools on first entries",
            entries: [
                call(1, "a", "f", ""), call(0, nil, nil, #"{"x":"#), call(0, nil, nil, "1}"), call(0, "b", "g", ""),
                call(1, nil, nil, #"{"y":2}"#),
            ],
            calls: [["g", #"{"y":2}"#], ["f", #"{"x":1}"#]]),
        Habit(
            testDescription: "fragments of two calls in turn",
            entries: [call(0, "a", "f", ""), call(1, "b", "g", ""), call(1, nil, nil, "{}"), call(0, nil, nil, "{}")],
            calls: [["f", "{}"], ["g", "{}"]], isRight: true),
        // ai-dynamo/dynamo#4723: whole calls, all with the number 0.
        Habit(
            testDescription: "one number, in one event",
            entries: [call(0, "a", "f", #"{"x":1}"#) + "," + call(0, "b", "f", #"{"x":1}"#)],
            calls: [["f", #"{"x":1}"#], ["f", #"{"x":1}"#]]),
        // HKUDS/nanobot#4473: ids count the calls of one tool, and repeat.
        Habit(
            testDescription: "one short id for three calls",
            entries: (1...3).map { call($0 - 1, "grep:3", "grep", #"{"x":\#($0)}"#) },
            calls: (1...3).map { ["grep", #"{"x":\#($0)}"#] }),
        // OpenRouterTeam/ai-sdk-provider#471.
        Habit(
            testDescription: "ids that are null",
            entries: (0...1).map {
                #"{"index":\#($0),"id":null,"type":"function","function":{"name":"f","arguments":"{}"}}"#
            },
            calls: [["f", "{}"], ["f", "{}"]]),
        Habit(
            testDescription: "a name as id", entries: [call(0, "f", "f", #"{"x":1}"#), call(1, "f", "f", #"{"x":2}"#)],
            calls: [["f", #"{"x":1}"#], ["f", #"{"x":2}"#]]),
        Habit(testDescription: "an empty id", entries: [call(0, "", "f", "{}")], calls: [["f", "{}"]]),
        Habit(
            testDescription: "nothing in it", entries: ["{}", "null", call(0, "a", "f", "{}")], calls: [["f", "{}"]],
            isRight: true),
    ]

    private func event(_ entries: String) -> String {
        #"{"id":"i","model":"old","choices":[{"index":0,"delta":{"tool_calls":[\#(entries)]},"finish_reason":null}]}"#
    }

    @Test(arguments: habits, Delivery.allCases)
    func `Every habit gives its calls`(habit: Habit, delivery: Delivery) throws {
        let text =
            habit.entries.map { "data: \(event($0))\n\n" }.joined()
            + "data: {\"model\":\"old\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"
        let relay = PassThroughRelay(model: "new", upstream: "acme")
        var output: [UInt8] = []
        for piece in delivery.pieces(Array(text.utf8)) {
            #expect(relay.take(ByteBuffer(bytes: piece)) == nil)
            output += relay.takeFrames()
        }
        let told = String(decoding: output, as: UTF8.self)
        if habit.isRight { #expect(told == text.replacing(#""old""#, with: #""new""#)) }
        var calls: [Int: [String]] = [:]
        var ids: [String] = []
        for line in told.split(separator: "\n") where line.hasPrefix("data: {") {
            let chunk = try #require(try Golden.parse(line.dropFirst(6).utf8) as? Golden.Object)
            #expect(chunk["model"] as? String == "new")
            let delta = (chunk["choices"] as? [Golden.Object])?.first?["delta"] as? Golden.Object
            for case let entry as Golden.Object in delta?["tool_calls"] as? [Any] ?? [] where !entry.isEmpty {
                let index = try #require(entry["index"] as? Int)
                let function = try #require(entry["function"] as? Golden.Object)
                if calls[index] == nil { ids.append(try #require(entry["id"] as? String)) }
                calls[index, default: [function["name"] as? String ?? "", ""]][1] += try #require(
                    function["arguments"] as? String)
            }
        }
        #expect(calls.sorted { $0.key < $1.key }.map(\.value) == habit.calls)
        #expect(Set(ids).count == ids.count && !ids.contains(""))
    }

    /// An upstream may give one call the id that is made up for another.
    @Test func `Made-up IDs are nobody else's`() throws {
        let calls = [
            #"{"id":"call_i_0_1","function":{"name":"f","arguments":"{}"}}"#,
            #"{"function":{"name":"g","arguments":"{}"}}"#,
        ].joined(separator: ",")
        let body =
            #"{"id":"i","model":"old","choices":[{"index":0,"message":{"tool_calls":[\#(calls)]},"finish_reason":"tool_calls"}]}"#
        let answer = try PassThroughResponse.read(Array(body.utf8), model: "new", upstream: "a").body
        let choice = ((try Golden.parse(answer) as? Golden.Object)?["choices"] as? [Golden.Object])?.first
        let ids = ((choice?["message"] as? Golden.Object)?["tool_calls"] as? [Golden.Object])?.compactMap {
            $0["id"] as? String
        }
        #expect(ids?.first == "call_i_0_1" && Set(ids ?? []).count == 2)
    }

    @Test(arguments: [
        ([#""id":"x""#, #""id":"x""#], false), ([#""id":"""#, #""id":null"#], false),
        ([#""id":"a""#, #""id":"b""#], true), ([#""type":"function""#, #""id":"b""#], false),
    ])
    func `IDs of whole answers differ`(members: [String], isRight: Bool) throws {
        let calls = members.map { #"{\#($0),"function":{"name":"f","arguments":{"x":1}}}"# }.joined(separator: ",")
            .replacing(#"{"x":1}"#, with: isRight ? #""{}""# : #"{"x":1}"#)
        let body =
            #"{"model":"old","choices":[{"index":0,"message":{"tool_calls":[\#(calls)]},"finish_reason":"tool_calls"}]}"#
        let answer = String(
            decoding: try PassThroughResponse.read(Array(body.utf8), model: "new", upstream: "a").body, as: UTF8.self)
        if isRight { #expect(answer == body.replacing("old", with: "new")) }
        let root = try #require(try Golden.parse(answer.utf8) as? Golden.Object)
        let message = (root["choices"] as? [Golden.Object])?.first?["message"] as? Golden.Object
        let found = try #require(message?["tool_calls"] as? [Golden.Object])
        let ids = found.compactMap { $0["id"] as? String }
        #expect(ids.count == 2 && Set(ids).count == 2 && !ids.contains("") && root["model"] as? String == "new")
        #expect(found.allSatisfy { ($0["function"] as? Golden.Object)?["arguments"] is String })
    }
}
