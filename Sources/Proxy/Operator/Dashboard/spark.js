// A line the size of a word: how a value went while the page was open.

import { setAttribute, svg } from "./dom.js";

const width = 120;
const height = 24;
/** Fewer values than these take only the right end of the line, instead of being stretched. */
const least = 60;

export function spark() {
	const line = svg("path", { class: "spark-line" });
	const element = svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, role: "img" }, line);
	return {
		element,
		set(values, label) {
			const top = Math.max(...values, 1e-9);
			const step = (width - 2) / (Math.max(values.length, least) - 1);
			let path = "";
			let isDown = false;
			values.forEach((value, index) => {
				const x = width - 1 - (values.length - 1 - index) * step;
				// A gap stays a gap; a value on its own is a dot.
				if (value !== null) path += `${isDown ? "L" : "M"}${x.toFixed(1)} ${(height - 2 - (value / top) * (height - 4)).toFixed(1)}${isDown ? "" : "h0"}`;
				isDown = value !== null;
			});
			setAttribute(line, "d", path || null);
			setAttribute(element, "aria-label", label);
		},
	};
}
