"""An OpenAI-compatible provider that writes down what it receives, byte for byte, and answers what it is told to."""
import contextlib
import gzip
import http.server
import json
import select
import socket
import struct
import threading
import time


class Broken(bytes):
    """The beginning of a body. `ending` says how the connection ends behind it, before the body's last chunk: `fin`, `rst`, or `stall` for silence."""

    def __new__(cls, content, ending):
        self = super().__new__(cls, content)
        self.ending = ending
        return self

    def end(self, connection):
        # What has been sent arrives first.
        time.sleep(0.05)
        if self.ending == "stall":
            select.select([connection], [], [], 30)
        if self.ending == "rst":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        else:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class FakeProvider:
    """Serves on a port of its own until `stop`."""

    def __init__(self, models=("m1", "vendor/m2")):
        self.requests = []
        self.models = list(models)
        # The list of models as it is written; None: one of `models`.
        self.list = None
        # (status, headers, body) or a function of the request's body that gives that; None: an ordinary answer.
        self.answer = None
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                provider.requests.append(("GET", self.path, dict(self.headers), b""))
                if self.path.endswith("/models") and provider.list is not None:
                    self.reply(200, {}, json.dumps(provider.list).encode())
                elif self.path.endswith("/models") and provider.models is not None:
                    self.reply(200, {}, json.dumps({"object": "list", "data": [{"id": m, "object": "model", "created": 7} for m in provider.models]}).encode())
                else:
                    self.reply(404, {}, b"{}")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                provider.requests.append(("POST", self.path, dict(self.headers), body))
                answer = provider.answer(json.loads(body)) if callable(provider.answer) else provider.answer
                if answer:
                    self.reply(*answer)
                elif json.loads(body).get("stream"):
                    self.reply(200, {"content-type": "text/event-stream"}, provider.stream(json.loads(body)["model"]))
                else:
                    self.reply(200, {}, provider.whole(json.loads(body)["model"]))

            def reply(self, status, headers, body):
                self.send_response(status)
                for name, value in {"content-type": "application/json", **headers}.items():
                    self.send_header(name, value)
                if isinstance(body, Broken):
                    self.send_header("transfer-encoding", "chunked")
                    self.end_headers()
                    self.close_connection = True
                    with contextlib.suppress(ConnectionError):
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body) if body else b"")
                        self.wfile.flush()
                        body.end(self.connection)
                    return
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # whoever asked may have left
                    self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def chats(self):
        return [request for request in self.requests if request[0] == "POST"]

    @staticmethod
    def whole(model):
        # Odd spacing, an odd number and a field that nobody knows: they have to come through.
        return (
            b'{ "id":"x1", "object":"chat.completion","created":1.50e3,"model": "' + model.encode()
            + b'","choices":[{"index":0,"message":{"role":"assistant","content":"caf\\u00e9 \\/ok","odd_field":{"b":1,"a":[0.10]}},'
            b'"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7},"model_extra":1e400}'
        )

    @staticmethod
    def stream(model):
        name = model.encode()
        return (
            b': hello\n\n'
            b'data: {"id":"s1","model":"' + name + b'","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
            b'data:{"id":"s1", "model" : "' + name + b'","choices":[{"index":0,"delta":{"content":"caf\\u00e9"}, "odd":0.10}]}\r\n\r\n'
            b'data: {"id":"s1","model":"' + name + b'","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
            b'data: {"id":"s1","model":"' + name + b'","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}\n\n'
            b'data: [DONE]\n\n'
        )


def gzipped(body):
    return gzip.compress(body)
