/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in an empty page of the browser, never in a mail: lays mails out in
 * frames that may not run scripts, measures them, and cuts pictures of the
 * page into one for each mail.
 */
"use strict";

const CAPTION = 18;
/* Letters, digits and signs; pictures of emoji have colours of their own. */
const READABLE = /[\p{L}\p{N}\p{P}\p{Sc}✓✔]/u;
const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const STRONG = /[\p{L}]/u;
let frames = [];

/* ---- layout --------------------------------------------------------- */

function loaded(frame) {
	return new Promise(done => {
		frame.onload = async () => {
			const images = [...frame.contentDocument.images];

			await Promise.all(images.map(i =>
				i.decode().catch(() => null)));
			done();
		};
	});
}

/* mails: [{name, html}] */
async function open_mails(mails) {
	const style = document.createElement("style");

	style.textContent = ":root{color-scheme:light dark}" +
		"body{margin:0;background:#888;color:#fff;" +
		"font:bold 12px/16px sans-serif}" +
		"iframe{border:0;display:block}" +
		"div{position:absolute;left:0;top:0;overflow:hidden}";
	document.head.replaceChildren(style);
	frames = mails.map(mail => {
		const cell = document.createElement("div");
		const frame = document.createElement("iframe");

		cell.style.display = "none";
		frame.sandbox = "allow-same-origin";
		frame.srcdoc = mail.html;
		cell.append(mail.name, frame);
		return frame;
	});
	const all = frames.map(loaded);

	document.body.replaceChildren(...frames.map(f => f.parentNode));
	await Promise.all(all);
	return true;
}

/* Only while a function runs: all of them painted would take its time. */
function show_all(shown) {
	for (const f of frames)
		f.parentNode.style.display = shown ? "block" : "none";
}

/* All mails to this width; their heights, in order. */
function widen(width) {
	show_all(true);
	for (const f of frames) {
		f.parentNode.style.width = f.style.width = width + "px";
		f.height = 60;
	}
	const heights = frames.map(f => Math.ceil(Math.max(60,
		f.contentDocument.documentElement.getBoundingClientRect()
			.height)));

	frames.forEach((f, i) => { f.height = heights[i]; });
	show_all(false);
	return heights;
}

/* Shows only these, each where it was put: [[index, x, y]]. */
function place(cells) {
	show_all(false);
	for (const [i, x, y] of cells) {
		const cell = frames[i].parentNode;

		cell.style.display = "block";
		cell.style.transform = `translate(${x}px,${y}px)`;
	}
	return new Promise(done => requestAnimationFrame(() =>
		requestAnimationFrame(() => done(true))));
}

/* ---- colours -------------------------------------------------------- */

function parse_color(text) {
	const n = text.match(/[\d.]+/g).map(Number);

	return { c: n.slice(0, 3), a: n.length > 3 ? n[3] : 1 };
}

function over(top, below) {
	return below.map((b, i) => top.c[i] * top.a + b * (1 - top.a));
}

/* What is behind the element: of the page, or white or black without one. */
function background(element, win, dark, known) {
	if (!element)
		return dark ? [18, 18, 18] : [255, 255, 255];
	if (!known.has(element))
		known.set(element, over(parse_color(
			win.getComputedStyle(element).backgroundColor),
		background(element.parentElement, win, dark, known)));
	return known.get(element);
}

function luminance(c) {
	const l = c.map(v => v / 255).map(v =>
		v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

	return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2];
}

function contrast(element, win, dark, known) {
	const behind = background(element, win, dark, known);
	const color = parse_color(win.getComputedStyle(element).color);
	const a = [luminance(over(color, behind)), luminance(behind)];

	return (Math.max(...a) + 0.05) / (Math.min(...a) + 0.05);
}

/* ---- measuring ------------------------------------------------------ */

function texts(doc, within = doc.body) {
	const walk = doc.createTreeWalker(within, NodeFilter.SHOW_TEXT);
	const found = [];

	while (walk.nextNode()) {
		const node = walk.currentNode;

		if (node.data.trim() && node.parentElement.tagName !== "STYLE")
			found.push(node);
	}
	return found;
}

function boxes(doc, node) {
	const range = doc.createRange();

	range.selectNodeContents(node);
	return [...range.getClientRects()].filter(r => r.width && r.height);
}

function said(text) {
	return JSON.stringify(text.trim().slice(0, 60));
}

function is_filled(doc, bubble) {
	const images = [...bubble.querySelectorAll("img")];

	return images.some(i => i.naturalWidth > 0 && i.width > 0) ||
		texts(doc, bubble).some(t => boxes(doc, t).length > 0);
}

function find_empty(doc) {
	const found = texts(doc).length ? [] : ["no text at all"];
	const bubbles = [...doc.querySelectorAll(".r,.s,.n")];

	if (!bubbles.length)
		found.push("no bubble");
	return found.concat(bubbles.filter(b => !is_filled(doc, b))
		.map(b => "empty: " + b.outerHTML.slice(0, 120)));
}

