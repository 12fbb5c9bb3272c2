// Keys: what each may, what it has used, and (for administrators) how to make, replace and take back one.

import { get, repeated } from "./api.js";
import { buttons, column, name, nameCell, number, stackCell, text, textCell, time } from "./cells.js";
import { h, keyed, setAttribute, setHidden, setProperty, setText } from "./dom.js";
import { clock, compact, count, dateOnly, money, share, until } from "./format.js";
import { createKey, keyHistory, revokeKey, rotateKey } from "./keydialogs.js";
import { markCell } from "./mark.js";
import { button, field, filterLine, notice, section, viewOf } from "./panel.js";
import { routeTo } from "./route.js";
import { isAdmin } from "./store.js";
import { table } from "./table.js";
import { t, wordFor } from "./words.js";

export function keysView() {
	let rows = [];
	const said = notice();
	const search = field(t("keys.find"), { type: "search" });
	const revoked = h("input", { type: "checkbox" });
	const why = h("p", { class: "notice" }, t("keys.viewer"));
	const tools = h("div", { class: "buttons" }, button(t("keys.history"), keyHistory), button(t("keys.create"), () => createKey(load), "primary"));
	const list = keyTable(() => load());
	const loading = repeated(load, 15_000);

	async function load() {
		try {
			const usage = get("/dashboard/usage");
			usage.catch(() => {});
			// An administrator can do without it, a viewer has nothing else.
			rows = isAdmin() ? joined((await get("/admin/keys")).data, (await usage.catch(() => ({ keys: [] }))).keys) : withBudgets((await usage).keys);
			said.say("");
		} catch (problem) {
			said.problem(problem);
		}
		draw();
	}

	function draw() {
		const part = search.input.value.trim().toLowerCase();
		list.set(rows.filter((row) => (revoked.checked || !row.revoked_at) && row.name.toLowerCase().includes(part)));
	}

	return {
		element: viewOf(t("nav.keys"), tools, why, said.element,
			filterLine(draw, search.element, h("label", { class: "check" }, revoked, t("keys.showRevoked"))),
			h("div", { class: "view-body" }, section(t("nav.keys"), list.element))),
		update() {
			setHidden(why, isAdmin());
			setHidden(tools, !isAdmin());
		},
		show: loading.start,
		hide: loading.stop,
	};
}

// Budgets as /v1/usage has them, in words.
const withBudgets = (rows) => rows.map((row) => ({ ...row, budgets: (row.budgets ?? []).map(inWords) }));

const inWords = ({ budget, kind, unit, limit, spent, resets_at }) => ({
	text: budget, hard: kind === "hard", used: unit === "nano_usd" ? money(spent) : count(spent), share: limit > 0 ? spent / limit : 1, resets_at,
});

function joined(keys, usage) {
	const used = new Map(withBudgets(usage).map((row) => [row.name, row]));
	return keys.map((key) => ({ ...used.get(key.name), ...key }));
}

function keyTable(changed) {
	const isOurs = (key) => isAdmin() && key.source === "managed" && !key.revoked_at;
	return table({
		caption: t("keys.inWords"), key: (row) => row.name, empty: t("nothingSuits"), isSortable: true,
		columns: [
			column("name", stackCell(nameCell("name", (row) => routeTo("history", { key: row.name })), textCell(origin, "muted name")), { sort: (row) => row.name }),
			column("state.word", stackCell(markCell(stateOf), textCell(stateNote, "muted"))), text("role.word", (row) => wordFor("role", row.role)),
			time("lastUsed", "last_used", { numeric: true }), number("requests", "requests", compact),
			column("budget.word", budgets, { sort: (row) => Math.max(-1, ...(row.budgets ?? []).map((each) => each.share)), numeric: false }),
			text("limits", limits), name("nav.models", (row) => (row.models?.length === 0 ? t("all") : row.models)),
			buttons(
				{ label: t("rotate.word"), nameOf: (row) => row.name, isFor: isOurs, act: (row) => rotateKey(row.name, changed) },
				{ label: t("revoke.word"), nameOf: (row) => row.name, isFor: isOurs, act: (row) => revokeKey(row.name, changed) },
			),
		],
	});
}

const origin = (row) => (row.source ? [t(row.source === "file" ? "keys.file" : "keys.managed"), row.prefix && `${row.prefix}…`].filter(Boolean).join(" · ") : "");

function stateOf(row) {
	if (row.revoked_at) return [t("keys.revoked"), "off"];
	return row.expires && until(row.expires) < 0 ? [t("keys.expired"), "warn"] : [t("keys.valid"), "good"];
}

function stateNote(row) {
	if (row.revoked_at) return clock(row.revoked_at);
	const former = row.former_keys_until?.at(-1);
	return [row.expires && t("reasonUntil", { until: dateOnly(row.expires) }), former && t("keys.former", { at: clock(former) })].filter(Boolean).join(" · ");
}

const limits = (row) => [
	row.rpm && t("perMinute.requests", { n: count(row.rpm) }), row.tpm && t("perMinute.tokens", { n: compact(row.tpm) }),
	row.max_concurrency && t("atOnce", { n: count(row.max_concurrency) }),
].filter(Boolean).join(t("comma")) || null;

function budgets() {
	const node = h("ul", { class: "budgets" });
	return {
		node,
		update(row) {
			const allowed = [...(row.budget_hard ?? []).map((text) => ({ text, hard: true })), ...(row.budget_soft ?? []).map((text) => ({ text }))];
			keyed(node, row.budgets ?? allowed, (budget) => `${Boolean(budget.hard)} ${budget.text}`, budgetLine);
		},
	};
}

function budgetLine() {
	const text = h("span");
	const bar = h("span", { class: "load", "aria-hidden": "true" }, h("span", { class: "load-fill" }));
	return {
		element: h("li", null, text, bar),
		update(budget) {
			const { share: part = null } = budget;
			const kind = t(budget.hard ? "budget.hard" : "budget.soft");
			setText(text, part === null ? `${budget.text} (${kind})` : t("budget.used", { used: budget.used, text: budget.text, kind, share: share(part) }));
			setAttribute(text, "title", budget.resets_at && t("budget.resets", { at: clock(budget.resets_at) }));
			setHidden(bar, part === null);
			setProperty(bar, "--fill", `${Math.min(100, 100 * part)}%`);
			setAttribute(bar, "data-tone", part >= 1 ? "bad" : part >= 0.8 ? "warn" : null);
		},
	};
}
