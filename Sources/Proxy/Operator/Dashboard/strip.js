// The health of an upstream in the last 24 hours, a minute by a minute, and what each colour means.

import { h, setAttribute, svg } from "./dom.js";
import { clock, share } from "./format.js";
import { t, wordFor } from "./words.js";

/** By letter. What is worse is higher, so that it shows without colours too. */
const kinds = {
	r: { state: "ready", size: 9 }, c: { state: "cooling", size: 16 }, o: { state: "open", size: 24 }, u: { state: "unhealthy", size: 24 },
	".": { state: "nothing", size: 2 },
};
const height = 24;
const wordOf = (kind) => wordFor("state", kind.state);
const rect = (kind, x, width, ...inside) =>
	svg("rect", { class: `strip-${kind.state}`, x, width, y: height - kind.size, height: kind.size }, ...inside);

export function strip() {
	const element = svg("svg", { class: "strip", role: "img", preserveAspectRatio: "none" });
	let drawn = "";
	return {
		element,
		/** `letters`: one a minute, the oldest first. `to`: the end of the last. */
		set(letters, to, name) {
			if (`${to} ${letters}` === drawn) return;
			drawn = `${to} ${letters}`;
			setAttribute(element, "viewBox", `0 0 ${letters.length} ${height}`);
			setAttribute(element, "aria-label", `${t("stripOf", { name })}: ${summary(letters)}`);
			const at = (minute) => clock(new Date(to).getTime() - (letters.length - minute) * 60_000);
			element.replaceChildren(...runs(letters).map(({ kind, start, end }) =>
				rect(kind, start, end - start, svg("title", null, `${at(start)} – ${at(end)}: ${wordOf(kind)}`))));
		},
	};
}

function runs(letters) {
	const found = [];
	[...letters].forEach((letter, index) => {
		const kind = kinds[letter] ?? kinds["."];
		const last = found.at(-1);
		if (last?.kind === kind) last.end = index + 1;
		else found.push({ kind, start: index, end: index + 1 });
	});
	return found;
}

function summary(letters) {
	const parts = Object.entries(kinds).map(([letter, kind]) => [kind, letters.split(letter).length - 1]);
	return parts.filter(([, n]) => n > 0).map(([kind, n]) => `${wordOf(kind)} ${share(n / letters.length)}`).join(", ");
}

export const stripLegend = () => h("p", { class: "legend" }, Object.values(kinds).map((kind) =>
	h("span", null, svg("svg", { viewBox: `0 0 10 ${height}`, "aria-hidden": "true" }, rect(kind, 0, 10)), wordOf(kind))));
