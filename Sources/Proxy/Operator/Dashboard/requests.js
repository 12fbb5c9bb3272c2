// Requests as they run and as they have just ended: from the process's memory, each second.

import { column, name, number, requestCell, stackCell, text, textCell, timeCell } from "./cells.js";
import { h, setAttribute, setHidden, setText } from "./dom.js";
import { filterForm, requestTabs, suits } from "./filters.js";
import { compact, duration, missing } from "./format.js";
import { statusCell } from "./mark.js";
import { button, section, viewOf } from "./panel.js";
import { replaceRoute, routeTo } from "./route.js";
import { store } from "./store.js";
import { table } from "./table.js";
import { t, wordFor } from "./words.js";

export function requestsView() {
	let filters = {};
	/** The list of ended requests while it is held still for whoever reads it. */
	let held = null;
	const tabs = requestTabs("requests");
	const form = filterForm((values) => {
		replaceRoute(routeTo("requests", values));
		take(values);
	});
	const running = runningTable();
	const recent = recentTable();
	const more = h("p", { class: "muted" });
	const hold = button(t("hold"), () => {
		held = held ? null : store.state?.recent ?? null;
		setAttribute(hold, "aria-pressed", Boolean(held) || "false");
		update();
	}, "small", { "aria-pressed": "false" });
	const body = h("div", { class: "view-body" }, section(t("running"), [running.element, more]), section(t("ended"), recent.element, hold));

	function take(values) {
		filters = values;
		tabs.carry(values);
		update();
	}

	function update() {
		const { state } = store;
		setHidden(body, !state);
		if (!state) return;
		form.suggest();
		running.set(state.running.filter((row) => suits(row, filters)));
		recent.set((held ?? state.recent).filter((row) => suits(row, filters)));
		const others = (state.totals.running ?? 0) - state.running.length;
		setHidden(more, others <= 0);
		setText(more, t("runningMore", { n: others }));
	}

	return {
		element: viewOf(t("nav.requests"), tabs.element, form.element, body), update, tick: update,
		show(route) {
			form.set(route.filters);
			take(route.filters);
		},
	};
}

const age = (row) => Math.max(0, Math.floor((Date.now() - new Date(row.at).getTime()) / 1000) * 1000);

const runningTable = () => table({
	caption: t("running"), key: (row) => row.id, empty: t("nothingSuits"), kind: "short",
	columns: [
		column("request", requestCell), number("age", age, duration), text("phase.word", (row) => wordFor("phase", row.phase)),
		name("key", "key"), name("model", "model"), name("upstream", "upstream"), number("attempts", "attempts"),
		number("firstToken", "first_token_ms", duration), number("tokens", "tokens", compact),
	],
});

const recentTable = () => table({
	caption: t("ended"), key: (row) => row.id, empty: t("nothingSuits"),
	columns: [
		...whatColumns("model"), number("attempts", "attempts"), number("firstToken", "first_token_ms", duration),
		number("total", "total_ms", duration), number("tokensBoth", (row) => inOut(row.tokens_prompt, row.tokens_completion), String),
	],
});

/** Which request it was, how it ended, and what was special: rescued, answered by another model. */
export const whatColumns = (model) => [
	column("request", stackCell(requestCell, timeCell("at"))), column("status.word", statusCell), name("key", "key"),
	column("model", stackCell(nameOf(model), textCell(special, "muted name"))), name("upstream", "upstream"),
];

const nameOf = (model) => name("model", (row) => row[model] ?? row.model).cell;

const special = (row) => [row.rescued && t("rescued"), row.fallback && t("fellBack", { model: row.fallback === true ? "" : row.fallback })].filter(Boolean).join(" · ");

export const inOut = (prompt, completion) => ((prompt ?? completion ?? null) === null ? missing : `${compact(prompt)} / ${compact(completion)}`);
