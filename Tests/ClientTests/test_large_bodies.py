"""A body that is too large is refused in words with every client that is here, whether it reads while it writes or not."""
import asyncio
import http.client
import pathlib
import shutil
import subprocess
import urllib.parse

import openai
import pytest

try:
    import httpx2 as httpx  # what openai 3 comes with
except ImportError:
    import httpx

MEBIBYTES = [33, 200]
PATH = "/v1/chat/completions"


def size(mebibytes):
    return mebibytes << 20


@pytest.fixture
def body(tmp_path):
    """A file of so many mebibytes; it has no JSON in it, which nobody comes to see."""

    def write(mebibytes):
        file = tmp_path / f"{mebibytes}"
        with open(file, "wb") as output:
            output.truncate(size(mebibytes))
        return file

    return write


def refused(status, text):
    return status == 413 and "request_too_large" in text and "max_request_size" in text


# Of a body whose length is not told, no more than four times the limit is read.
@pytest.mark.parametrize("framing, mebibytes", [("length", 33), ("length", 200), ("chunked", 33)])
def test_curl(proxy, body, framing, mebibytes):
    if not shutil.which("curl"):
        pytest.skip("no curl")
    headers = ["-H", "expect:", "-H", f"authorization: Bearer {proxy.key}", "-H", "content-type: application/json"]
    headers += ["-H", "transfer-encoding: chunked"] if framing == "chunked" else []
    command = ["curl", "-sS", "-m", "60", "-w", "\n%{http_code}", *headers, "-T", body(mebibytes), "-X", "POST", proxy.base + PATH]
    done = subprocess.run(command, capture_output=True, text=True)
    text, _, status = done.stdout.rpartition("\n")
    assert refused(int(status), text), (done.stdout[-300:], done.stderr)


@pytest.mark.parametrize("mebibytes", MEBIBYTES)
def test_who_writes_everything_first(proxy, body, mebibytes):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(proxy.base).netloc, timeout=60)
    with open(body(mebibytes), "rb") as file:
        connection.request("POST", PATH, file, {"authorization": f"Bearer {proxy.key}", "content-length": str(size(mebibytes))})
    answer = connection.getresponse()
    assert refused(answer.status, answer.read().decode())
    connection.close()


@pytest.mark.parametrize("mebibytes", MEBIBYTES)
def test_httpx(proxy, mebibytes):
    headers = {"authorization": f"Bearer {proxy.key}", "content-length": str(size(mebibytes))}
    piece = b"x" * (1 << 20)
    answer = httpx.post(proxy.base + PATH, headers=headers, content=(piece for _ in range(mebibytes)), timeout=60)
    assert refused(answer.status_code, answer.text)

    async def ask():
        async def pieces():
            for _ in range(mebibytes):
                yield piece

        async with httpx.AsyncClient(timeout=60) as client:
            return await client.post(proxy.base + PATH, headers=headers, content=pieces())

    answer = asyncio.run(ask())
    assert refused(answer.status_code, answer.text)


@pytest.mark.parametrize("mebibytes", MEBIBYTES)
def test_openai(proxy, mebibytes):
    question = {"model": "grok-4", "messages": [{"role": "user", "content": "x" * size(mebibytes)}]}
    settings = {"base_url": f"{proxy.base}/v1", "api_key": proxy.key, "max_retries": 0, "timeout": 60}
    with pytest.raises(openai.APIStatusError) as told:
        openai.OpenAI(**settings).chat.completions.create(**question)
    assert refused(told.value.status_code, told.value.response.text)

    async def ask():
        async with openai.AsyncOpenAI(**settings) as client:
            await client.chat.completions.create(**question)

    with pytest.raises(openai.APIStatusError) as told:
        asyncio.run(ask())
    assert refused(told.value.status_code, told.value.response.text)


NODE = """
const http = require("http"), [url, key, size] = process.argv.slice(1), piece = Buffer.alloc(1 << 20, "x");
const request = http.request(url, {method: "POST", headers: {authorization: "Bearer " + key, "content-length": size}}, (answer) => {
    let text = "";
    answer.on("data", (part) => text += part).on("end", () => { console.log(text + "\\n" + answer.statusCode); process.exit(0); });
});
request.on("error", (error) => { console.log(error.code); process.exit(1); });
let left = Number(size);
const write = () => {
    while (left > 0) { left -= piece.length; if (!request.write(piece)) return request.once("drain", write); }
    request.end();
};
write();
"""
FETCH = """
const [url, key, size] = process.argv.slice(1);
fetch(url, {method: "POST", headers: {authorization: "Bearer " + key}, body: Buffer.alloc(Number(size), "x")})
    .then(async (answer) => console.log(await answer.text() + "\\n" + answer.status)).catch((error) => console.log(error.cause?.code ?? error));
"""


@pytest.mark.parametrize("mebibytes", MEBIBYTES)
@pytest.mark.parametrize("script", [NODE, FETCH], ids=["http", "fetch"])
def test_node(proxy, mebibytes, script):
    if not shutil.which("node"):
        pytest.skip("no node")
    done = subprocess.run(["node", "-e", script, proxy.base + PATH, proxy.key, str(size(mebibytes))], capture_output=True, text=True, timeout=90)
    text, _, status = done.stdout.strip().rpartition("\n")
    assert status.isdigit() and refused(int(status), text), (done.stdout[-300:], done.stderr[-300:])


JAVA = """
import java.net.URI;
import java.net.http.*;
import java.nio.file.Path;

class Ask {
    public static void main(String[] words) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(words[0])).header("authorization", "Bearer " + words[1])
            .POST(HttpRequest.BodyPublishers.ofFile(Path.of(words[2]))).build();
        var answer = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.body() + "\\n" + answer.statusCode());
    }
}
"""


@pytest.mark.parametrize("mebibytes", MEBIBYTES)
def test_java(proxy, body, tmp_path, mebibytes):
    if not shutil.which("java"):
        pytest.skip("no java")
    source = pathlib.Path(tmp_path / "Ask.java")
    source.write_text(JAVA)
    done = subprocess.run(["java", source, proxy.base + PATH, proxy.key, body(mebibytes)], capture_output=True, text=True, timeout=120)
    text, _, status = done.stdout.strip().rpartition("\n")
    assert status.isdigit() and refused(int(status), text), (done.stdout[-300:], done.stderr[-600:])
