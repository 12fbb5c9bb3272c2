// The story of one request: what became of it in a sentence, when what happened as a picture, and why in words.

import { Problem, get, newest } from "./api.js";
import { h } from "./dom.js";
import { duration, money, setTime } from "./format.js";
import { mark, toneOfStatus } from "./mark.js";
import { notice, section, viewOf } from "./panel.js";
import { inOut } from "./requests.js";
import { routeTo } from "./route.js";
import { storySteps, storySummary } from "./steps.js";
import { timeline } from "./timeline.js";
import { t } from "./words.js";

const interval = 2000;

export function storyView() {
	let id = "";
	let drawn = "";
	let timer = 0;
	const asking = newest();
	const said = notice();
	const body = h("div", { class: "view-body" });
	const element = viewOf("", h("a", { href: "#requests" }, t("allRequests")), said.element, body);
	const heading = element.querySelector("h1");

	async function ask() {
		const signal = asking.signal();
		try {
			const story = await get(`/why/${encodeURIComponent(id)}`, signal);
			if (story?.object !== "request.story") throw new Problem(404, "", "request_not_found");
			said.say("");
			draw(story);
			if (story.running) timer = setTimeout(ask, interval);
		} catch (problem) {
			if (signal.aborted) return;
			if (problem.status === 0 || problem.status >= 500) {
				// It comes back; what is there stays.
				said.problem(problem);
				timer = setTimeout(ask, interval);
				return;
			}
			empty();
			if (problem.status === 404 && problem.code !== "unknown_path") said.say(t("story.unknown", { id }));
			else said.problem(problem);
		}
	}

	function empty() {
		body.replaceChildren();
		drawn = "";
	}

	/** Its parts are few, so all are drawn anew; but not if nothing has changed, for whoever selects text there. */
	function draw(story) {
		const version = JSON.stringify(story);
		if (version === drawn) return;
		drawn = version;
		const sign = mark();
		if (story.running) sign.set("running");
		else sign.say(String(story.status ?? "–"), toneOfStatus(story));
		body.replaceChildren(
			h("p", { class: "lead" }, sign.element, h("span", null, storySummary(story))),
			...[timeline(story)].filter(Boolean).map((picture) => section(t("story.line"), picture)),
			section(t("story.steps"), h("ol", { class: "steps" }, storySteps(story))), section(t("story.facts"), facts(story)));
	}

	function hide() {
		clearTimeout(timer);
		asking.stop();
	}

	return {
		element, hide,
		update() {},
		show(route) {
			hide();
			id = route.id;
			heading.textContent = t("story.title", { id });
			empty();
			ask();
		},
	};
}

function facts(story) {
	const link = (member) => story[member] && h("a", { href: routeTo("history", { [member]: story[member] }) }, story[member]);
	const at = h("time");
	setTime(at, story.at);
	const rows = [
		[t("time"), at], [t("path"), [story.method, story.path].filter(Boolean).join(" ")], [t("key"), link("key")], [t("model"), link("model")],
		[t("answer.word"), t(story.stream ? "answer.stream" : "answer.whole")], [t("error"), story.error], [t("firstToken"), duration(story.first_token_ms)],
		[t("total"), duration(story.total_ms)], [t("tokensBoth"), inOut(story.tokens_prompt, story.tokens_completion)],
		[t("cost"), !story.running && money(story.cost_nano_usd)], [t("source.word"), t(story.source === "ledger" ? "source.ledger" : "source.memory")],
		// What Oracle's support asks for.
		...(story.events ?? []).filter((event) => event.opc_request_id).map((event) => [`opc-request-id ${event.number}`, h("code", null, event.opc_request_id)]),
	];
	return h("dl", { class: "pairs" }, rows.filter(([, value]) => value).map(([word, value]) =>
		h("div", null, h("dt", { class: "muted" }, word), h("dd", { class: "name" }, value))));
}
