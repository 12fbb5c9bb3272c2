// What the proxy has warned of: alerts as they came, and what the start said about the configuration.

import { h, keyed, setHidden, setText } from "./dom.js";
import { setTime } from "./format.js";
import { section } from "./panel.js";
import { t, wordFor } from "./words.js";

export const alertList = () => list(t("alerts"), (state) => state.alerts ?? [], (alert) => {
	const time = h("time", { class: "muted" });
	const text = [h("span", { class: "tag" }), h("span", { class: "strong name" }), h("span", { class: "prose" })];
	setTime(time, alert.at);
	setText(text[0], wordFor("alert", alert.type));
	setText(text[1], alert.subject);
	setText(text[2], alert.message);
	return [time, ...text];
});

export const warningList = () => list(t("warnings"), ({ ledger, warnings }) => [
	ledger?.problem && t("ledger.problem", { text: ledger.problem }), ledger?.dropped > 0 && t("ledger.dropped", { n: ledger.dropped }), ...(warnings ?? []),
].filter(Boolean), (text) => h("span", { class: "prose" }, text));

/** Items never change: a different one is another one. */
function list(title, itemsOf, content) {
	const items = h("ul", { class: "lines" });
	const element = section(title, items);
	return {
		element,
		update(state) {
			const all = itemsOf(state);
			setHidden(element, all.length === 0);
			keyed(items, all, JSON.stringify, (item) => ({ element: h("li", null, content(item)), update() {} }));
		},
	};
}
