// Numbers, money, durations and moments as people read them, in the language of the page. Moments are in the viewer's
// zone, with UTC for whoever hovers, because logs speak UTC.

import { setAttribute, setText } from "./dom.js";
import { language, t } from "./words.js";

// Making a formatter costs a thousand times as much as using it.
const formatters = new Map();

function formatted(value, options, Format) {
	const key = language() + JSON.stringify(options);
	if (!formatters.has(key)) formatters.set(key, new Format(language(), options));
	return formatters.get(key).format(value);
}

const number = (value, options) => formatted(value, options, Intl.NumberFormat);
const date = (value, options) => formatted(value, options, Intl.DateTimeFormat);

export const missing = "–";
const isMissing = (value) => value === null || value === undefined || Number.isNaN(value);

export const count = (value) => (isMissing(value) ? missing : number(value, { maximumFractionDigits: 0 }));

export const rate = (value) => (isMissing(value) ? missing : number(value, { maximumFractionDigits: value < 10 ? 1 : 0 }));

export function compact(value) {
	if (isMissing(value)) return missing;
	return value < 10_000 ? count(value) : number(value, { notation: "compact", maximumFractionDigits: 1 });
}

export function share(value) {
	if (isMissing(value)) return missing;
	const digits = value > 0 && value < 0.1 ? 1 : 0;
	return number(value, { style: "percent", maximumFractionDigits: digits });
}

export function duration(ms) {
	if (isMissing(ms)) return missing;
	if (ms < 1000) return `${number(ms, { maximumFractionDigits: 0 })} ms`;
	if (ms < 60_000) return `${number(ms / 1000, { maximumFractionDigits: ms < 10_000 ? 2 : 1 })} s`;
	const seconds = Math.round(ms / 1000);
	if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
	if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
	return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** From nano-dollars. What is small keeps the digits that say something. */
export function money(nano) {
	if (isMissing(nano)) return t("unknown");
	const dollars = nano / 1e9;
	const size = Math.abs(dollars);
	const style = { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" };
	return number(dollars, size === 0 || size >= 1 ? style : { ...style, maximumSignificantDigits: 3 });
}

const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const day = { day: "numeric", month: "short" };

/** "14:03:20" today, "29 Nov, 14:03:20" on other days, with the year in other years. */
export function clock(moment) {
	const [then, now] = [new Date(moment), new Date()];
	if (Number.isNaN(then.getTime())) return missing;
	if (then.toDateString() === now.toDateString()) return date(then, time);
	const year = then.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
	return date(then, { ...year, ...day, ...time });
}

export const dateOnly = (moment) => date(new Date(moment), { ...day, year: "numeric" });

/** "2026-11-30", a day in UTC as the ledger counts them. */
export const ledgerDay = (text) => date(new Date(text), { ...day, timeZone: "UTC" });

export const inUTC = (moment) => `${new Date(moment).toISOString().slice(0, 19).replace("T", " ")} UTC`;

export const until = (moment) => new Date(moment).getTime() - Date.now();

export const forServer = (moment) => `${moment.toISOString().slice(0, 19)}Z`;

export function setTime(element, moment, write = clock) {
	const isKnown = moment && !Number.isNaN(new Date(moment).getTime());
	setText(element, isKnown ? write(moment) : missing);
	setAttribute(element, "datetime", isKnown ? moment : null);
	setAttribute(element, "title", isKnown ? inUTC(moment) : null);
}
