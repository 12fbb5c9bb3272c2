// The last state that the server has told, and what a chart needs of those before.

import { history } from "./history.js";

export const store = {
	state: null,
	/** Whether what is shown is true now: {live, retryAt, code}. */
	status: { live: false },
	/** Who is signed in: {role, name, local}; null for nobody. */
	session: null,
};

export const isAdmin = () => store.session?.role === "admin";

const listeners = new Set();

export const subscribe = (listener) => listeners.add(listener);

function publish() {
	for (const listener of listeners) {
		try {
			listener();
		} catch (error) {
			// Our own mistake must not look like a stream that has broken off.
			reportError(error);
		}
	}
}

export function takeState(state) {
	// A process that has started anew counts from zero: what was measured before has nothing to do with it.
	if (store.state && store.state.started_at !== state.started_at) history.clear();
	store.state = state;
	history.take(state);
	publish();
}

export function takeChange(part) {
	if (!store.state) return;
	const { upstreams, upstreams_gone: gone, ...rest } = part;
	Object.assign(store.state, rest);
	if (upstreams || gone) store.state.upstreams = merged(store.state.upstreams, upstreams ?? [], gone ?? []);
	history.take(store.state);
	publish();
}

function merged(old, changed, gone) {
	const byID = new Map(old.map((upstream) => [upstream.id, upstream]));
	for (const upstream of changed) byID.set(upstream.id, upstream);
	for (const id of gone) byID.delete(id);
	return [...byID.values()];
}

export function takeStatus(status) {
	store.status = status;
	publish();
}

export function takeSession(session) {
	store.session = session;
	if (!session) {
		store.state = null;
		history.clear();
	}
	publish();
}
