"""A proxy with much to show: three accounts, forty models, two hundred keys and a hundred thousand rows in its ledger."""
import sqlite3
import time

from service import Service, accounts

KEYS, MODELS, ROWS, DAYS = 200, 40, 100_000, 30
HOSTILE = '<img src=x onerror="document.title=1">'


def configuration(config):
    """The simulator's accounts, with aliases to make forty models and with keys to make two hundred."""
    keys = "".join(f"team-{number:03} = sk-team-{number:03}-0123456789abcdef\n" for number in range(KEYS - 4))
    text = accounts(config, "max_failures = 3\nlocal_access = true\n", head=keys)
    models = "".join(f"alias-{number:02} = xai.grok-4\n" for number in range(MODELS - 21))
    return text.replace("[MODELS]\n", "[MODELS]\n" + models) if "[MODELS]\n" in text else text + "\n[MODELS]\n" + models


def fill(path, now):
    """Rows of the last days, and their sums, as the ledger would have written them."""
    database = sqlite3.connect(path)
    with database:
        def name(text):
            database.execute("INSERT OR IGNORE INTO dim(text, known) VALUES (?, 1)", (text,))
            return database.execute("SELECT id FROM dim WHERE text = ?", (text,)).fetchone()[0]

        keys = [name(f"team-{number:03}") for number in range(KEYS - 4)]
        upstreams = [name(f"account_{number}") for number in (1, 2, 3)]
        models = [name(model) for model in ("xai.grok-4", "meta.llama-3.3-70b-instruct", "cohere.command-a-03-2025", HOSTILE)]
        failed, ok, late = name("rate_limit_exceeded"), name("succeeded"), name("rate_limited")
        chat, path_name = name("chat"), name("/v1/chat/completions")
        step = DAYS * 86_400_000_000 // ROWS
        first = now * 1_000_000 - ROWS * step

        def rows():
            for number in range(ROWS):
                at = first + number * step
                key, upstream, model = keys[number * number % len(keys)], upstreams[number % 3], models[number % 7 % 4]
                bad = number % 50 == 0
                prompt, completion = 100 + number % 900, 20 + number % 300
                cost = None if number % 40 == 7 or bad else prompt * 3000 + completion * 15000
                tokens = (None, None) if bad else (prompt, completion)
                truth = 0 if bad else 2
                yield (at << 9, key, None if bad else upstream, model, 429 if bad else 200, failed if bad else None, truth, cost, 1, 1, upstream, model,
                       0 if bad else 1, 300_000, late if bad else ok, 429 if bad else 200, *tokens, cost, 1, at, 1_500_000, truth, chat, path_name,
                       None if bad else model, number % 2, number % 5 * 1000, None if bad else 310_000 + number % 200 * 1000, 1_500_000 + number % 900 * 1000, *tokens,
                       prompt + completion, cost or 0, f"req_{number:08}", HOSTILE if number % 500 == 3 else "grok-4")

        columns = """id, key, upstream, day_model, status, error, truth, cost, attempts, times, last_upstream, last_model, last_served, last_first_token, last_outcome,
            last_status, last_prompt, last_completion, last_cost, last_n, last_at, last_total, last_truth, dialect, endpoint, served_model, stream, wait, first_token, total,
            prompt, completion, charged_tokens, charged_cost, rid, model"""
        marks = ", ".join("?" * len(columns.split(",")))
        database.executemany(f"INSERT INTO request({columns}) VALUES ({marks})", rows())
        for table, length in (("day", 86_400), ("hour", 3600)):
            database.execute(f"""
                INSERT INTO {table} SELECT (id >> 9) / {length * 1_000_000}, key, ifnull(upstream, last_upstream), day_model, count(*), sum(status >= 400), 0, 0, sum(truth = 0), 0,
                    sum(cost IS NULL), count(*), 0, sum(prompt), sum(completion), 0, 0, sum(cost IS NOT NULL), sum(cost), 0, sum(ifnull(first_token, 0)), sum(first_token IS NOT NULL)
                FROM request GROUP BY 1, 2, 3, 4""")
    database.close()


def start(directory, config):
    """The service, with all of it."""
    service = Service(directory, configuration(config), "multi_config.conf").start()
    service.stop()
    fill(service.directory / "ociai-proxy.db", int(time.time()))
    return service.start()
