"""`ociai-proxy import`: configurations of LiteLLM and of the OCI access gateway, as people publish them, become one of the proxy's that passes -check."""
import contextlib
import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from conftest import BIN
from fake_provider import FakeProvider
from service import Service

PROGRAM = BIN / "ociai-proxy"
FIXTURES = Path(__file__).parent.parent / "Fixtures"
CONFIGURATIONS = FIXTURES / "import"
KEY = FIXTURES / "oci" / "signing" / "test_key.pem"
FINGERPRINT = json.loads((FIXTURES / "oci" / "signing" / "identity.json").read_text())["fingerprint"]
SECRETS = ["must-not-be-shown", "never-be-shown", "SECRETSECRET", "sk-made-up-and-secret", "secret-of-the-database", "another-key-of-that-kind"]

LITELLM = sorted(path.name for path in CONFIGURATIONS.glob("litellm-*.yaml"))
GATEWAY = [("oci-gateway-models.yaml", "oci-gateway-config.py"), ("oci-gateway-instance.yaml", "oci-gateway-instance.env")]

# What variables of these configurations have to look like; whatever else is a key.
VALUES = {
    "OCI_USER": "ocid1.user.oc1..aaaaaaaagiven", "OCI_TENANCY": "ocid1.tenancy.oc1..aaaaaaaagiven", "OCI_COMPARTMENT_ID": "ocid1.compartment.oc1..aaaaaaaagiven",
    "OCI_FINGERPRINT": FINGERPRINT, "OCI_REGION": "us-chicago-1", "OCI_KEY_FILE": "given.pem", "AZURE_MINI_BASE": "https://mini.example/openai/v1",
}


def run(*arguments, environment={}, cwd=None):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd, env={"PATH": os.environ["PATH"], **environment})


def furnished(directory, text):
    """Puts there what a configuration refers to; gives the environment."""
    for name in re.findall(r"^key_file = (\S+)$", text, re.M):
        name = VALUES["OCI_KEY_FILE"] if name.startswith("${") else name
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(KEY, directory / name)
        (directory / name).chmod(0o600)
    profiles = re.findall(r"^profile = (\S+)$", text, re.M)
    oci = directory / ".oci"
    oci.mkdir()
    shutil.copy(KEY, oci / "key.pem")
    (oci / "key.pem").chmod(0o600)
    (oci / "config").write_text("".join(
        f"[{name}]\nuser=ocid1.user.oc1..p\nfingerprint={FINGERPRINT}\ntenancy=ocid1.tenancy.oc1..p\nregion=us-chicago-1\nkey_file={oci}/key.pem\n" for name in sorted(set(profiles))))
    names = set(re.findall(r"\$\{(\w+)\}", re.sub(r"^#.*$", "", text, flags=re.M)))
    return {"HOME": str(directory), **{name: VALUES.get(name, f"key-for-{name.lower()}") for name in names}}


def imported(directory, *arguments):
    out = directory / "imported.conf"
    done = run("import", *arguments, "-o", out)
    assert done.returncode == 0, done
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert not done.stdout, done
    text = out.read_text()
    for secret in SECRETS:
        assert secret not in text and secret not in done.stderr, secret
    return out, text, done.stderr


def checked(out, environment):
    done = run("-config", out, "-check", environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("unknown key", "unknown section", "has no effect", "is set twice", "is the same as"):
        assert word not in done.stdout, done.stdout
    return done.stdout


@pytest.mark.parametrize("name", LITELLM)
def test_litellm(name, tmp_path):
    out, text, report = imported(tmp_path, "litellm", CONFIGURATIONS / name)
    environment = furnished(tmp_path, text)
    check = checked(out, environment)
    for key in environment:
        if key != "HOME":
            assert f"give the proxy {key}" in report, report
            # None of them: an error with its line, and what to do.
            done = run("-config", out, "-check", environment={k: v for k, v in environment.items() if k != key})
            line = next(number for number, line in enumerate(text.split("\n"), 1) if "${" + key + "}" in line)
            assert done.returncode == 78 and f"imported.conf:{line}: " in done.stdout + done.stderr and key in done.stdout + done.stderr, done
    for value in environment.values():
        assert not value.startswith("key-for-") or value not in check


@pytest.mark.parametrize("models, settings", GATEWAY)
def test_oci_gateway(models, settings, tmp_path):
    out, text, report = imported(tmp_path, "oci-gateway", CONFIGURATIONS / models, "-settings", CONFIGURATIONS / settings)
    assert "auth = instance_principal" in text or "profile = " in text
    checked(out, furnished(tmp_path, text))


@pytest.mark.parametrize("name", LITELLM)
def test_each_line_with_a_key_is_in_the_report(name, tmp_path):
    done = run("import", "litellm", CONFIGURATIONS / name)
    told = {int(line) for line in re.findall(rf"{re.escape(name)}:(\d+): (?:taken|changed|dropped) ", done.stderr)}
    for number, line in enumerate((CONFIGURATIONS / name).read_text().split("\n"), 1):
        if re.match(r'^[\s-]*["\w][\w"*/.<-]*\s*:', line):
            assert number in told, f"{number}: {line}"


def test_standard_output_has_the_configuration_alone(tmp_path):
    name = "litellm-mixed.yaml"
    out, text, _ = imported(tmp_path, "litellm", CONFIGURATIONS / name)
    done = run("import", "litellm", CONFIGURATIONS / name)
    assert done.stdout == text and "keys:" in done.stderr
    assert run("import", "litellm", CONFIGURATIONS / name, "-o", "-").stdout == text


def test_a_file_that_is_there_stays(tmp_path):
    out = tmp_path / "out.conf"
    out.write_text("mine")
    done = run("import", "litellm", CONFIGURATIONS / "litellm-home.yaml", "-o", out)
    assert done.returncode == 1 and "-force" in done.stderr and out.read_text() == "mine", done
    out.chmod(0o644)
    done = run("import", "litellm", CONFIGURATIONS / "litellm-home.yaml", "-o", out, "-force")
    assert done.returncode == 0 and out.read_text() != "mine" and stat.S_IMODE(out.stat().st_mode) == 0o600, done
    link = tmp_path / "link.conf"
    link.symlink_to(tmp_path / "nowhere.conf")
    done = run("import", "litellm", CONFIGURATIONS / "litellm-home.yaml", "-o", link)
    assert done.returncode == 1 and not (tmp_path / "nowhere.conf").exists(), done
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.conf", "out.conf"]


def test_the_source_stays_as_it_is(tmp_path):
    source = tmp_path / "config.yaml"
    shutil.copy(CONFIGURATIONS / "litellm-production.yaml", source)
    before = source.read_bytes(), source.stat().st_mtime_ns
    imported(tmp_path, "litellm", source)
    (tmp_path / "link.yaml").symlink_to(source)
    done = run("import", "litellm", source, "-o", tmp_path / "link.yaml", "-force")
    assert done.returncode == 64 and "link.yaml" in done.stderr, done
    assert (source.read_bytes(), source.stat().st_mtime_ns) == before


@pytest.mark.parametrize("text, line, says", [
    (b"model_list:\n\t- a: 1\n", 2, "tab"), (b"a: 1\na: 2\n", 1, "twice"), (b"model_list: []\n---\na: 1\n", 3, "second document"), (b"\xff\xfea\x00", 1, "UTF-16"),
    (b"a: 1\nb: \xff\n", 2, "UTF-8"), (b"model_list: " + b"[" * 100000, None, "nest"), (b"- region: x\n", 1, "oci-gateway"), (b"", None, "empty"),
])
def test_what_cannot_be_read_is_told_with_its_line(text, line, says, tmp_path):
    source = tmp_path / "config.yaml"
    source.write_bytes(text)
    done = run("import", "litellm", source, "-o", tmp_path / "out.conf")
    assert done.returncode == 78 and says in done.stderr and done.stderr.count("\n") == 1, done
    assert line is None or f"config.yaml:{line}: " in done.stderr, done
    assert not (tmp_path / "out.conf").exists()


def test_nothing_that_can_be_asked(tmp_path):
    source = tmp_path / "config.yaml"
    source.write_text("model_list:\n  - {model_name: a, litellm_params: {model: bedrock/x}}\n")
    done = run("import", "litellm", source, "-o", tmp_path / "out.conf")
    assert done.returncode == 78 and "AWS signature" in done.stderr and not (tmp_path / "out.conf").exists(), done


@pytest.mark.parametrize("arguments", [["import"], ["import", "openai", "x"], ["import", "litellm"], ["import", "litellm", "x", "y"], ["import", "litellm", "x", "-settings", "y"], ["import", "litellm", "x", "-nonsense"]], ids=" ".join)
def test_bad_usage(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 64 and not done.stdout and done.stderr, done


@pytest.mark.parametrize("place", ["missing.yaml", "."])
def test_a_file_that_is_none(place, tmp_path):
    done = run("import", "litellm", place, cwd=tmp_path)
    assert done.returncode == 78 and place in done.stderr, done


def test_help():
    for dashes in ("-", "--"):
        done = run("import", f"{dashes}help")
        assert done.returncode == 0 and "litellm" in done.stdout and "oci-gateway" in done.stdout, done


class Closing(FakeProvider):
    def close(self):
        self.stop()


def test_what_is_imported_serves(tmp_path):
    """Names, pools and fallbacks as the configuration meant them, over providers that answer."""
    with contextlib.closing(Closing()) as one, contextlib.closing(Closing()) as two:
        source = tmp_path / "config.yaml"
        source.write_text(f"""
model_list:
  - model_name: chat
    litellm_params: {{model: openai/m1, api_base: {one.url}, api_key: os.environ/KEY_ONE}}
  - model_name: chat
    litellm_params: {{model: openai/m1, api_base: {two.url}, api_key: os.environ/KEY_TWO}}
router_settings:
  model_group_alias: {{other: chat}}
general_settings: {{master_key: os.environ/MASTER}}
""")
        out, text, _ = imported(tmp_path, "litellm", source)
        environment = {"KEY_ONE": "token-one", "KEY_TWO": "token-two", "MASTER": "a-master-key-of-ours"}
        done = run("-config", out, "-check", environment=environment)
        assert done.returncode == 0, done
        os.environ.update(environment)
        try:
            service = Service(tmp_path / "s", text, name="imported.conf").start()
        finally:
            for name in environment:
                del os.environ[name]
        try:
            for model in ["chat", "chat", "other", "other"]:
                answer = service.chat("a-master-key-of-ours", model)
                assert answer.status == 200 and answer.json["model"] == model, answer
            assert service.chat("another-key", "chat").status == 401
            for provider, token in ((one, "token-one"), (two, "token-two")):
                chats = [headers for method, path, headers, _ in provider.requests if path.endswith("/chat/completions")]
                assert [headers["authorization"] for headers in chats] == [f"Bearer {token}"] * 2, chats
        finally:
            service.stop()
