// The language of the page: which one, how to change it, and a sentence by its name.

import { keep, kept } from "./choices.js";
import { english } from "./words-en.js";
import { chinese } from "./words-zh.js";

/** {group: {name: sentence}} as {"group.name": sentence}. What has `other` is a sentence in several numbers. */
function flat(words) {
	return Object.fromEntries(Object.entries(words).flatMap(([group, inside]) =>
		(typeof inside === "string" || inside.other ? [[group, inside]] : Object.entries(inside).map(([name, text]) => [`${group}.${name}`, text]))));
}

const dictionaries = { en: flat(english), "zh-CN": flat(chinese) };

function preferred() {
	const choice = kept("language");
	if (choice in dictionaries) return choice;
	for (const tag of navigator.languages ?? [navigator.language]) {
		if (/^zh\b/i.test(tag)) return "zh-CN";
		if (/^en\b/i.test(tag)) return "en";
	}
	return "en";
}

let current = preferred();
let plurals = new Intl.PluralRules(current);

export const language = () => current;

export function setLanguage(tag) {
	current = tag in dictionaries ? tag : "en";
	plurals = new Intl.PluralRules(current);
	keep("language", current);
}

export const hasWord = (name) => name in dictionaries[current];

/** The sentence `name`, with {places} filled in. A sentence in several numbers is chosen by `values.n`. */
export function t(name, values) {
	let text = dictionaries[current][name] ?? name;
	if (typeof text === "object") text = text[plurals.select(values?.n ?? 0)] ?? text.other;
	return values ? text.replace(/\{(\w+)\}/g, (place, key) => (key in values ? String(values[key]) : place)) : text;
}

/** The word for a code of the server, such as an outcome; a code that is newer than this page stands for itself. */
export function wordFor(group, code) {
	if (code === null || code === undefined) return "";
	const name = `${group}.${code}`;
	return hasWord(name) ? t(name) : String(code).replaceAll("_", " ");
}

/** A name in a sentence: isolated, so that letters written from right to left cannot turn the sentence round, and cut. */
export function inSentence(name, longest = 48) {
	const letters = [...String(name)];
	return `\u2068${letters.length > longest ? letters.slice(0, longest).join("") + "…" : name}\u2069`;
}

export function translate(root) {
	document.documentElement.lang = current;
	for (const element of root.querySelectorAll("[data-word]")) element.textContent = t(element.dataset.word);
	for (const element of root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
}
