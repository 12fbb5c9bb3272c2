// Which view the address names: #now, #requests?key=team-a&status=failed, #request=req-1.

const views = new Set(["now", "requests", "history", "request", "keys", "models", "money"]);

export function currentRoute() {
	const hash = location.hash.slice(1);
	const [head, query = ""] = split(hash, "?");
	const [view, id = ""] = split(head, "=");
	if (!views.has(view)) return { view: "now", id: "", filters: {} };
	return { view, id: decoded(id), filters: Object.fromEntries(new URLSearchParams(query)) };
}

export function routeTo(view, filters = {}, id = "") {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(filters)) if (value) query.set(name, value);
	const text = query.toString();
	return `#${view}${id ? `=${encodeURIComponent(id)}` : ""}${text ? `?${text}` : ""}`;
}

/** Changes the address without a step to go back to: a filter that is typed is not twenty pages. */
export function replaceRoute(hash) {
	window.history.replaceState(null, "", hash);
}

function split(text, sign) {
	const at = text.indexOf(sign);
	return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
