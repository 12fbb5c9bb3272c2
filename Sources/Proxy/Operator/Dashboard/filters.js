// How to find requests: filters, the two lists, and a field for an id. The filters stand in the address, to be sent on.

import { h, setAttribute, setHidden } from "./dom.js";
import { button, field, filterLine, select } from "./panel.js";
import { routeTo } from "./route.js";
import { store } from "./store.js";
import { t } from "./words.js";

const hour = 3_600_000;
const periods = { "1h": hour, "24h": 24 * hour, "7d": 168 * hour, "30d": 720 * hour };
const standard = "24h";
const codes = ["400", "401", "403", "404", "413", "429", "499", "500", "502", "503", "504"];

/** `changed(filters)` hears of each choice. `withTime`: also from when to when, which only the ledger can answer. */
export function filterForm(changed, { withTime = false } = {}) {
	const lists = {};
	const suggested = (name) => {
		lists[name] = h("datalist", { id: `known-${name}${withTime ? "-in-ledger" : ""}` });
		return field(t(name), { type: "search", list: lists[name].id });
	};
	const fields = {
		key: suggested("key"), model: suggested("model"), upstream: suggested("upstream"),
		status: select(t("status.word"), [["", t("status.any")], ["ok", t("status.ok")], ["failed", t("status.failed")], ...codes.map((code) => [code, code])]),
	};
	if (withTime) {
		fields.period = select(t("period.word"), [...Object.keys(periods), "own"].map((name) => [name, t(`period.${name}`)]));
		fields.from = field(t("period.from"), { type: "datetime-local" });
		fields.to = field(t("period.to"), { type: "datetime-local" });
	}
	const values = () => Object.fromEntries(Object.entries(fields).map(([name, each]) => [name, each.input.value.trim()]));
	let sent = "";

	function send() {
		showOwn();
		const chosen = values();
		if (JSON.stringify(chosen) === sent) return;
		sent = JSON.stringify(chosen);
		changed(chosen);
	}

	function showOwn() {
		for (const name of ["from", "to"]) if (withTime) setHidden(fields[name].element, fields.period.input.value !== "own");
	}

	function set(filters) {
		for (const [name, { input }] of Object.entries(fields)) input.value = filters[name] ?? (name === "period" ? standard : "");
		showOwn();
		sent = JSON.stringify(values());
	}

	const clear = () => {
		set({});
		sent = "";
		send();
	};
	return {
		element: filterLine(send, Object.values(fields).map((each) => each.element), Object.values(lists), button(t("clear"), clear)),
		set, values,
		suggest() {
			for (const [name, list] of Object.entries(lists)) {
				const known = [...new Set([...store.state?.recent ?? [], ...store.state?.running ?? []].map((row) => row[name]).filter(Boolean))].sort();
				if (list.dataset.shown === (list.dataset.shown = known.join("\n"))) continue;
				list.replaceChildren(...known.map((value) => h("option", { value })));
			}
		},
	};
}

export function boundsOf({ period, from, to }) {
	const date = (text) => (text ? new Date(text) : null);
	if (period === "own") return { from: date(from), to: date(to) };
	return { from: new Date(Date.now() - (periods[period] ?? periods[standard])), to: null };
}

/** Whether a row of the live lists is one to show: any part of a name will do there. */
export function suits(row, { status = "", ...names }) {
	const has = ([name, part]) => (row[name] ?? "").toLowerCase().includes(part.toLowerCase());
	if (!["key", "model", "upstream"].map((name) => [name, names[name] ?? ""]).every(has)) return false;
	const isFailed = row.status >= 400 || Boolean(row.error);
	if (status === "ok") return Boolean(row.status) && !isFailed;
	return status === "failed" ? isFailed : status === "" || String(row.status) === status;
}

const lists = ["requests", "history"];

export function requestTabs(current) {
	const links = lists.map((view) => h("a", { href: routeTo(view), "aria-current": view === current ? "page" : null }, t(`tabs.${view}`)));
	const id = h("input", { type: "search", autocomplete: "off", spellcheck: "false", placeholder: "req_…", "aria-label": t("requestID") });
	const open = (event) => {
		event.preventDefault();
		if (id.value.trim()) location.hash = routeTo("request", {}, id.value.trim());
	};
	return {
		element: h("div", { class: "view-tools" }, h("nav", { class: "tabs", "aria-label": t("tabs.label") }, links),
			h("form", { class: "find", on: { submit: open } }, id, h("button", { type: "submit", class: "small" }, t("open")))),
		carry: (filters) => links.forEach((link, index) => setAttribute(link, "href", routeTo(lists[index], filters))),
	};
}
