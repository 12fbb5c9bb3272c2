// Keeps the live stream open: again and again with growing pauses, and not at all while nobody looks.

import { get } from "./api.js";

const longestPause = 30;
/** A stream that says nothing for so long is dead: comments come every 15 seconds. */
const longestSilence = 40_000;
const hiddenFor = 60_000;

/** `on`: {state, change, status({live, retryAt, code}), signedOut}. */
export function liveStream(on) {
	let controller = null;
	let pause = 1;
	let retry = 0;
	let hide = 0;
	let isWanted = false;

	async function open() {
		clearTimeout(retry);
		const own = (controller = new AbortController());
		let silence = 0;
		const alive = () => {
			clearTimeout(silence);
			silence = setTimeout(() => own.abort(), longestSilence);
		};
		let code = null;
		alive();
		try {
			const response = await fetch("/dashboard/events", {
				headers: { accept: "text/event-stream" }, signal: own.signal, cache: "no-store", credentials: "same-origin",
			});
			// 403: the key has become a client's.
			if (response.status === 401 || response.status === 403) return on.signedOut();
			if (response.ok) {
				await readEvents(response.body, (name, data) => take(name, JSON.parse(data)), alive);
			} else {
				code = (await response.json().catch(() => null))?.error?.code ?? String(response.status);
			}
		} catch {
			// Broken off, silent for too long, or not readable: all end in another try.
		} finally {
			clearTimeout(silence);
			own.abort();
		}
		if (controller === own && isWanted) tryAgain(code);
	}

	function take(name, value) {
		if (name === "state") {
			pause = 1;
			on.state(value);
			on.status({ live: true });
		} else if (name === "change") {
			on.change(value);
		}
	}

	function tryAgain(code) {
		// A quarter of chance keeps many viewers from coming back at once.
		const wait = pause * 1000 * (0.75 + Math.random() / 2);
		pause = Math.min(pause * 2, longestPause);
		on.status({ live: false, retryAt: Date.now() + wait, code });
		retry = setTimeout(open, wait);
		// The server may answer although it does not stream, for instance to too many viewers.
		if (code) get("/dashboard/state").then((state) => isWanted && on.state(state), () => {});
	}

	function close() {
		clearTimeout(retry);
		const own = controller;
		controller = null;
		own?.abort();
	}

	document.addEventListener("visibilitychange", () => {
		clearTimeout(hide);
		if (document.hidden) {
			hide = setTimeout(() => {
				close();
				on.status({ live: false });
			}, hiddenFor);
		} else if (isWanted && !controller) {
			pause = 1;
			open();
		}
	});

	return {
		start() {
			isWanted = true;
			if (!controller) open();
		},
		stop() {
			isWanted = false;
			close();
		},
	};
}

/** Calls `event(name, data)` for each event of the stream; returns when the stream ends. `alive` hears of each piece. */
export async function readEvents(body, event, alive) {
	const reader = body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = "";
	let name = "message";
	let data = [];
	for (;;) {
		const { value, done } = await reader.read();
		if (done) return;
		alive();
		const lines = (rest + value).split(/\r?\n/);
		rest = lines.pop();
		for (const line of lines) {
			if (line === "") {
				if (data.length > 0) event(name, data.join("\n"));
				name = "message";
				data = [];
			} else if (line.startsWith("event:")) {
				name = line.slice(6).trim();
			} else if (line.startsWith("data:")) {
				data.push(line.slice(line[5] === " " ? 6 : 5));
			}
		}
	}
}
