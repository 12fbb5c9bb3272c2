// The story of a request as a picture: a lane for each wait and each attempt, over one axis of time.

import { h } from "./dom.js";
import { duration } from "./format.js";
import { toneOfOutcome } from "./steps.js";
import { inSentence, t, wordFor } from "./words.js";

export function timeline(story) {
	const lanes = lanesOf(story);
	const end = Math.max(story.total_ms ?? 0, ...lanes.map((lane) => lane.to));
	if (lanes.length === 0 || !(end > 0)) return null;
	const at = (ms) => `${((100 * Math.max(ms, 0)) / end).toFixed(3)}%`;
	const inWords = lanes.map((lane) => `${lane.label}: ${duration(lane.from)} – ${duration(lane.to)}, ${lane.word}`).join("; ");
	const row = (label, middle, word) => h("div", { class: "lane" }, h("span", { class: "lane-label name", title: label }, label), middle, h("span", { class: "lane-word" }, word));
	return h("div", { class: "timeline", role: "img", "aria-label": `${t("story.line")}: ${inWords}` },
		lanes.map((lane) => row(lane.label, h("span", { class: "lane-track" },
			h("span", { class: "lane-bar", "data-tone": lane.tone, css: { "--from": at(lane.from), "--size": at(lane.to - lane.from) } }),
			lane.firstToken && h("span", { class: "lane-mark", title: t("firstToken"), css: { "--from": at(lane.firstToken) } })),
		`${lane.word} · ${duration(lane.to - lane.from)}`)),
		row("", h("span", { class: "axis" }, [0, 0.25, 0.5, 0.75, 1].map((part) => h("span", null, duration(end * part)))),
			[h("span", { class: "lane-mark-key" }), t("firstToken")]));
}

function lanesOf(story) {
	const lanes = [];
	const last = story.total_ms ?? 0;
	/** Where the last thing with times ended: a wait that does not say when it ended began there. */
	let reached = 0;
	const add = (from, to, lane) => {
		lanes.push({ from, to, ...lane });
		reached = to;
	};
	for (const event of story.events ?? []) {
		if (event.type === "waited" || event.type === "paused") {
			const from = Math.max(0, (event.ms ?? reached + event.wait_ms) - event.wait_ms);
			add(from, from + event.wait_ms, { label: t(`lane.${event.type}`), word: t("lane.wait"), tone: "wait" });
		} else if (event.type === "attempt") {
			// A moment of the first token is told since arrival, as all moments of a story.
			add(event.start_ms, event.end_ms ?? Math.max(last, event.start_ms + 1), {
				label: `${event.number} ${inSentence(event.upstream)}`, word: wordFor("outcome", event.outcome ?? "running"),
				tone: toneOfOutcome(event.outcome), firstToken: event.first_token_ms,
			});
		} else if (event.type === "rescue" && event.ms) {
			add(event.ms, Math.max(last, event.ms + 1), { label: t("lane.rescue"), word: wordFor("outcome", event.result), tone: "busy" });
		}
	}
	return lanes;
}
