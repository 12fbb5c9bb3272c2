// The parts that views are made of: a head, panels with a heading, fields with a label, a line of filters, a place for what
// went wrong, and figures that are read at a glance.

import { h, setAttribute, setHidden, setText } from "./dom.js";
import { t } from "./words.js";

/** A view: its title, what stands beside it, and what stands below. The title takes the focus when the view is opened. */
export const viewOf = (title, tools, ...children) =>
	h("div", null, h("div", { class: "view-head" }, h("h1", { tabindex: "-1" }, title), tools), children);

export const section = (title, children, extra) =>
	h("section", { class: "panel" }, h("div", { class: "panel-head" }, h("h2", null, title), extra), children);

export const button = (text, act, kind = null, attributes) =>
	h("button", { type: "button", class: kind, on: { click: act }, ...attributes }, text);

const plain = { autocomplete: "off", spellcheck: "false" };

/** {input, element}: the element is the label with the input in it. */
export const field = (label, attributes) => labelled(label, h("input", { type: "text", ...plain, ...attributes }));

export const select = (label, options) =>
	labelled(label, h("select", null, options.map(([value, text]) => h("option", { value }, text))));

function labelled(label, input) {
	return { input, element: h("label", { class: "field" }, h("span", null, label), input) };
}

/** A form that says `changed` a moment after somebody has stopped typing. */
export function filterLine(changed, ...children) {
	let typing = 0;
	const now = () => {
		clearTimeout(typing);
		changed();
	};
	const soon = () => {
		clearTimeout(typing);
		typing = setTimeout(changed, 300);
	};
	const submit = (event) => {
		event.preventDefault();
		now();
	};
	return h("form", { class: "filters", role: "search", "aria-label": t("filters"), on: { submit, change: now, input: soon } }, children);
}

export function problemText(problem) {
	if (problem.status === undefined) {
		// Our own mistake: the console is where somebody can find it.
		console.warn(problem);
		return t("problem.failed", { status: problem.message });
	}
	if (problem.status === 0) return t("problem.unreachable");
	if (problem.status === 404 && (!problem.message || problem.code === "unknown_path")) return t("problem.absent");
	return problem.message || t("problem.failed", { status: problem.status });
}

export function notice() {
	const element = h("p", { class: "notice", hidden: true });
	const say = (text, kind = "info") => {
		setText(element, text);
		element.dataset.kind = kind;
		setHidden(element, !text);
	};
	return { element, say, problem: (problem) => say(problemText(problem), [404, 503].includes(problem.status) ? "info" : "bad") };
}

/** `names`: {id: label}. `set({id: [figure, note, tone]})` writes them. */
export function tiles(names) {
	const parts = Object.entries(names).map(([id, label]) => {
		const [value, note] = [h("dd", { class: "tile-value" }), h("dd", { class: "muted" })];
		return { id, value, note, element: h("div", null, h("dt", { class: "muted" }, label), value, note) };
	});
	return {
		element: h("dl", { class: "tiles" }, parts.map((part) => part.element)),
		set(figures) {
			for (const { id, value, note, element } of parts) {
				const [figure, text, tone] = figures[id];
				setText(value, figure);
				setText(note, text);
				setAttribute(element, "data-tone", tone);
			}
		},
	};
}
