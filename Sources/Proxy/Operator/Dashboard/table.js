// A real table whose rows live as long as what they stand for, so that it can change each second under a reader's eyes.

import { h, keyed, setAttribute, setHidden } from "./dom.js";
import { t } from "./words.js";

/**
 * `columns` are those of cells.js; the first is the head of its row. `key(row)` must be unique. On narrow screens each row
 * is a card; in between the table scrolls in a region of its own. The roles are spelt out because a table that CSS turns
 * into cards is no table to a screen reader any more.
 */
export function table({ caption, columns, key, empty, kind = null, isSortable = false }) {
	let rows = [];
	let order = null;
	const heads = columns.map(head);
	const body = h("tbody", { role: "rowgroup" });
	const nothing = h("p", { class: "empty", hidden: true }, empty);
	const region = h("div", { class: `scroller ${kind ?? ""}` }, h("table", { role: "table" },
		h("caption", { class: "unseen" }, caption), h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)), body));
	new ResizeObserver(() => {
		// Scrolling with the arrows needs the focus; what does not scroll must not take it.
		const scrolls = region.scrollWidth > region.clientWidth + 1 || region.scrollHeight > region.clientHeight + 1;
		setAttribute(region, "tabindex", scrolls ? "0" : null);
		setAttribute(region, "role", scrolls ? "region" : null);
		setAttribute(region, "aria-label", scrolls ? caption : null);
	}).observe(region.firstChild);

	function head(column) {
		const inside = isSortable && column.sort
			? h("button", { type: "button", class: "sort", on: { click: () => sortBy(column) } }, column.head)
			: h("span", { class: column.isHeadHidden ? "unseen" : null }, column.head);
		return h("th", { role: "columnheader", scope: "col", class: column.numeric ? "number" : null }, inside);
	}

	function sortBy(column) {
		const descends = order?.column === column ? !order.descends : Boolean(column.numeric);
		order = { column, descends };
		columns.forEach((each, index) =>
			setAttribute(heads[index], "aria-sort", each === column ? (descends ? "descending" : "ascending") : null));
		draw();
	}

	function compare(a, b) {
		const [x, y] = [a, b].map((row) => order.column.sort(row) ?? null);
		if (x === null || y === null) return (x === null) - (y === null);
		return (order.descends ? -1 : 1) * (typeof x === "number" ? x - y : String(x).localeCompare(String(y)));
	}

	function draw() {
		keyed(body, order ? [...rows].sort(compare) : rows, key, () => row(columns));
		setHidden(nothing, rows.length > 0);
		setHidden(region, rows.length === 0);
	}

	return {
		element: h("div", { class: "table" }, region, nothing),
		set(newRows) {
			rows = newRows;
			draw();
		},
	};
}

function row(columns) {
	const cells = columns.map((column) => column.cell());
	const element = h("tr", { role: "row" }, columns.map(({ head, numeric, isHeadHidden }, index) =>
		h(index === 0 ? "th" : "td", {
			role: index === 0 ? "rowheader" : "cell", scope: index === 0 ? "row" : null,
			class: numeric ? "number" : null, "data-head": isHeadHidden ? null : head,
		}, h("div", { class: "cell" }, cells[index].node))));
	return { element, update: (item) => cells.forEach((cell) => cell.update(item)) };
}
