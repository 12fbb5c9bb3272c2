// Cells of tables. Each maker gives {node, update(row)}; `of` is a member of the row, or takes from it what is shown.

import { h, setAttribute, setHidden, setText } from "./dom.js";
import { clock, count, missing, setTime } from "./format.js";
import { button } from "./panel.js";
import { routeTo } from "./route.js";
import { t } from "./words.js";

const reader = (of) => (typeof of === "string" ? (row) => row[of] : of);

export const textCell = (of, kind = null) => () => {
	const node = h("span", { class: kind });
	const read = reader(of);
	return { node, update: (row) => setText(node, read(row) ?? missing) };
};

/** Names that somebody else has chosen, of any length and any letters. The whole is in the title. */
export const nameCell = (of, hrefOf) => () => {
	const node = h(hrefOf ? "a" : "span", { class: "name" });
	const read = reader(of);
	return {
		node,
		update(row) {
			const name = [read(row) ?? []].flat().join(", ");
			setText(node, name || missing);
			setAttribute(node, "title", name.length > 24 ? name : null);
			if (hrefOf) setAttribute(node, "href", name ? hrefOf(row) : null);
		},
	};
};

export const requestCell = nameCell("id", (row) => routeTo("request", {}, row.id));

export const timeCell = (of, write = clock) => () => {
	const node = h("time");
	const read = reader(of);
	return { node, update: (row) => setTime(node, read(row), write) };
};

export const stackCell = (...makers) => () => {
	const cells = makers.map((make) => make());
	return {
		node: h("div", { class: "stack" }, cells.map((cell) => cell.node)),
		update: (row) => cells.forEach((cell) => cell.update(row)),
	};
};

/** A row's buttons: [{label, nameOf(row), isFor(row), act(row), kind}]. The accessible name says of what. */
const buttonsCell = (buttons) => () => {
	let current = null;
	const nodes = buttons.map((each) => button(each.label, () => each.act(current), each.kind ?? "small"));
	return {
		node: h("div", { class: "buttons" }, nodes),
		update(row) {
			current = row;
			nodes.forEach((node, index) => {
				const { label, nameOf, isFor } = buttons[index];
				setHidden(node, !isFor(row));
				setAttribute(node, "aria-label", `${label}: ${nameOf(row)}`);
			});
		},
	};
};

// Columns: a heading, a cell, and what to sort by.

export const column = (word, cell, options) => ({ head: t(word), cell, ...options });
export const text = (word, of, options) => column(word, textCell(of), { sort: reader(of), ...options });
export const name = (word, of, hrefOf, options) => column(word, nameCell(of, hrefOf), { sort: reader(of), ...options });
export const time = (word, of, options) => column(word, timeCell(of), { sort: reader(of), ...options });
export const buttons = (...each) => column("actions", buttonsCell(each), { isHeadHidden: true });

export function number(word, of, write = count, options = {}) {
	const read = reader(of);
	return column(word, textCell((row) => write(read(row))), { numeric: true, sort: read, ...options });
}
