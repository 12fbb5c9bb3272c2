// Requests as the ledger has them: any number, a hundred at a time, so that the page never holds more than it shows.

import { get, newest, withQuery } from "./api.js";
import { number } from "./cells.js";
import { h, setHidden, setText } from "./dom.js";
import { boundsOf, filterForm, requestTabs } from "./filters.js";
import { duration, forServer, money } from "./format.js";
import { button, notice, section, viewOf } from "./panel.js";
import { inOut, whatColumns } from "./requests.js";
import { replaceRoute, routeTo } from "./route.js";
import { table } from "./table.js";
import { t } from "./words.js";

export function ledgerView() {
	let cursors = [""];
	let next = null;
	/** All pages end where the first one was asked, so that rows do not shift under the reader. */
	let end = null;
	const asking = newest();
	const tabs = requestTabs("history");
	const form = filterForm((values) => {
		replaceRoute(routeTo("history", values));
		restart();
	}, { withTime: true });
	const said = notice();
	const rows = ledgerTable();
	const newer = button(t("newer"), () => turn(() => cursors.pop()));
	const older = button(t("older"), () => turn(() => cursors.push(next)));
	const page = h("span", { class: "muted" });
	const exports = h("span", { class: "exports" });
	const list = section(t("tabs.history"), [said.element, rows.element, h("div", { class: "pager" }, newer, page, older, button(t("refresh"), restart))], exports);

	function restart() {
		cursors = [""];
		end = null;
		tabs.carry(form.values());
		return ask();
	}

	async function turn(step) {
		step();
		await ask();
		list.scrollIntoView({ block: "start" });
		// The button that was pressed may be of no use any more.
		if (document.activeElement === document.body) (newer.disabled ? older : newer).focus({ preventScroll: true });
	}

	async function ask() {
		const signal = asking.signal();
		const { key, model, upstream, status, ...time } = form.values();
		const bounds = boundsOf(time);
		end ??= bounds.to ?? new Date(Date.now() + 1000);
		const span = { from: bounds.from && forServer(bounds.from), to: forServer(end) };
		exports.replaceChildren(...exportLinks(span, "request"));
		list.setAttribute("aria-busy", "true");
		let answer = { rows: [], next: null };
		try {
			answer = await get(withQuery("/admin/ledger/requests", { ...span, key, model, upstream, status, limit: 100, before: cursors.at(-1) }), signal);
			said.say("");
		} catch (problem) {
			if (signal.aborted) return;
			said.problem(problem);
		}
		list.removeAttribute("aria-busy");
		next = answer.next;
		rows.set(answer.rows);
		setHidden(rows.element, !said.element.hidden);
		newer.disabled = cursors.length < 2;
		older.disabled = !next;
		setText(page, t("page", { n: cursors.length }));
	}

	return {
		element: viewOf(t("nav.requests"), tabs.element, form.element, h("div", { class: "view-body" }, list)),
		update: form.suggest,
		show(route) {
			form.set(route.filters);
			restart();
		},
		hide: asking.stop,
	};
}

const ledgerTable = () => table({
	caption: t("ledgerInWords"), key: (row) => row.id, empty: t("nothingSuits"),
	columns: [
		...whatColumns("served_model"), number("wait", "wait_ms", duration), number("firstToken", "first_token_ms", duration), number("total", "total_ms", duration),
		number("tokensBoth", (row) => inOut(row.prompt_tokens, row.completion_tokens), String),
		number("cost", (row) => (row.attempts > 0 ? money(row.cost_nano_usd) : ""), String),
	],
});

/** Links: the browser saves the file while it arrives, of whatever size. */
export const exportLinks = (span, level) => ["csv", "jsonl"].map((format) => h("a", {
	href: withQuery("/admin/ledger/export", { ...span, format, level }), download: `ledger-${level}.${format}`,
}, t("export", { format: format.toUpperCase() })));
