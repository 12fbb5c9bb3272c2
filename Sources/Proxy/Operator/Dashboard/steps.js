// The story of a request in words.

import { h } from "./dom.js";
import { clock, duration, money } from "./format.js";
import { hasWord, inSentence, t, wordFor } from "./words.js";

const isGood = (story) => story.status < 400 && !story.error;
const isKnown = (value) => value !== null && value !== undefined;

export function storySummary(story) {
	const events = story.events ?? [];
	const attempts = events.filter((event) => event.type === "attempt");
	const parts = [ending(story, attempts.at(-1))];
	if (attempts.length > 1) parts.push(t("story.attempts", { n: attempts.length }));
	for (const event of events) if (["rescue", "fallback"].includes(event.type)) parts.push(plain(event));
	if (!story.running && attempts.length > 0) parts.push(t("story.cost", { cost: money(story.cost_nano_usd) }));
	return parts.join(t("sentence.join"));
}

function ending(story, last) {
	const time = duration(story.total_ms);
	if (story.running) return t("story.running");
	if (story.client_left) return t("story.left", { time });
	if (isGood(story)) return t("story.ok", { time, upstream: inSentence(last?.upstream ?? "ociai-proxy") });
	return t("story.failed", { status: story.status ?? "–", error: story.error ?? "", time });
}

export function storySteps(story) {
	const steps = [line(0, t("step.arrived"), "off"), ...(story.events ?? []).map(step)];
	if (story.running) return steps;
	const word = story.client_left ? "left" : isGood(story) ? "done" : "failed";
	return [...steps, line(story.total_ms, t(`step.${word}`, { status: story.status ?? "–" }), { left: "off", done: "good", failed: "bad" }[word])];
}

function line(ms, text, tone, inside) {
	return h("li", { "data-tone": tone }, h("span", { class: "step-time" }, isKnown(ms) ? `+${duration(ms)}` : ""),
		h("div", { class: "step-text" }, h("p", null, text), inside));
}

function step(event) {
	if (event.type === "passed_over") {
		const reasons = event.upstreams.map((each) => h("li", null, h("span", { class: "strong name" }, each.id), `: ${reason(each)}`));
		return line(event.ms, t("step.passed", { n: reasons.length }), "warn", h("ul", null, reasons));
	}
	if (event.type === "attempt") return attempt(event);
	return line(event.ms, plain(event), { rescue: "busy", refused: "bad", gave_up: "bad" }[event.type] ?? "warn");
}

function plain(event) {
	if (!hasWord(`step.${event.type}`)) return String(event.type);
	return t(`step.${event.type}`, {
		time: duration(event.wait_ms), text: event.text ?? "", model: inSentence(event.model ?? ""), result: wordFor("outcome", event.result),
	});
}

/** Our own words, because the server's are English and in UTC; its words for a reason that we do not know. */
function reason({ reason: code, text, until, of_model: isOfModel }) {
	if (!hasWord(`trouble.${code}`)) return text ?? code;
	const parts = [wordFor("trouble", code), until && t("reasonUntil", { until: clock(until) }), isOfModel && t("reasonModel")];
	return parts.filter(Boolean).join(t("comma"));
}

function attempt(event) {
	const values = { n: event.number, upstream: inSentence(event.upstream), model: inSentence(event.model ?? ""), outcome: wordFor("outcome", event.outcome ?? "running") };
	const facts = [
		event.region, isKnown(event.status) && t("step.status", { status: event.status }),
		isKnown(event.end_ms) && t("step.took", { time: duration(event.end_ms - event.start_ms) }),
		isKnown(event.first_token_ms) && t("step.firstToken", { time: duration(event.first_token_ms) }),
		event.cost_nano_usd > 0 && money(event.cost_nano_usd),
	].filter(Boolean).join(" · ");
	return line(event.start_ms, t("step.attempt", values), toneOfOutcome(event.outcome), h("p", { class: "muted" }, facts));
}

export const toneOfOutcome = (outcome) => ({ running: "busy", succeeded: "good", abandoned: "off" })[outcome ?? "running"] ?? "bad";
