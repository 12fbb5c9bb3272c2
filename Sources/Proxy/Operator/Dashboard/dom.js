// Elements without markup: whatever a model, a key or an error is called, it becomes a text node and nothing else.

const SVG = "http://www.w3.org/2000/svg";

/** h("p", {class: "muted", on: {click: f}}, "text", child). Falsy children are left out; `css` sets custom properties. */
export function h(tag, properties, ...children) {
	return fill(document.createElement(tag), properties, children);
}

export function svg(tag, properties, ...children) {
	return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
	for (const [name, value] of Object.entries(properties ?? {})) {
		if (value === undefined || value === null || value === false) continue;
		if (name === "on") {
			for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
		} else if (name === "css") {
			// By way of CSSOM: the policy forbids style attributes.
			for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
		} else {
			element.setAttribute(name, value === true ? "" : String(value));
		}
	}
	element.append(...children.flat(Infinity).filter((child) => child || child === 0));
	return element;
}

// The setters below write only what differs, so that a page which changes each second keeps its selection and focus.

export function setText(element, text) {
	const wanted = text === null || text === undefined ? "" : String(text);
	if (element.textContent !== wanted) element.textContent = wanted;
}

export function setAttribute(element, name, value) {
	if (value === null || value === undefined || value === false) {
		if (element.hasAttribute(name)) element.removeAttribute(name);
	} else if (element.getAttribute(name) !== String(value)) {
		element.setAttribute(name, String(value));
	}
}

export function setHidden(element, hidden) {
	if (element.hidden !== hidden) element.hidden = hidden;
}

export function setProperty(element, name, value) {
	if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
}

/**
 * Makes the children of `parent` stand for `items`, in order. A child lives as long as its key, is never rebuilt, and is
 * moved only when the order has changed, because moving a node takes the focus away from what is in it.
 */
export function keyed(parent, items, keyOf, make) {
	const known = (parent.keyedParts ??= new Map());
	const wanted = new Map();
	for (const item of items) {
		// Clients choose the ids of requests, and some give several the same.
		let key = String(keyOf(item));
		while (wanted.has(key)) key += "'";
		wanted.set(key, item);
	}
	for (const [key, part] of known) {
		if (wanted.has(key)) continue;
		part.element.remove();
		known.delete(key);
	}
	const focused = parent.contains(document.activeElement) ? document.activeElement : null;
	let index = 0;
	for (const [key, item] of wanted) {
		let part = known.get(key);
		if (!part) known.set(key, (part = make(item)));
		part.update(item);
		const there = parent.children[index];
		if (there !== part.element) parent.insertBefore(part.element, there ?? null);
		index += 1;
	}
	if (focused && focused.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
}
