"""Whether the ledger says what the upstreams and the clients have seen."""
import collections
import http.client
import json
import threading


class Books:
    """What the simulator has answered, by account and status, looked up while it runs: it remembers some thousands of calls only."""

    def __init__(self, simulator):
        self.simulator, self.seen = simulator, collections.Counter()
        self.after, self.open, self.lost = 0, {}, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.over.wait(0.5):
            self.look()

    def look(self):
        while True:
            # Those that have not ended are looked at again.
            first = min(self.open, default=self.after + 1) - 1
            records = ask(self.simulator, f"/__control/requests?after={first}")["requests"]
            if records and records[0]["id"] > first + 1:
                self.lost += records[0]["id"] - first - 1
            for record in records:
                number = record["id"]
                if number <= self.after and number not in self.open:
                    continue
                self.after = max(self.after, number)
                if "ending" not in record:
                    self.open[number] = record
                    continue
                self.open.pop(number, None)
                if record.get("kind") == "chat":
                    self.seen[record["account"], record.get("status")] += 1
            if len(records) < 1000 or first + 1 in self.open:
                return

    def compare(self, proxy, key, told):
        """Prints both, and returns what does not fit.

        An attempt that was given up while its answer was on its way may have a status at one of them and none at the other. A connection that ends
        as soon as a request comes is taken for one that was closing anyway, and the request goes out once more: that is no attempt of its own."""
        self.over.set()
        self.thread.join()
        self.look()
        attempts = collections.Counter((row["upstream"], row["status"], row["outcome"]) for row in rows(proxy, key, "attempt"))
        written = collections.Counter()
        given_up = collections.Counter()
        for (upstream, status, outcome), count in attempts.items():
            written[upstream, status] += count
            if status is None and outcome == "abandoned":
                given_up[upstream] += count
        wrong = [f"{self.lost} calls had been forgotten by the simulator"] if self.lost else []
        print("\n| account | status | the simulator | the ledger |\n|---|---|---|---|")
        for account, status in sorted({key for key in self.seen | written}, key=str):
            seen, own = self.seen[account, status], written[account, status]
            print(f"| {account} | {status or 'none'} | {seen} | {own} |")
            if status is not None and abs(seen - own) > given_up[account]:
                wrong.append(f"{account}, {status}: the simulator has answered {seen} times, the ledger has {own}")
        exact = 0
        for row in rows(proxy, key, "request"):
            usage = told.pop(row["id"], None)
            if usage is None or row["attempts"] != 1:
                continue
            exact += 1
            own = row["prompt_tokens"], row["completion_tokens"]
            # Models that are billed by characters have an estimate beside the tokens.
            if row["truth"] == "unknown" or own != (usage["prompt_tokens"], usage["completion_tokens"]):
                wrong.append(f"request {row['id']}: its client was told {usage}, the ledger has {own}, {row['truth']}")
        print(f"\n{exact} requests of one call with just the tokens that their clients were told; {sum(attempts.values())} attempts in all")
        if told:
            wrong.append(f"{len(told)} requests that clients have ended have no row, such as {next(iter(told))}")
        return wrong


def rows(proxy, key, level):
    connection = http.client.HTTPConnection("127.0.0.1", proxy, timeout=600)
    connection.request("GET", f"/admin/ledger/export?format=jsonl&level={level}", headers={"authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"export: {answer.status} {answer.read()[:300]}")
    for line in answer:
        yield json.loads(line)


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer
