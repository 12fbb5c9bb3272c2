// Models: who serves each, what it costs, when it retires, and what it cannot do.

import { get, post } from "./api.js";
import { column, name, nameCell, number, stackCell, textCell } from "./cells.js";
import { h, setHidden } from "./dom.js";
import { compact, dateOnly, until } from "./format.js";
import { markCell } from "./mark.js";
import { button, field, filterLine, notice, section, viewOf } from "./panel.js";
import { routeTo } from "./route.js";
import { isAdmin, store } from "./store.js";
import { table } from "./table.js";
import { t } from "./words.js";

/** Days before the end, as long as the first alert comes before it. */
const soon = 30;

export function modelsView() {
	let models = [];
	const said = notice();
	const search = field(t("models.find"), { type: "search" });
	const refresh = button(t("models.refresh"), askUpstreams);
	const list = modelTable();

	async function load() {
		try {
			({ models } = await get("/dashboard/models"));
			said.say("");
		} catch (problem) {
			said.problem(problem);
		}
		draw();
	}

	async function askUpstreams() {
		refresh.disabled = true;
		try {
			const { models: n, added, removed } = await post("/admin/models/refresh");
			await load();
			said.say(t("models.refreshed", { n, added: added.length, removed: removed.length }));
		} catch (problem) {
			said.problem(problem);
		}
		refresh.disabled = false;
	}

	function draw() {
		const part = search.input.value.trim().toLowerCase();
		list.set(models.filter((model) => [model.id, model.model_id, ...model.upstreams].some((text) => text.toLowerCase().includes(part))));
	}

	return {
		element: viewOf(t("nav.models"), refresh, said.element, filterLine(draw, search.element), h("div", { class: "view-body" }, section(t("nav.models"), list.element))),
		// It wants a key, or a session that was got for one.
		update: () => setHidden(refresh, !isAdmin() || store.session.local),
		show: load,
	};
}

const modelTable = () => table({
	caption: t("models.inWords"), key: (row) => row.id, empty: t("nothingSuits"), isSortable: true,
	columns: [
		column("model", stackCell(nameCell("id", (row) => routeTo("history", { model: row.id })),
			textCell((row) => (row.model_id === row.id ? "" : row.model_id), "muted name")), { sort: (row) => row.id }),
		name("models.servedBy", "upstreams"),
		column("models.price", stackCell(textCell((row) => row.price ?? t("unknown")), textCell((row) => row.price_source ?? "", "muted"))),
		column("models.retires", stackCell(markCell(retirement), textCell(retirementNote, "muted name")), { sort: (row) => row.retires_at }),
		number("models.context", "context_window", compact),
		column("models.rescue", markCell((row) => (row.rescue ? [t("yes"), "good"] : [t("no"), "off"])), { sort: (row) => Number(row.rescue) }),
		name("models.refuses", "refused_parameters"), name("models.fallbacks", "fallbacks"),
	],
});

function retirement(row) {
	if (!row.retires_at) return [row.retirement_note ? t("unknown") : t("none"), "off"];
	const left = Math.ceil(until(row.retires_at) / 86_400_000);
	return left < 0 ? [t("models.retired"), "bad"] : [t("models.inDays", { n: left }), left <= soon ? "warn" : "off"];
}

const retirementNote = (row) => [
	row.retires_at && dateOnly(row.retires_at), row.retirement_note, row.successor && t("models.successor", { model: row.successor }),
].filter(Boolean).join(" · ");
