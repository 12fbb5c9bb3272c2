// The only two things that the browser keeps for us: the theme and the language. Keys never come here.

const prefix = "ociai-proxy.";

export function kept(name) {
	try {
		return localStorage.getItem(prefix + name) ?? "";
	} catch {
		// Storage may be forbidden; then the choice lasts as long as the page.
		return "";
	}
}

export function keep(name, value) {
	try {
		localStorage.setItem(prefix + name, value);
	} catch {
		return;
	}
}

export function startTheme(select) {
	const choice = kept("theme");
	apply(["light", "dark"].includes(choice) ? choice : "auto");
	select.value = document.documentElement.dataset.theme;
	select.addEventListener("change", () => {
		keep("theme", select.value);
		apply(select.value);
	});
}

function apply(theme) {
	document.documentElement.dataset.theme = theme;
}
