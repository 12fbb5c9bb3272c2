// Making, replacing and taking back a key, and what was done to keys. A key is shown once, and kept nowhere.

import { get, post, remove } from "./api.js";
import { name as nameColumn, text, time } from "./cells.js";
import { openDialog, prose } from "./dialog.js";
import { h } from "./dom.js";
import { button, field, select } from "./panel.js";
import { table } from "./table.js";
import { t, wordFor } from "./words.js";

const path = (name) => `/admin/keys/${encodeURIComponent(name)}`;

export function createKey(changed) {
	const whole = { type: "number", min: 1 };
	const fields = {
		name: field(t("name"), { required: true, maxlength: 64, autofocus: true }),
		role: select(t("role.word"), ["client", "viewer", "admin"].map((role) => [role, wordFor("role", role)])),
		expires: field(t("expires"), { type: "date" }), models: field(t("modelPattern"), { placeholder: "xai\\..*, cohere.*" }),
		budget_hard: field(t("budget.hardLong"), { placeholder: "5 USD per day" }), budget_soft: field(t("budget.softLong"), { placeholder: "3 USD per day" }),
		rpm: field(t("perMinute.requestsLong"), whole), tpm: field(t("perMinute.tokensLong"), whole), max_concurrency: field(t("atOnceLong"), whole),
	};
	openDialog({
		title: t("keys.create"), confirm: t("keys.create"), content: h("div", { class: "form-grid" }, Object.values(fields).map((each) => each.element)),
		async action() {
			const body = {};
			for (const [member, { input }] of Object.entries(fields)) {
				const value = input.value.trim();
				if (value) body[member] = input.type === "number" ? Number(value) : value;
			}
			showKey(await post("/admin/keys", body));
			changed();
		},
	});
}

export function rotateKey(name, changed) {
	const grace = select(t("grace"), ["0s", "1h", "24h", "7d", "30d"].map((time) => [time, time]));
	grace.input.value = "24h";
	openDialog({
		title: t("rotate.title"), confirm: t("rotate.word"), content: [prose(t("rotate.text", { name })), grace.element],
		async action() {
			showKey(await post(`${path(name)}/rotate`, { grace: grace.input.value }));
			changed();
		},
	});
}

export function revokeKey(name, changed) {
	openDialog({
		title: t("revoke.title"), confirm: t("revoke.word"), kind: "danger", content: prose(t("revoke.text", { name })),
		// Even when it could not be written down, the key is refused from now on.
		action: () => remove(path(name)).finally(changed),
	});
}

/** The only time that anybody sees it. When the dialog closes, nothing here knows it any more. */
function showKey({ name, key }) {
	const secret = h("input", { type: "text", readonly: true, class: "secret", "aria-label": t("key") });
	const copied = h("p", { class: "muted", role: "status" });
	secret.value = key;

	async function copy() {
		secret.select();
		try {
			await navigator.clipboard.writeText(secret.value);
			copied.textContent = t("copied");
		} catch {
			// The clipboard is for secure pages only; the selected text is for the keyboard.
			copied.textContent = t("copyByHand");
		}
	}

	openDialog({
		title: t("shown.title"), isSure: true, cancel: t("shown.done"), closed: () => (secret.value = ""),
		content: [prose(t("shown.text", { name })), h("div", { class: "secret-line" }, secret, button(t("copy"), copy, "primary", { autofocus: true })), copied],
	});
}

export async function keyHistory() {
	const rows = table({
		caption: t("keys.history"), key: (row) => row.number, empty: t("none"),
		columns: [nameColumn("key", "key"), text("action.word", (row) => wordFor("action", row.action)), nameColumn("by", "by"), time("time", "at")],
	});
	const said = openDialog({ title: t("keys.history"), content: rows.element });
	try {
		const { data } = await get("/admin/keys/*/history");
		rows.set(data.map((row, number) => ({ ...row, number })).reverse());
	} catch (problem) {
		said.problem(problem);
	}
}
