// Dialogs: the browser's own, which keep the focus inside and give it back.

import { h } from "./dom.js";
import { button, notice } from "./panel.js";
import { t } from "./words.js";

export const prose = (text) => h("p", { class: "prose" }, text);

/**
 * `action` runs when the dialog is confirmed; what it throws is shown inside. The dialog is gone from the page when it is
 * closed; `closed` hears of it. One that `isSure` is closed by its button alone.
 */
export function openDialog({ title, content, confirm, action, cancel, closed, kind = "primary", isSure = false }) {
	const said = notice();
	said.element.setAttribute("role", "alert");
	const submitButton = confirm && h("button", { type: "submit", class: kind }, confirm);
	const close = () => dialog.close();

	async function submit(event) {
		event.preventDefault();
		submitButton.disabled = true;
		said.say("");
		try {
			await action();
			close();
		} catch (problem) {
			said.problem(problem);
			submitButton.disabled = false;
		}
	}

	const dialog = h("dialog", {
		"aria-label": title,
		on: {
			// What is shown once is not to go with a key that was pressed by chance.
			cancel: (event) => isSure && event.preventDefault(),
			close: () => {
				dialog.remove();
				closed?.();
			},
		},
	}, h("form", { on: { submit } }, h("h2", null, title), content, said.element,
		h("div", { class: "buttons" }, button(cancel ?? t(confirm ? "cancel" : "close"), close), submitButton)));
	document.body.append(dialog);
	dialog.showModal();
	return said;
}
