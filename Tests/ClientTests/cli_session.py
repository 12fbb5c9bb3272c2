"""One run of an agent's command line against the proxy: `cli_session.py codex|claude reads|patches|simulated`, in a network namespace of its own, so that
whatever the agent wants to call besides, it cannot. Upstream, proxy and agent live in that namespace; what happened is printed as JSON."""
import contextlib
import fcntl
import importlib.util
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import urllib.request

SECRET = "swordfish"
AGENTS = {"codex": ("CODEX_BIN", "codex_cli_bin", "bin/codex"), "claude": ("CLAUDE_BIN", "claude_agent_sdk", "_bundled/claude")}


def binary(agent):
    """The agent's program: from the environment, or out of its package; None when it is not there."""
    variable, package, path = AGENTS[agent]
    found = importlib.util.find_spec(package)
    places = [os.environ.get(variable), found and pathlib.Path(found.submodule_search_locations[0]) / path]
    return next((pathlib.Path(place) for place in places if place and os.access(place, os.X_OK)), None)


def enclose():
    """Brings loopback up, and makes sure that there is nothing else."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        fcntl.ioctl(made, 0x8914, struct.pack("16sh22x", b"lo", 0x41))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING
        try:
            made.connect(("192.0.2.1", 9))
        except OSError:
            return
    sys.exit("This is no namespace without a network.")


PATCH = f"*** Begin Patch\n*** Add File: made.txt\n+{SECRET}\n*** End Patch"


def worker(task, work):
    """A provider whose model reads the notes, with whichever tool the agent has for that, or makes a file, and tells what the tool has said."""
    from talking_provider import TalkingProvider, text

    tools = {"apply_patch": {"input": PATCH}} if task == "patches" else {
        "Read": {"file_path": str(work / "notes.txt")}, "exec_command": {"cmd": "cat notes.txt"}, "shell_command": {"command": "cat notes.txt"},
        "shell": {"command": ["cat", "notes.txt"]},
    }

    class Worker(TalkingProvider):
        def said(self, body):
            said = super().said(body)
            results = [text(message["content"]) for message in body["messages"] if message["role"] == "tool"]
            if results:
                words = [f"The tools answered: {results[-1]}"]
                return said | {"calls": [], "reason": "stop", "text": words[0], "words": words}
            return said

        def called(self, body, asked):
            names = [tool["function"]["name"] for tool in body.get("tools") or []]
            name = next((name for name in tools if name in names), None)
            return [("call_work", name, json.dumps(tools[name]))] if name else []

    provider = Worker()
    # Codex knows this name, and has other tools for it than for a strange one.
    provider.models = ["gpt-5.5", "thinker"]
    return provider


@contextlib.contextmanager
def serving(kind, work):
    """The proxy, the model's name, and what tells the chats that the upstream has been asked for."""
    import conftest

    if kind == "simulated":
        running = conftest.simulator(work, 1)

        def asked():
            with urllib.request.urlopen(f"{running.url}/__control/requests", timeout=10) as answer:
                return [record for record in json.load(answer)["requests"] if record.get("kind") == "chat"]

        for proxy in conftest.serve(work / "config.conf", running):
            yield proxy, "grok-4", asked
        running.stop()
    else:
        provider = worker(kind, work)
        for proxy in conftest.serve_provider(work, provider):
            yield proxy, "talk/gpt-5.5" if kind == "patches" else "talk/thinker", lambda: [json.loads(body) for _, _, _, body in provider.chats]
        provider.stop()


def codex(program, url, key, model, prompt, home):
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text(f"""
model = "{model}"
model_provider = "proxy"
check_for_update_on_startup = false
[analytics]
enabled = false
[otel]
exporter = "none"
[model_providers.proxy]
name = "proxy"
base_url = "{url}/v1"
env_key = "PROXY_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
""")
    return [program, "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", prompt], {"PROXY_KEY": key, "CODEX_HOME": home / ".codex"}


def claude(program, url, key, model, prompt, home):
    quiet = ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "DISABLE_AUTOUPDATER", "IS_SANDBOX", "CLAUDE_CODE_MAX_RETRIES"]
    environment = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": key, **{name: "1" for name in quiet}}
    return [program, "-p", prompt, "--model", model, "--output-format", "json", "--dangerously-skip-permissions"], environment


def main(agent, kind):
    enclose()
    with tempfile.TemporaryDirectory(prefix="ociai-agent.") as place:
        work = pathlib.Path(place) / "work"
        home = pathlib.Path(place) / "home"
        work.mkdir()
        home.mkdir()
        (work / "notes.txt").write_text(f"The password of the test is {SECRET}.\n")
        # The simulated model calls the tools that it is told the names of.
        prompt = f"Use {'exec_command' if agent == 'codex' else 'Bash'} once." if kind == "simulated" else "Do your work."
        with serving(kind, work) as (proxy, model, asked):
            command, environment = globals()[agent](binary(agent), proxy.base, proxy.key, model, prompt, home)
            base = {"PATH": "/usr/bin:/bin", "HOME": home, "TERM": "dumb", "LANG": "C.UTF-8", "NO_PROXY": "*"}
            try:
                done = subprocess.run(command, env=base | environment, cwd=work, timeout=90, stdin=subprocess.DEVNULL, capture_output=True, text=True)
                told = {"code": done.returncode, "out": done.stdout, "err": done.stderr[-4000:]}
            except subprocess.TimeoutExpired as error:
                told = {"code": None, "out": str(error.stdout), "err": str(error.stderr)[-4000:]}
            told["asked"] = asked()
        made = work / "made.txt"
        told["made"] = made.read_text() if made.exists() else None
        told["log"] = (work / "proxy.log").read_text(errors="replace")[-4000:]
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
