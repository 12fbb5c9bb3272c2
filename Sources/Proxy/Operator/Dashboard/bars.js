// Spend by day, as bars. The table of days below says the same in figures.

import { h, setAttribute, setHidden, setText, svg } from "./dom.js";
import { ledgerDay, money } from "./format.js";
import { t } from "./words.js";

const height = 140;
const slot = 20;
const least = 7;

export function dayBars() {
	const chart = svg("svg", { class: "bars", role: "img", preserveAspectRatio: "none" });
	const [top, from, to] = [h("span"), h("span"), h("span")];
	const element = h("figure", { class: "bars-figure" }, top, chart, h("figcaption", null, from, to));
	return {
		element,
		set(days) {
			setHidden(element, days.length === 0);
			if (days.length === 0) return;
			const best = days.reduce((most, day) => ((day.cost ?? 0) > (most.cost ?? 0) ? day : most));
			const total = days.reduce((sum, day) => sum + (day.cost ?? 0), 0);
			setAttribute(chart, "viewBox", `0 0 ${Math.max(days.length, least) * slot} ${height}`);
			setAttribute(chart, "aria-label", t("daysInWords", { n: days.length, total: money(total), top: money(best.cost), day: ledgerDay(best.day) }));
			chart.replaceChildren(...days.flatMap((day, index) => bar(day, index * slot, best.cost || 1)));
			setText(top, money(best.cost));
			setText(from, ledgerDay(days[0].day));
			setText(to, ledgerDay(days.at(-1).day));
		},
	};
}

function bar(day, x, highest) {
	const size = Math.max(((day.cost ?? 0) / highest) * height, 1);
	const unknown = day.unknown > 0 ? ` · ${t("costUnknown", { n: day.unknown })}` : "";
	return [
		svg("rect", { class: "bar", x: x + 2, width: slot - 4, y: height - size, height: size }),
		// The whole height answers to the mouse, not only the bar.
		svg("rect", { class: "bar-field", x, width: slot, y: 0, height }, svg("title", null, `${ledgerDay(day.day)}: ${money(day.cost)}${unknown}`)),
	];
}
