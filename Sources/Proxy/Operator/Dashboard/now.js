// The view that is open all day: is anything wrong, where, until when, and what does it cost.

import { reloadDialog, resetDialog } from "./actions.js";
import { alertList, warningList } from "./alerts.js";
import { get, repeated, withQuery } from "./api.js";
import { clusterPanel } from "./cluster.js";
import { h, setHidden, setText } from "./dom.js";
import { compact, count, duration, money, rate } from "./format.js";
import { history } from "./history.js";
import { button, section, tiles, viewOf } from "./panel.js";
import { isAdmin, store } from "./store.js";
import { stripLegend } from "./strip.js";
import { unwellModels } from "./unwell.js";
import { upstreamTable } from "./upstreams.js";
import { t, wordFor } from "./words.js";

export function nowView() {
	let strips = null;
	let today = null;
	const figures = tiles({
		flight: t("inFlight"), queue: t("waiting"), failed: t("failed"), limited: t("limited"), tokens: t("throughput"), cost: t("today"),
	});
	const upstreams = upstreamTable({ strips: () => strips, reset: resetDialog });
	const parts = [unwellModels({ reset: resetDialog }), clusterPanel(), alertList(), warningList()];
	const facts = h("p", { class: "muted name" });
	const tools = h("div", { class: "buttons" }, button(t("reload.word"), reloadDialog), button(t("reset.every"), () => resetDialog()));
	const waiting = h("p", { class: "empty" }, t("loading"));
	const body = h("div", { class: "view-body" }, figures.element, section(t("upstreams"), [upstreams.element, stripLegend()]),
		parts[0].element, parts[1].element, h("div", { class: "columns" }, parts[2].element, parts[3].element), facts);

	// Two small questions a minute, and only while somebody looks.
	const polling = repeated(async () => {
		const from = new Date().toISOString().slice(0, 10);
		const [newStrips, summary] = await Promise.all([
			get("/dashboard/strips").catch(() => strips),
			get(withQuery("/admin/ledger/summary", { from })).catch(() => null),
		]);
		strips = newStrips;
		today = summary?.rows?.[0] ?? null;
		update();
	}, 60_000);

	function update() {
		const { state } = store;
		setHidden(waiting, Boolean(state));
		setHidden(body, !state);
		setHidden(tools, !isAdmin());
		if (!state) return;
		figures.set(figuresOf(state, today));
		upstreams.set(state.upstreams);
		for (const part of parts) part.update(state);
		setText(facts, [
			`ociai-proxy ${state.version}`, wordFor("mode", state.mode), state.strategy.replaceAll("_", " "),
			t("uptime", { time: duration(Date.now() - new Date(state.started_at).getTime()) }),
		].join(" · "));
	}

	return { element: viewOf(t("nav.now"), tools, waiting, body), update, tick: update, show: polling.start, hide: polling.stop };
}

function figuresOf({ totals, upstreams, ledger, recent }, today) {
	const limited = upstreams.reduce((sum, upstream) => sum + (upstream.rate_limited_last_minute ?? 0), 0);
	const failed = recent.filter((row) => row.status >= 400 && row.status !== 499).length;
	const { queue_depth: depth, queue_limit: limit } = totals;
	return {
		flight: [count(totals.in_flight), t("ofAll", { n: count(totals.max_concurrency) })],
		queue: [count(depth), t("ofAll", { n: count(limit) }), depth > 0 ? (depth >= limit ? "bad" : "warn") : null],
		failed: [count(failed), t("failedNote", { last: recent.length, n: count(totals.requests_failed), all: compact(totals.requests_total) }), failed > recent.length / 20 ? "warn" : null],
		limited: [count(limited), t("limitedNote"), limited > 0 ? "warn" : null],
		tokens: [rate(history.throughput()), t("throughputNote", { n: compact(totals.tokens_prompt + totals.tokens_completion) })],
		cost: today ? [money(today.requests > 0 ? today.cost_nano_usd : 0), costNote(today)] : [t("unknown"), ledger?.on === false ? t("ledger.off") : ""],
	};
}

function costNote({ requests, unknown_cost: unknown }) {
	const all = t("requestCount", { n: requests, all: compact(requests) });
	return unknown > 0 ? `${all} · ${t("costUnknown", { n: compact(unknown) })}` : all;
}
