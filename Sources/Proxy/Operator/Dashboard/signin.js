// The form that asks for a key. The key goes to the server once, and stays nowhere in the browser.

import { signIn } from "./api.js";
import { h } from "./dom.js";
import { field, notice } from "./panel.js";
import { t } from "./words.js";

export function signInView(done) {
	const said = notice();
	said.element.setAttribute("role", "alert");
	const { input, element } = field(t("key"), { type: "password", required: true });
	const button = h("button", { type: "submit", class: "primary" }, t("signIn.word"));

	async function submit(event) {
		event.preventDefault();
		button.disabled = true;
		said.say("");
		try {
			done(await signIn(input.value.trim()));
		} catch (problem) {
			const word = problem.code === "foreign_page" ? null : { 401: "wrong", 403: "client", 429: "often" }[problem.status];
			if (word) said.say(t(`signIn.${word}`), "bad");
			else said.problem(problem);
			input.select();
		}
		button.disabled = false;
	}

	const forget = () => (input.value = "");
	return {
		// The method keeps the key out of the address, should the browser ever send the form by itself.
		element: h("form", { class: "signin panel", method: "post", on: { submit } },
			h("h1", { tabindex: "-1" }, t("signIn.title")), h("p", { class: "muted" }, t("signIn.text")), element, said.element, button),
		update() {},
		show() {
			forget();
			input.focus();
		},
		hide: forget,
	};
}
