// A state as word, shape and colour: whoever cannot tell two of them has the third.

import { h, setAttribute, setHidden, setText, svg } from "./dom.js";
import { wordFor } from "./words.js";

const tones = {
	ready: "good", full: "busy", cooling: "warn", open: "bad", half_open: "warn", unhealthy: "bad", disabled: "off", unusable: "bad",
	failing: "warn", running: "busy", ok: "good", degraded: "warn", down: "bad", draining: "warn", empty: "off",
	healthy: "good", starting: "busy", shared: "good", pending: "busy", learning: "warn",
};

const shapes = {
	good: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13Z",
	busy: "M8 1.5l6.5 6.5L8 14.5L1.5 8Z",
	warn: "M8 1.5L15 14.5H1Z",
	bad: "M5 1.5h6l3.5 3.5v6L11 14.5H5L1.5 11V5Z",
	off: "M2 6.5h12v3H2Z",
};

const signs = { good: "M5 8.2l2.2 2.2L11.2 6", warn: "M8 6v4M8 11.8v.7", bad: "M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" };

export const toneOf = (state) => tones[state] ?? "off";

export function shape() {
	const body = svg("path", { class: "shape-body" });
	const sign = svg("path", { class: "shape-sign" });
	const element = svg("svg", { class: "shape", viewBox: "0 0 16 16", "aria-hidden": "true" }, body, sign);
	return {
		element,
		set(tone) {
			setAttribute(element, "data-tone", tone);
			setAttribute(body, "d", shapes[tone]);
			setAttribute(sign, "d", signs[tone]);
		},
	};
}

export function mark() {
	const figure = shape();
	const word = h("span");
	const element = h("span", { class: "mark" }, figure.element, word);
	const say = (text, tone) => {
		figure.set(tone);
		setAttribute(element, "data-tone", tone);
		setText(word, text);
	};
	return { element, say, set: (state) => say(wordFor("state", state), toneOf(state)) };
}

export const markCell = (of) => () => {
	const sign = mark();
	return { node: sign.element, update: (row) => sign.say(...of(row)) };
};

export const statusCell = () => {
	const sign = mark();
	const error = h("span", { class: "muted name" });
	return {
		node: h("div", { class: "stack" }, sign.element, error),
		update(row) {
			sign.say(String(row.status ?? "–"), toneOfStatus(row));
			setText(error, row.error);
			setHidden(error, !row.error);
		},
	};
};

export function toneOfStatus({ status, error }) {
	if (status === 499) return "off";
	if (status === 429) return "warn";
	return status >= 400 || error ? "bad" : "good";
}

/** The icon of the browser's tab: seen without opening the page. */
export function iconFor(tone) {
	const colour = { good: "#1a7f4b", warn: "#c77700", bad: "#c92a2a" }[tone] ?? "#868e96";
	const sign = `<path d="${signs[tone] ?? ""}" fill="none" stroke="#fff" stroke-width="1.6"/>`;
	const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="${shapes[tone]}" fill="${colour}"/>${sign}</svg>`;
	return `data:image/svg+xml,${encodeURIComponent(text)}`;
}
