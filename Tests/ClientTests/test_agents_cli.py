"""Codex and Claude Code as they are installed, each once round its tool loop, where there is no network but loopback."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from cli_session import AGENTS, SECRET, binary
from talking_provider import THOUGHT

NAMESPACE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]


def missing(agent):
    """Why it cannot be run here; None when it can."""
    if not binary(agent):
        variable, package, _ = AGENTS[agent]
        return f"no program: install the package that brings {package}, or set {variable}"
    if not shutil.which("unshare"):
        return "unshare is missing"
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True)
    return f"no namespace without a network: {tried.stderr.strip()}" if tried.returncode else None


def session(agent, kind, capfd):
    """What a run of the agent has come to."""
    if reason := missing(agent):
        with capfd.disabled():
            print(f"\n*** NOT TESTED: {agent} {kind}: {reason}", file=sys.stderr)
        pytest.skip(reason)
    script = pathlib.Path(__file__).with_name("cli_session.py")
    done = subprocess.run([*NAMESPACE, sys.executable, script, agent, kind], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["code"] == 0, told
    return told


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_reads_a_file(agent, capfd):
    told = session(agent, "reads", capfd)
    assert SECRET in told["out"], told
    # What the model has thought ahead of its call comes back with the call, whether the agent has seen it or not.
    call, result = told["asked"][-1]["messages"][-2:]
    assert (call["role"], call["reasoning_content"]) == ("assistant", THOUGHT) and (result["role"], result["tool_call_id"]) == ("tool", "call_work")
    assert SECRET in result["content"]


def test_codex_applies_a_patch(capfd):
    """A custom tool, whose input is no JSON."""
    told = session("codex", "patches", capfd)
    assert told["made"] == SECRET + "\n", told


@pytest.mark.parametrize("agent", AGENTS)
def test_an_agent_goes_round_its_loop_over_oci(agent, capfd):
    told = session(agent, "simulated", capfd)
    assert len(told["asked"]) == 2 and "The tools answered: " in told["out"], told
