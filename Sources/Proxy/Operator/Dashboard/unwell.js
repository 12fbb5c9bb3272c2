// Models that fail or are throttled at one upstream while the others there work.

import { buttons, column, name, number, time } from "./cells.js";
import { setHidden } from "./dom.js";
import { markCell, toneOf } from "./mark.js";
import { section } from "./panel.js";
import { isAdmin } from "./store.js";
import { table } from "./table.js";
import { t, wordFor } from "./words.js";

export function unwellModels({ reset }) {
	const rows = table({
		caption: t("unwell"), key: (row) => JSON.stringify([row.upstream, row.model]),
		columns: [
			name("model", "model"), name("upstream", "upstream"), column("state.word", markCell(stateOf)),
			time("backAt", (row) => [row.retry_at, row.cooling_until].filter((each) => each && new Date(each) > Date.now()).sort().at(-1)),
			number("failuresInARow", "consecutive_failures"), number("inFlight", "in_flight"), number("learntLimit", "learnt_limit"),
			buttons({ label: t("reset.word"), nameOf: (row) => `${row.model}, ${row.upstream}`, isFor: isAdmin, act: (row) => reset(row.upstream, row.model) }),
		],
	});
	const element = section(t("unwell"), rows.element);
	return {
		element,
		update({ upstreams }) {
			const all = upstreams.flatMap(({ id, models_unwell: models }) => (models ?? []).map((model) => ({ ...model, upstream: id })));
			setHidden(element, all.length === 0);
			rows.set(all);
		},
	};
}

function stateOf(row) {
	const state = row.circuit_breaker !== "closed" ? row.circuit_breaker : row.cooling_until ? "cooling" : "failing";
	return [wordFor("state", state), toneOf(state)];
}
