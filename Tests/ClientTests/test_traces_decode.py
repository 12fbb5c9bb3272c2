"""The bytes that `Tests/TelemetryTests` compare with are what OpenTelemetry's own definitions say they are."""
import pathlib
import re

import pytest

pytest.importorskip("opentelemetry.proto.trace.v1.trace_pb2")

import otlp  # noqa: E402: it needs the definitions

GOLDEN = pathlib.Path(__file__).parents[1] / "TelemetryTests" / "OTLP" / "GoldenRequest.swift"


@pytest.fixture
def body():
    text = re.search(r'static let hex = """([0-9a-f\s]+)"""', GOLDEN.read_text())[1]
    return bytes.fromhex("".join(text.split()))


def test_a_request_is_sound(body):
    assert len(otlp.check(otlp.decode(body))) == 3


def test_a_request_says_who_reports(body):
    request = otlp.decode(body)
    assert otlp.resource(request) == {
        "telemetry.sdk.language": "swift", "telemetry.sdk.name": "ociai-proxy", "telemetry.sdk.version": "1.2.3",
        "service.name": "ociai-proxy", "service.version": "1.2.3", "service.instance.id": "here-1",
    }
    scope = request.resource_spans[0].scope_spans[0].scope
    assert (scope.name, scope.version) == ("ociai-proxy", "1.2.3")


def test_a_server_span_is_read_as_it_was_meant(body):
    span = otlp.spans(otlp.decode(body))[0]
    assert span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent_span_id.hex() == "b7ad6b7169203331"
    assert span.trace_state == "congo=t61" and span.flags == 0x301
    assert span.name == "POST /v1/chat/completions" and span.kind == otlp.Span.SPAN_KIND_SERVER
    assert span.start_time_unix_nano == 1_760_000_000_000_000_000
    assert span.end_time_unix_nano == 1_760_000_002_500_000_000
    assert otlp.attributes(span.attributes) == {
        "http.request.method": "POST", "http.route": "/v1/chat/completions", "http.response.status_code": 200,
        "ociai.request.id": "req-1", "ociai.stream": True, "ociai.wait": 0.25, "ociai.rescued": True,
    }
    assert [(event.name, event.time_unix_nano, otlp.attributes(event.attributes)) for event in span.events] == [
        ("queue", 1_760_000_000_000_000_100, {"ociai.wait": 0.25}),
        ("rescued", 1_760_000_001_000_000_000, {"ociai.upstream.from": "a", "ociai.upstream": "b"}),
    ]
    assert span.dropped_events_count == 2 and span.status.code == otlp.Status.STATUS_CODE_UNSET
    (link,) = span.links
    assert (link.trace_id.hex(), link.span_id.hex()) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    assert link.trace_state == "rojo=1" and link.flags == 0x300
    assert otlp.attributes(link.attributes) == {"why": "retry"}


def test_client_spans_are_read_as_they_were_meant(body):
    server, failed, rescue = otlp.spans(otlp.decode(body))
    assert failed.parent_span_id == rescue.parent_span_id == server.span_id
    assert failed.name == "chat xai.grok-4" and failed.flags == 0x101
    assert failed.status.code == otlp.Status.STATUS_CODE_ERROR and failed.status.message == "503"
    assert otlp.attributes(failed.attributes) == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "oci.generative_ai",
        "gen_ai.system": "oci.generative_ai", "ociai.attempt": 1, "ociai.outcome": "failed",
        "oci.region": "us-chicago-1", "gen_ai.request.model": "xai.grok-4", "http.response.status_code": 503,
        "error.type": "503",
    }
    assert otlp.attributes(rescue.attributes) == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "x_ai", "gen_ai.system": "xai",
        "ociai.attempt": 2, "ociai.outcome": "succeeded", "ociai.rescue": True, "gen_ai.request.model": "grok-4",
        "gen_ai.response.finish_reasons": ["stop", "length"], "gen_ai.response.time_to_first_chunk": 0.5,
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20,
    }
    assert [event.name for event in rescue.events] == ["first_chunk"]
    assert rescue.events[0].time_unix_nano == 1_760_000_001_500_000_000
