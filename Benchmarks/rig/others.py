"""What else stands in front of a provider: plain reverse proxies, and routers for language models from PyPI.

The routers are looked for in $BENCH_PEERS (.build/peers), a virtual environment each:

    python3 -m venv .build/peers/venv-vllm && .build/peers/venv-vllm/bin/pip install vllm-router
    python3 -m venv .build/peers/venv-tensorzero && .build/peers/venv-tensorzero/bin/pip install tensorzero
"""
import contextlib
import os
import shutil
import statistics
import sys
from pathlib import Path

from cells import ABOUT, Rounds, figure, head, row
from peers import Nginx, Peer, Provider
from upstream import HERE, free_port, get

ROOT = Path(os.environ.get("BENCH_PEERS", HERE.parent.parent / ".build" / "peers"))
DEFAULT = ("plain-16", "plain-128", "paced-16", "stream-16", "slow-1000")


class HAProxy(Peer):
    name = "HAProxy"

    @classmethod
    def program(cls):
        return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/sbin")

    def prepare(self):
        (self.directory / "haproxy.cfg").write_text(f"""
global
    nbthread 2
    maxconn 8000
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    http-reuse always
    option http-no-delay
    option abortonclose
frontend in
    bind 127.0.0.1:{self.port} backlog 8192
    default_backend up
backend up
    server up1 127.0.0.1:{self.upstream.port}
""")
        return [self.program(), "-db", "-f", self.directory / "haproxy.cfg"]


class VLLMRouter(Peer):
    """Written in Rust; passes on without signing."""
    name = "vllm-router"

    @classmethod
    def program(cls):
        path = ROOT / "venv-vllm" / "bin" / "vllm-router"
        return path if path.exists() else None

    def prepare(self):
        return [self.program(), "--host", "127.0.0.1", "--port", str(self.port), "--worker-urls", f"http://127.0.0.1:{self.upstream.port}",
                "--policy", "round_robin", "--log-level", "error", "--prometheus-host", "127.0.0.1", "--prometheus-port", str(free_port())]

    def answers(self):
        return get(self.port, "/health")[0] == 200  # else it has no worker yet


class TensorZero(Peer):
    """The gateway that is embedded in its Python client, without observability; it picks its own port."""
    name = "TensorZero"
    model = "tensorzero::model_name::bench"
    path = "/openai/v1/chat/completions"

    @classmethod
    def program(cls):
        path = ROOT / "venv-tensorzero" / "bin" / "python"
        return path if path.exists() else None

    def prepare(self):
        d = self.directory
        (d / "tensorzero.toml").write_text(f"""
[gateway]
observability.enabled = false
[models.bench]
routing = ["up"]
[models.bench.providers.up]
type = "openai"
model_name = "bench-model"
api_base = "http://127.0.0.1:{self.upstream.port}/v1/"
api_key_location = "none"
""")
        (d / "gateway.py").write_text(f"""
import signal
from urllib.parse import urlsplit
from tensorzero.tensorzero import _start_http_gateway
gateway = _start_http_gateway(config_file="{d}/tensorzero.toml", clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False)
open("{d}/port", "w").write(str(urlsplit(gateway.base_url).port))
signal.pause()
""")
        return ["env", "RUST_LOG=error", self.program(), d / "gateway.py"]

    def answers(self):
        with contextlib.suppress(FileNotFoundError, ValueError):
            self.port = int((self.directory / "port").read_text())
            return super().answers()
        return False


def others(upstream, cells, count):
    """Multiples of nginx, and what the processes take."""
    kinds = [Nginx, Provider]
    for kind in (HAProxy, VLLMRouter, TensorZero):
        if kind.program():
            kinds.append(kind)
        else:
            print(f"{kind.name} is not installed and left out; Benchmarks/rig/others.py says how to install it.", file=sys.stderr)
    names = [kind.name for kind in kinds]
    rounds = Rounds(kinds, cells, upstream, count)
    head("times nginx", *names)
    for cell in rounds.results:
        base = statistics.median(rounds.costs(cell, Nginx.name))
        row(f"{cell}, {ABOUT[cell]}", f"{base:.1f} µs", *(f"{rounds.times(cell, name, Nginx.name):.2f}" for name in names[1:]))
    print()
    head("", *names)
    resources = [rounds.resources(name) for name in names]
    for what in resources[0]:
        row(what, *(figure(of[what]) for of in resources))
