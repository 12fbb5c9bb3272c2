// Instances that keep one set of limits: whether they do at this moment, and how each of them does.

import { column, number, text, time } from "./cells.js";
import { h, setHidden, setText } from "./dom.js";
import { markCell, shape, toneOf } from "./mark.js";
import { notice, section } from "./panel.js";
import { table } from "./table.js";
import { hasWord, t, wordFor } from "./words.js";

/** Hidden where this instance is alone. */
export function clusterPanel() {
	const sign = shape();
	const words = h("span");
	const problem = notice();
	const rows = table({
		caption: t("cluster.inWords"), key: (row) => row.id, empty: t("cluster.nobody"),
		columns: [
			column("cluster.one", who), column("state.word", markCell(({ status }) => [wordFor("state", status), toneOf(status)])),
			number("inFlight", "in_flight"), text("cluster.version", "version"), time("cluster.since", "started_at"),
		],
	});
	const element = section(t("cluster.word"), [h("p", { class: "lead" }, sign.element, words), problem.element, rows.element]);
	return {
		element,
		update({ cluster }) {
			setHidden(element, !cluster);
			if (!cluster) return;
			const { state, count: n, problem: reason, instances } = cluster;
			const name = `cluster.${state}`;
			sign.set(toneOf(state));
			setText(words, hasWord(name) ? t(name, { n }) : state);
			problem.say(reason ? t("cluster.problem", { text: reason }) : "", state === "degraded" ? "bad" : "info");
			rows.set(instances);
		},
	};
}

function who() {
	const name = h("span", { class: "name strong" });
	const own = h("span", { class: "tag" }, t("cluster.own"));
	return {
		node: h("div", { class: "stack" }, name, own),
		update({ name: text, is_this: isThis }) {
			setText(name, text);
			setHidden(own, !isThis);
		},
	};
}
