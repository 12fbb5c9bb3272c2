// Starts the page: who is signed in, which view is shown, and the live stream behind all of them.

import { onSignedOut, session } from "./api.js";
import { h, setText } from "./dom.js";
import { makeHead } from "./head.js";
import { keysView } from "./keys.js";
import { ledgerView } from "./ledger.js";
import { modelsView } from "./models.js";
import { moneyView } from "./money.js";
import { nowView } from "./now.js";
import { problemText } from "./panel.js";
import { requestsView } from "./requests.js";
import { currentRoute } from "./route.js";
import { signInView } from "./signin.js";
import { store, subscribe, takeChange, takeSession, takeState, takeStatus } from "./store.js";
import { storyView } from "./story.js";
import { liveStream } from "./stream.js";
import { startTheme } from "./choices.js";
import { language, setLanguage, t, translate } from "./words.js";

const makers = {
	now: nowView, requests: requestsView, history: ledgerView, request: storyView, keys: keysView, models: modelsView, money: moneyView,
	signin: () => signInView(enter),
};
const homes = { history: "requests", request: "requests" };

const main = document.getElementById("main");
const picker = document.getElementById("language");
const head = makeHead({ onSignOut: leave });
/** Views are made when they are first shown, and live until the language changes. */
let views = {};
let shown = { name: null, view: null };
let drawnAt = 0;

const stream = liveStream({
	state(state) {
		takeState(state);
		askRole();
	},
	change: takeChange, status: takeStatus, signedOut: leave,
});

/** The stream has begun anew, maybe with another configuration, in which the key may do other things. */
async function askRole() {
	const found = await session().catch(() => store.session);
	if (!store.session || found?.role === store.session.role) return;
	if (!found) return leave();
	takeSession(found);
	views = {};
	show();
}

function enter(found) {
	takeSession(found);
	show();
	stream.start();
}

function leave() {
	stream.stop();
	takeSession(null);
	// What another person has seen is not for the next one.
	views = {};
	for (const dialog of document.querySelectorAll("dialog")) dialog.close();
	show();
}

function show({ moveFocus = false } = {}) {
	const route = currentRoute();
	const name = store.session ? route.view : "signin";
	if (shown.name && (shown.name !== name || views[name] !== shown.view)) shown.view.hide?.();
	const view = (views[name] ??= makers[name]());
	shown = { name, view };
	if (main.firstElementChild !== view.element) main.replaceChildren(view.element);
	markNavigation(homes[name] ?? name);
	view.update();
	view.show(route);
	refresh();
	if (moveFocus && name !== "signin") {
		// Who cannot see the new view hears its name.
		view.element.querySelector("h1")?.focus({ preventScroll: true });
		window.scrollTo(0, 0);
	}
}

function markNavigation(name) {
	for (const link of document.querySelectorAll("#nav a")) {
		if (link.dataset.view === name) link.setAttribute("aria-current", "page");
		else link.removeAttribute("aria-current");
	}
}

function refresh() {
	drawnAt = Date.now();
	shown.view?.update();
	const name = homes[shown.name] ?? shown.name;
	head.update(shown.name === "signin" ? t("signIn.word") : t(`nav.${name}`));
}

function changeLanguage(tag) {
	setLanguage(tag);
	translate(document);
	setText(document.getElementById("foot"), t("foot"));
	shown.view?.hide?.();
	shown = { name: null, view: null };
	views = {};
	show();
}

async function start() {
	startTheme(document.getElementById("theme"));
	picker.value = language();
	picker.addEventListener("change", () => changeLanguage(picker.value));
	translate(document);
	setText(document.getElementById("foot"), t("foot"));
	window.addEventListener("hashchange", () => show({ moveFocus: true }));
	document.getElementById("skip").addEventListener("click", (event) => {
		// The address is taken by the views.
		event.preventDefault();
		main.focus();
	});
	subscribe(refresh);
	onSignedOut(() => store.session && leave());
	setInterval(() => {
		// What counts seconds goes on when nothing comes.
		if (document.hidden || Date.now() - drawnAt < 900) return;
		head.updateLive();
		shown.view?.tick?.();
	}, 1000);
	await askWho();
}

async function askWho() {
	try {
		const found = await session();
		if (found) return enter(found);
		show();
	} catch (problem) {
		main.replaceChildren(h("p", { class: "notice", "data-kind": "bad", role: "alert" }, problemText(problem)));
		setTimeout(askWho, 3000);
	}
}

start();
