"""Reads what the proxy sends to a collector with OpenTelemetry's own definitions, and says whether it is sound."""
import collections

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

Span = trace_pb2.Span
Status = trace_pb2.Status

# Whatever else a span may say, this it must not: what was asked and answered.
CONTENT = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.prompt",
           "gen_ai.completion", "gen_ai.tool.definitions", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result")


def decode(body):
    """The request of the bytes. Nothing may be in them that the definitions do not know."""
    request = trace_service_pb2.ExportTraceServiceRequest()
    assert request.ParseFromString(body) == len(body)
    assert request.SerializeToString(deterministic=True) == _known(request).SerializeToString(deterministic=True)
    return request


def _known(request):
    copy = trace_service_pb2.ExportTraceServiceRequest()
    copy.CopyFrom(request)
    copy.DiscardUnknownFields()
    return copy


def value(any_value):
    """An AnyValue as Python's."""
    kind = any_value.WhichOneof("value")
    assert kind in ("string_value", "bool_value", "int_value", "double_value", "array_value"), kind
    if kind == "array_value":
        return [value(one) for one in any_value.array_value.values]
    return getattr(any_value, kind)


def attributes(pairs):
    """Key-value pairs as a dictionary; each key must be there once."""
    keys = [pair.key for pair in pairs]
    assert all(keys) and len(set(keys)) == len(keys), keys
    return {pair.key: value(pair.value) for pair in pairs}


def spans(*requests):
    """All spans of the requests, in their order."""
    return [span for request in requests for resource in request.resource_spans
            for scope in resource.scope_spans for span in scope.spans]


def resource(request):
    """Who reports: the attributes of the one resource."""
    assert len(request.resource_spans) == 1
    return attributes(request.resource_spans[0].resource.attributes)


def check(*requests):
    """Ids, parents, times and flags of all spans; requests are what one process has sent. Returns the spans."""
    found = spans(*requests)
    for request in requests:
        who = resource(request)
        for key in ("service.name", "service.version", "service.instance.id", "telemetry.sdk.name",
                    "telemetry.sdk.language", "telemetry.sdk.version"):
            assert who[key], key
        for scope in request.resource_spans[0].scope_spans:
            assert scope.scope.name and scope.scope.version and scope.spans
    ids = collections.Counter(span.span_id for span in found)
    assert all(count == 1 for count in ids.values()), "a span was sent twice"
    servers = {(span.trace_id, span.span_id): span for span in found if span.kind == Span.SPAN_KIND_SERVER}
    for span in found:
        assert len(span.trace_id) == 16 and any(span.trace_id)
        assert len(span.span_id) == 8 and any(span.span_id)
        assert len(span.parent_span_id) in (0, 8)
        assert span.name and 0 < span.start_time_unix_nano <= span.end_time_unix_nano
        has_remote, is_remote = span.flags & 0x100, span.flags & 0x200
        assert has_remote and span.flags < 0x400
        values = attributes(span.attributes)
        assert not [key for key in values if key.startswith(CONTENT)]
        if span.kind == Span.SPAN_KIND_SERVER:
            assert bool(is_remote) == bool(span.parent_span_id)
            assert not [key for key in values if key.startswith("gen_ai")], "tokens would be counted twice"
            assert values["http.request.method"] in span.name or values["http.request.method"] == "_OTHER"
        else:
            assert span.kind == Span.SPAN_KIND_CLIENT and not is_remote
            parent = servers[span.trace_id, span.parent_span_id]
            assert span.trace_state == parent.trace_state and span.flags & 0xFF == parent.flags & 0xFF
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
            operation = values["gen_ai.operation.name"]
            assert values["gen_ai.provider.name"] and values["ociai.attempt"] >= 1
            assert span.name == " ".join(filter(None, [operation, values.get("gen_ai.request.model")]))
        if span.status.code == Status.STATUS_CODE_ERROR:
            assert values["error.type"] == span.status.message
        else:
            assert "error.type" not in values and not span.status.message
        for event in span.events:
            assert event.name and event.time_unix_nano >= span.start_time_unix_nano
            attributes(event.attributes)
        for link in span.links:
            assert len(link.trace_id) == 16 and len(link.span_id) == 8 and link.flags & 0x100
            attributes(link.attributes)
    return found
