// What an administrator can do to the proxy as a whole: read its configuration again, close breakers.

import { post, withQuery } from "./api.js";
import { openDialog, prose } from "./dialog.js";
import { t } from "./words.js";

export function resetDialog(account = "", model = "") {
	const whom = [account || t("all"), model].filter(Boolean).join(", ");
	openDialog({
		title: t("reset.title"), confirm: t("reset.word"), content: [prose(t("reset.text", { whom })), prose(t("reset.note"))],
		action: () => post(withQuery("/admin/circuit-breaker/reset", { account, model })),
	});
}

export function reloadDialog() {
	openDialog({
		title: t("reload.word"), confirm: t("reload.word"), content: prose(t("reload.text")),
		async action() {
			const answer = await post("/v1/reload");
			openDialog({ title: t("reload.done"), content: prose(answer?.message ?? "") });
		},
	});
}
