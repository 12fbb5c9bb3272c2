// The table of upstreams: in what state each is and until when, how full, how fast, and what went wrong last.

import { buttons, column } from "./cells.js";
import { h, setAttribute, setHidden, setProperty, setText } from "./dom.js";
import { count, duration, missing, rate, setTime, share, until } from "./format.js";
import { history } from "./history.js";
import { mark, markCell } from "./mark.js";
import { routeTo } from "./route.js";
import { spark } from "./spark.js";
import { isAdmin } from "./store.js";
import { strip } from "./strip.js";
import { table } from "./table.js";
import { t } from "./words.js";

/** `strips()` gives the last answer of /dashboard/strips; `reset(id)` closes the breaker. */
export function upstreamTable({ strips, reset }) {
	return table({
		caption: t("upstreamsInWords"), key: (upstream) => upstream.id, empty: t("none"),
		columns: [
			column("upstream", who), column("state.word", state), column("load.word", load), column("limited", markCell(({ rate_limited_last_minute: n }) => [count(n), n > 0 ? "warn" : "good"])),
			column("firstToken", () => measured("firstTokenOf", "firstToken", duration, ({ first_token_ms: times }) =>
				(times?.count > 0 ? `${duration(times.p50)} · p99 ${duration(times.p99)}` : missing))),
			column("speed", () => measured("speedOf", "speed", rate, ({ tokens_per_second: speed }) =>
				(speed === null ? missing : t("perSecond", { n: rate(speed) })))),
			column("lastDay", () => health(strips)), column("lastError", lastError),
			buttons({
				label: t("reset.word"), nameOf: (upstream) => upstream.id, act: (upstream) => reset(upstream.id),
				isFor: (upstream) => isAdmin() && ["open", "half_open", "cooling"].includes(upstream.state),
			}),
		],
	});
}

function who() {
	const name = h("a", { class: "name strong" });
	const where = h("span", { class: "muted name" });
	return {
		node: h("div", { class: "stack" }, name, where),
		update({ id, region, endpoint, model_count: models }) {
			setText(name, id);
			setAttribute(name, "href", routeTo("requests", { upstream: id }));
			setText(where, [region ?? endpoint, t("modelCount", { n: models ?? 0 })].filter(Boolean).join(" · "));
			setAttribute(where, "title", endpoint);
		},
	};
}

function state() {
	const sign = mark();
	const time = h("time");
	const rest = h("span", { class: "nowrap" });
	const line = h("span", { class: "muted" }, t("until"), " ", time, h("br"), rest);
	return {
		node: h("div", { class: "stack" }, sign.element, line),
		update(upstream) {
			sign.set(upstream.state);
			setHidden(line, !upstream.until);
			if (!upstream.until) return;
			setTime(time, upstream.until);
			const left = until(upstream.until);
			setText(rest, left > 0 ? t("stillFor", { time: duration(Math.ceil(left / 1000) * 1000) }) : "");
		},
	};
}

const serving = ["ready", "full"];

/** In flight of the learnt limit, where there is one; the whole bar is the configured one. */
function load() {
	const text = h("span");
	const note = h("span", { class: "muted" });
	const bar = h("span", { class: "load", "aria-hidden": "true" }, h("span", { class: "load-fill" }), h("span", { class: "load-learnt" }));
	return {
		node: h("div", { class: "stack" }, text, bar, note),
		update({ state, in_flight: n, learnt_limit: learnt, max_concurrency: most }) {
			const limit = learnt ?? most;
			const free = share(Math.max(0, 1 - n / Math.max(limit, 1)));
			setText(text, t("load.of", { n: count(n), limit: count(limit) }));
			// The room of an upstream that cannot be asked is of no use.
			setText(note, serving.includes(state) ? t(learnt === null ? "load.free" : "load.learnt", { free, most: count(most) }) : "");
			setProperty(bar, "--fill", `${Math.min(100, (100 * n) / most)}%`);
			setProperty(bar, "--learnt", `${Math.min(100, (100 * limit) / most)}%`);
			setAttribute(bar, "data-tone", n >= limit ? "bad" : null);
		},
	};
}

/** A figure, and how it went while the page was open. `word` names the line for whoever does not see it. */
function measured(word, series, write, textOf) {
	const text = h("span", { class: "nowrap" });
	const line = spark();
	return {
		node: h("div", { class: "stack" }, text, line.element),
		update(upstream) {
			setText(text, textOf(upstream));
			const values = history.of(upstream.id)[series];
			const known = values.filter((value) => value !== null);
			line.set(values, t(word, { name: upstream.id }) + (known.length > 0 ? `: ${write(Math.min(...known))} – ${write(Math.max(...known))}` : ""));
		},
	};
}

function health(strips) {
	const picture = strip();
	const node = h("div", { class: "strip-box" }, picture.element);
	return {
		node,
		update({ id }) {
			const { to, upstreams = {} } = strips() ?? {};
			const letters = Object.hasOwn(upstreams, id) ? upstreams[id] : "";
			setHidden(node, !letters);
			if (letters) picture.set(letters, to, id);
		},
	};
}

function lastError() {
	const time = h("time");
	const code = h("span");
	const text = h("span", { class: "error-text" });
	const head = h("span", { class: "muted" }, time, " ", code);
	return {
		node: h("div", { class: "stack" }, head, text),
		update({ last_error: error }) {
			setHidden(head, !error);
			setTime(time, error?.at);
			setText(code, [error?.status, error?.code].filter(Boolean).join(" "));
			setText(text, error ? error.message : t("none"));
			setAttribute(text, "title", error?.message);
		},
	};
}
