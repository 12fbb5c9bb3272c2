// The one sentence that says whether anything is wrong, where, and until when. It holds no figure that ticks, because it
// is read aloud whenever it changes.

import { clock } from "./format.js";
import { store } from "./store.js";
import { inSentence, t, wordFor } from "./words.js";

/** What keeps an upstream from serving, the worst first. A full one works as much as it may. */
const troubles = ["unusable", "open", "unhealthy", "cooling", "half_open"];
const named = 3;

export function stateSentence(state) {
	const parts = [opening(state)];
	const unwell = state.upstreams.filter((upstream) => troubles.includes(upstream.state))
		.sort((a, b) => troubles.indexOf(a.state) - troubles.indexOf(b.state));
	for (const { id, state: trouble, until } of unwell.slice(0, named)) {
		const values = { name: inSentence(id), state: wordFor("trouble", trouble), until: clock(until) };
		parts.push(t(until ? "sentence.until" : "sentence.one", values));
	}
	const failing = state.upstreams.filter((upstream) => !troubles.includes(upstream.state) && upstream.models_unwell?.some((model) => model.circuit_breaker !== "closed"));
	if (failing.length > 0) parts.push(t("sentence.models", { names: failing.map((upstream) => inSentence(upstream.id)).join(t("comma")) }));
	if (unwell.length > named) parts.push(t("sentence.more", { n: unwell.length - named }));
	if (state.ledger?.problem) parts.push(t("sentence.ledger"));
	if (state.cluster?.state === "degraded") parts.push(t("sentence.cluster"));
	if (!store.status.live) parts.unshift(t("sentence.old", { at: clock(state.at) }));
	return parts.join(t("sentence.join"));
}

function opening({ mode, level, serving, total }) {
	const values = { serving, n: total, what: t(mode === "aggregator" ? "provider" : "account", { n: total }) };
	if (level === "empty" || level === "draining") return t(`sentence.${level}`, values);
	if (serving === 0) return t("sentence.down", values);
	return t(level === "ok" && serving === total ? "sentence.ok" : "sentence.some", values);
}
