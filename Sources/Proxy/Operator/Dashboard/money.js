// Money: what was spent, by day, key, model and account, what is not known, and what the month will come to.

import { get, newest, repeated, withQuery } from "./api.js";
import { dayBars } from "./bars.js";
import { column, name, number, text, textCell, time } from "./cells.js";
import { h, setHidden } from "./dom.js";
import { forecast } from "./forecast.js";
import { compact, count, duration, ledgerDay, money, rate, share } from "./format.js";
import { exportLinks } from "./ledger.js";
import { field, filterLine, notice, section, select, tiles, viewOf } from "./panel.js";
import { inOut } from "./requests.js";
import { replaceRoute, routeTo } from "./route.js";
import { table } from "./table.js";
import { t, wordFor } from "./words.js";

const day = 86_400_000;
const subjects = ["summary", "days", "keys", "models", "accounts", "failures"];

export function moneyView() {
	const asking = newest();
	const loading = repeated(load, 60_000);
	const said = notice();
	const period = select(t("period.word"), ["month", "7d", "30d"].map((key) => [key, t(`period.${key}`)]));
	const key = field(t("key"), { type: "search" });
	const figures = tiles({
		spent: t("money.spent"), forecast: t("money.forecast"), unknown: t("money.unknown"), retries: t("money.retries"), tokens: t("tokens"), cached: t("money.cached"),
	});
	const bars = dayBars();
	const exports = h("span", { class: "exports" });
	const parts = {
		days: sumTable("days", column("day", textCell((row) => ledgerDay(row.day)), { sort: (row) => row.day })),
		keys: sumTable("keys", nameOf("key")), models: sumTable("models", nameOf("model")), accounts: sumTable("accounts", nameOf("upstream")),
		failures: failureTable(),
	};
	const body = h("div", { class: "view-body", hidden: true }, figures.element,
		section(t("money.days"), [bars.element, h("details", null, h("summary", null, t("money.daysTable")), parts.days.element)], exports),
		["keys", "models", "accounts", "failures"].map((subject) => section(t(`money.${subject}`), parts[subject].element)));
	const line = filterLine(() => {
		replaceRoute(routeTo("money", { period: period.input.value, key: key.input.value.trim() }));
		load();
	}, period.element, key.element);

	async function load() {
		const signal = asking.signal();
		const from = firstDay(period.input.value);
		const ask = async (subject, first) => (await get(withQuery(`/admin/ledger/${subject}`, { from: first, key: key.input.value.trim() }), signal)).rows;
		exports.replaceChildren(...exportLinks({ from }, "day"));
		try {
			const [month, ...answers] = await Promise.all([ask("days", firstDay("month")), ...subjects.map((subject) => ask(subject, from))]);
			const rows = Object.fromEntries(subjects.map((subject, index) => [subject, answers[index]]));
			said.say("");
			figures.set(figuresOf(rows.summary[0] ?? {}, forecast(month)));
			bars.set(everyDay(rows.days, from));
			for (const [subject, part] of Object.entries(parts)) part.set(subject === "days" ? [...rows.days].reverse() : rows[subject]);
		} catch (problem) {
			if (signal.aborted) return;
			said.problem(problem);
		}
		setHidden(body, !said.element.hidden);
	}

	return {
		element: viewOf(t("nav.money"), null, line, said.element, body),
		update() {},
		show(route) {
			period.input.value = route.filters.period ?? "30d";
			key.input.value = route.filters.key ?? "";
			loading.start();
		},
		hide() {
			loading.stop();
			asking.stop();
		},
	};
}

/** The ledger's days begin in UTC. */
function firstDay(period) {
	const now = new Date();
	if (period === "month") return `${now.toISOString().slice(0, 7)}-01`;
	return new Date(now.getTime() - (Number.parseInt(period || "30", 10) - 1) * day).toISOString().slice(0, 10);
}

function everyDay(rows, from) {
	const known = new Map(rows.map((row) => [row.day, row]));
	const days = [];
	for (let at = Date.parse(from); rows.length > 0 && at <= Date.now(); at += day) {
		const name = new Date(at).toISOString().slice(0, 10);
		days.push({ day: name, cost: known.has(name) ? known.get(name).cost_nano_usd : 0, unknown: known.get(name)?.unknown_cost ?? 0 });
	}
	return days;
}

function figuresOf(sum, month) {
	const number = (word, n = 0) => t(word, { n, all: compact(n) });
	return {
		spent: [money(sum.requests > 0 ? sum.cost_nano_usd : 0), number("requestCount", sum.requests)],
		forecast: month.estimate === null ? [t("unknown"), t("money.early")]
			: [money(month.estimate), t("money.line", { spent: money(month.spent), elapsed: rate(month.elapsed), length: month.length })],
		unknown: [share(sum.unknown_cost / Math.max(sum.requests, 1)), number("money.unknownNote", sum.unknown_cost), sum.unknown_cost > 0 ? "warn" : null],
		retries: [money(sum.retries_cost_nano_usd), number("money.retriesNote", sum.retries)],
		tokens: [compact(sum.prompt_tokens + sum.completion_tokens), t("money.tokensNote", { prompt: compact(sum.prompt_tokens), completion: compact(sum.completion_tokens) })],
		cached: [share(sum.cached_share), t("money.cachedNote")],
	};
}

const nameOf = (member) => name(member, (row) => row[member] ?? t("nobody"), (row) => routeTo("history", { [member]: row[member], period: "30d" }));

function sumTable(subject, first) {
	let total = 0;
	const list = table({
		caption: t(`money.${subject}`), key: (row) => JSON.stringify(row.day ?? row.key ?? row.model ?? row.upstream), empty: t("nothingSuits"), isSortable: true,
		columns: [
			first, number("cost", "cost_nano_usd", money), number("share", (row) => (total > 0 ? (row.cost_nano_usd ?? 0) / total : null), share),
			number("requests", "requests"), number("failed", "failed"),
			column("tokensBoth", textCell((row) => inOut(row.prompt_tokens, row.completion_tokens)), { numeric: true, sort: (row) => row.prompt_tokens + row.completion_tokens }),
			number("firstToken", (row) => row.first_token_p50_ms ?? row.first_token_ms, duration), number("money.unknown", "unknown_cost"),
		],
	});
	return {
		element: list.element,
		set(rows) {
			total = rows.reduce((sum, row) => sum + (row.cost_nano_usd ?? 0), 0);
			list.set(rows);
		},
	};
}

const failureTable = () => table({
	caption: t("money.failures"), key: (row) => JSON.stringify([row.level, row.error, row.upstream, row.status]), empty: t("none"), isSortable: true,
	columns: [
		name("error", (row) => wordFor("outcome", row.error)), text("level.word", (row) => t(row.level === "attempt" ? "level.attempt" : "level.request")),
		name("upstream", "upstream"), number("status.word", "status", (status) => status ?? ""), number("count", "count", count), time("lastTime", "last_at", { numeric: true }),
	],
});
