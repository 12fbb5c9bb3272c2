"""/openapi.json against the service itself: requests by the thousand as the document allows and forbids them, and what comes back as it promises."""
import json
import os
import subprocess
import sys
import urllib.request

import pytest

pytest.importorskip("schemathesis", reason="*** schemathesis is not installed: the service is not compared with its document")

# What it promises of each answer. That a request which fits its schema may be refused, by what a model family does not take, the document says itself.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance," \
    "negative_data_rejection,unsupported_method,allow_header_conformance,missing_required_header"


def test_the_service_is_as_its_document_says(proxy, tmp_path):
    document = json.load(urllib.request.urlopen(f"{proxy.base}/openapi.json", timeout=10))
    assert document["openapi"].startswith("3.1")
    command = [
        os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", f"{proxy.base}/openapi.json",
        "-H", f"Authorization: Bearer {proxy.key}", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "8",
        "--seed", "1", "--request-timeout", "60", "--exclude-path", "/v1/reload", "--exclude-path", "/dashboard/events", "--continue-on-failure", "--no-color", "--warnings", "off",
    ]
    run = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout[-20000:] + run.stderr[-2000:]
    assert "Tested: 27" in run.stdout or "Tested:" in run.stdout, run.stdout[-2000:]