function find_wide(doc, width) {
	const page = doc.documentElement;
	const found = [];

	if (page.scrollWidth > page.clientWidth)
		found.push(`${page.scrollWidth} of ${page.clientWidth} pixels`);
	for (const e of doc.body.querySelectorAll("*")) {
		const r = e.getBoundingClientRect();

		if (r.width && (r.right > width + 0.5 || r.left < -0.5))
			found.push(`<${e.tagName}> from ${r.left} to ` +
				`${r.right}: ${said(e.textContent)}`);
	}
	return found;
}

/* Nothing in a mail may be half transparent: opacity is not looked at. */
function find_faint(doc, win, dark) {
	const found = [], known = new Map();

	for (const t of texts(doc)) {
		const k = contrast(t.parentElement, win, dark, known);

		if (READABLE.test(t.data) && k < 4.5)
			found.push(`${k.toFixed(2)}: ${said(t.data)}`);
	}
	return found;
}

function first_strong(text) {
	return [...text].find(c => STRONG.test(c)) || "";
}

function block_of(element, win) {
	while (win.getComputedStyle(element).display.startsWith("inline"))
		element = element.parentElement;
	return element;
}

/* Text that begins from the right must have dir=auto, and end there. */
function find_misdirected(doc, win) {
	const found = [];

	for (const t of texts(doc)) {
		const marked = t.parentElement.closest("[dir=auto],bdi");
		const rects = boxes(doc, t);

		if (!RTL.test(first_strong(t.data)) || !rects.length)
			continue;
		if (!marked || !RTL.test(first_strong(marked.textContent))) {
			found.push(`not of its own direction: ${said(t.data)}`);
			continue;
		}
		if (block_of(marked, win) !== marked)
			continue;
		const box = marked.getBoundingClientRect();
		const line = rects.filter(r => r.top < rects[0].bottom &&
			r.bottom > rects[0].top);
		const left = Math.min(...line.map(r => r.left));
		const right = Math.max(...line.map(r => r.right));

		if (box.right - right > left - box.left + 1)
			found.push(`on the left: ${said(t.data)}`);
	}
	return found;
}

/* How many texts could have stood on the wrong side. */
function count_directed(doc) {
	return texts(doc).filter(t => RTL.test(first_strong(t.data)) &&
		boxes(doc, t).some(r => {
			const box = t.parentElement.getBoundingClientRect();

			return box.width > r.width + 4;
		})).length;
}

function find_foreign(doc, win) {
	const found = [...doc.querySelectorAll("script,link,iframe,object," +
		"embed,base,form,input,button,a,svg,math,video,audio,source," +
		"[srcset],[background],[href],[http-equiv]")]
		.map(e => `<${e.tagName}>`);

	for (const e of doc.querySelectorAll("*"))
		for (const a of e.attributes)
			if (a.name.startsWith("on"))
				found.push(a.name);
	for (const r of win.performance.getEntriesByType("resource"))
		if (!/^(data|about|blob):/.test(r.name))
			found.push(r.name);
	return found;
}

function find_broken(doc) {
	return [...doc.images].filter(i => !i.naturalWidth || !i.width ||
		!i.height).map(i => i.src.slice(0, 80) + " " + i.alt);
}

/* As a mail program shows it that drops style sheets. */
function find_bare(doc, win, width, dark) {
	const sheets = [...doc.styleSheets];
	let found;

	for (const s of sheets)
		s.disabled = true;
	found = find_faint(doc, win, dark).concat(find_wide(doc, width));
	for (const s of sheets)
		s.disabled = false;
	return found;
}

/*
 * One object of complaints for each mail. Places depend on the width alone,
 * colours on the scheme alone.
 */
function measure(width, dark, has_places, has_colors) {
	show_all(true);
	const found = frames.map(f => {
		const doc = f.contentDocument, win = f.contentWindow;
		const seen = {};

		if (has_colors) {
			seen.faint = find_faint(doc, win, dark);
			seen.bare = find_bare(doc, win, width, dark);
		}
		if (has_places) {
			seen.empty = find_empty(doc);
			seen.wide = find_wide(doc, width);
			seen.misdirected = find_misdirected(doc, win);
			seen.directed = count_directed(doc);
			seen.foreign = find_foreign(doc, win);
			seen.broken = find_broken(doc);
		}
		return seen;
	});
	show_all(false);
	return found;
}

/* ---- pictures ------------------------------------------------------- */

function count_colors(pixels) {
	const seen = new Set();
	let last = -1;

	for (const p of new Uint32Array(pixels.data.buffer)) {
		if (p !== last && seen.add(p).size > 99)
			break;
		last = p;
	}
	return seen.size;
}

/* A colour of the page itself: the first pixel. */
function corner(pixels) {
	return [...pixels.data.slice(0, 3)].join();
}

/* cells: [[index, x, y, width, height]] of a picture of the page. */
async function cut(png, cells) {
	const image = new Image();
	const canvas = document.createElement("canvas");
	const ctx = canvas.getContext("2d", { willReadFrequently: true });

	image.src = "data:image/png;base64," + png;
	await image.decode();
	return cells.map(([i, x, y, width, height]) => {
		canvas.width = width;
		canvas.height = height;
		ctx.drawImage(image, x, y + CAPTION, width, height, 0, 0,
			width, height);
		const pixels = ctx.getImageData(0, 0, width, height);

		return [i, count_colors(pixels), corner(pixels),
			canvas.toDataURL("image/png").split(",")[1]];
	});
}
