// What was measured while the page was open: ten minutes, one value in two seconds.

const step = 2000;
const length = 300;

/** By upstream: {firstToken, speed}, each an array of numbers and nulls, the newest last. */
const series = new Map();
/** [moment, tokens in all], for the tokens that flow now. */
let totals = [];
let last = 0;

export const history = {
	take(state) {
		const now = Date.now();
		const tokens = (state.totals?.tokens_prompt ?? 0) + (state.totals?.tokens_completion ?? 0);
		totals.push([now, tokens]);
		while (totals.length > 2 && totals[0][0] < now - 60_000) totals.shift();
		// A page that slept has a gap.
		const steps = last ? Math.floor((now - last) / step) : 1;
		if (steps < 1) return;
		last = last && steps < length ? last + steps * step : now;
		for (const upstream of state.upstreams ?? []) {
			let own = series.get(upstream.id);
			if (!own) series.set(upstream.id, (own = { firstToken: [], speed: [] }));
			push(own.firstToken, upstream.first_token_ms?.p50 ?? null, steps);
			push(own.speed, upstream.tokens_per_second ?? null, steps);
		}
	},

	of: (id) => series.get(id) ?? { firstToken: [], speed: [] },

	/** Tokens a second over the last minute, asked and answered together; null before that is known. */
	throughput() {
		if (totals.length < 2) return null;
		const [from, to] = [totals[0], totals.at(-1)];
		const seconds = (to[0] - from[0]) / 1000;
		return seconds < 3 ? null : Math.max(0, (to[1] - from[1]) / seconds);
	},

	clear() {
		series.clear();
		totals = [];
		last = 0;
	},
};

function push(values, value, steps) {
	for (let gap = 1; gap < Math.min(steps, length); gap += 1) values.push(steps > 3 ? null : value);
	values.push(value);
	if (values.length > length) values.splice(0, values.length - length);
}
