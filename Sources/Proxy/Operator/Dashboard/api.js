// Calls to the proxy, when to make them, and which answer counts. The cookie goes by itself; what changes something carries
// the header that no foreign page can send.

export class Problem extends Error {
	constructor(status, message, code) {
		super(message);
		this.status = status;
		this.code = code;
	}
}

let signedOut = () => {};
export const onSignedOut = (listener) => (signedOut = listener);

export const get = (path, signal) => call("GET", path, { signal });
export const post = (path, body) => call("POST", path, { body });
export const remove = (path) => call("DELETE", path, {});

export function withQuery(path, values) {
	// Not URLSearchParams, which writes a space as +: not everybody reads that back.
	const query = Object.entries(values).filter(([, value]) => value)
		.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
	return query ? `${path}?${query}` : path;
}

async function call(method, path, { body, signal, isSignIn = false }) {
	const headers = { accept: "application/json" };
	if (method !== "GET") headers["x-ociai-dashboard"] = "1";
	if (body !== undefined) headers["content-type"] = "application/json";
	let response;
	try {
		response = await fetch(path, {
			method, headers, signal, cache: "no-store", credentials: "same-origin",
			body: body === undefined ? undefined : JSON.stringify(body),
		});
	} catch (error) {
		if (signal?.aborted) throw error;
		throw new Problem(0, "", "unreachable");
	}
	return read(response, isSignIn);
}

async function read(response, isSignIn) {
	const text = await response.text();
	let json = null;
	try {
		json = text ? JSON.parse(text) : null;
	} catch {
		// Something in between has answered, such as a reverse proxy: its page is of no use here.
	}
	if (response.ok) return json;
	if (response.status === 401 && !isSignIn) signedOut();
	throw new Problem(response.status, json?.error?.message ?? "", json?.error?.code ?? null);
}

export async function session() {
	try {
		return await call("GET", "/dashboard/session", { isSignIn: true });
	} catch (problem) {
		if (problem.status === 401) return null;
		throw problem;
	}
}

export const signIn = (key) => call("POST", "/dashboard/login", { body: { key }, isSignIn: true });
export const signOut = () => remove("/dashboard/login");

/** Runs `work` at once and then again and again, while somebody looks. */
export function repeated(work, milliseconds) {
	let timer = 0;
	const stop = () => clearInterval(timer);
	return {
		start() {
			stop();
			work();
			timer = setInterval(() => document.hidden || work(), milliseconds);
		},
		stop,
	};
}

/** Of several questions only the newest matters: each `signal()` ends the one before. */
export function newest() {
	let own = null;
	return {
		signal() {
			own?.abort();
			own = new AbortController();
			return own.signal;
		},
		stop: () => own?.abort(),
	};
}
