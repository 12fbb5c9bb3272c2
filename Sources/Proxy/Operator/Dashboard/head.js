// What stands above every view: the sentence of state, whether it is live, and who is signed in.

import { signOut } from "./api.js";
import { openDialog, prose } from "./dialog.js";
import { h, setAttribute, setHidden, setText } from "./dom.js";
import { iconFor, mark, shape, toneOf } from "./mark.js";
import { button } from "./panel.js";
import { stateSentence } from "./sentence.js";
import { store } from "./store.js";
import { t, wordFor } from "./words.js";

const place = (id) => document.getElementById(id);

export function makeHead({ onSignOut }) {
	const sign = shape();
	const live = mark();
	const name = h("span", { class: "name" });
	const out = button("", async () => {
		try {
			await signOut();
		} catch (problem) {
			// The cookie would be good for some hours still, whatever the page shows.
			if (problem.status !== 401) return openDialog({ title: t("signOut"), content: prose(t("signOutFailed")) });
		}
		onSignOut();
	}, "small");
	place("sentence").prepend(sign.element);
	place("live").append(live.element);
	place("account").append(name, out);
	let icon = "";

	function update(title) {
		const { state, session, status } = store;
		setHidden(place("nav"), !session);
		setHidden(place("live"), !session);
		setHidden(place("sentence"), !state);
		// The operator's own loopback has not signed in, and so cannot sign out.
		setHidden(place("account"), !session || session.local);
		setText(name, session && `${session.name} · ${wordFor("role", session.role)}`);
		setText(out, t("signOut"));
		updateLive();
		const tone = state ? toneOf(state.level) : "off";
		if (state) {
			sign.set(tone);
			setAttribute(place("sentence"), "data-tone", status.live ? tone : "off");
			setText(place("sentence-text"), stateSentence(state));
		}
		const shown = status.live ? tone : "off";
		if (shown !== icon) place("icon").href = iconFor((icon = shown));
		const wanted = `${tone === "bad" || tone === "warn" ? "▲ " : ""}${title} · ociai-proxy`;
		if (document.title !== wanted) document.title = wanted;
	}

	function updateLive() {
		const { live: isLive, retryAt, code } = store.status;
		const seconds = retryAt ? Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)) : 0;
		const word = isLive ? "on" : code === "too_many_viewers" ? "full" : seconds ? "off" : "wait";
		live.say(t(`live.${word}`, { seconds }), isLive ? "good" : "warn");
	}

	return { update, updateLive };
}
