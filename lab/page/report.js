// SPDX-License-Identifier: GPL-2.0-only
"use strict";

// What goes wrong in here must be seen, by people and by tests.
window.addEventListener("error", (event) => {
	const verdict = document.getElementById("verdict");

	verdict.textContent = "This page is broken: " + event.message;
	verdict.className = "bad";
	document.body.dataset.error = event.message;
});

const data = JSON.parse(document.getElementById("data").textContent);
const UNITS_PER_SECOND = 1e7;
const FAMILIES = [
	["VP", "#3467b2"], ["MEM", "#1b998b"], ["MR", "#7a5cc4"], ["MNG", "#d98324"],
	["PHYMEM.PAMT", "#c2427a"], ["PHYMEM", "#8a6d3b"], ["EXT", "#5a9216"], ["SYS", "#7b8794"],
];
const OTHER = ["other", "#a0a0a0"];
const KINDS = [["private", "#1b998b"], ["S-EPT", "#3467b2"], ["control", "#d98324"]];
const PAIRS = [["PAMT pairs", "#c2427a"]];
// What a stock guest goes through, in this order.
const PHASES = [
	["build", "#7b8794"], ["firmware", "#d98324"], ["kernel", "#3467b2"], ["shell", "#1b998b"],
	["checks", "#7a5cc4"], ["end", "#8a6d3b"],
];
// The rows of data.memory have these behind the time, in this order.
const COLUMNS = { "control": 1, "S-EPT": 2, "private": 3, "PAMT pairs": 4 };

function element(parent, tag, text, className) {
	const made = document.createElement(tag);

	if (text !== undefined)
		made.textContent = text;
	if (className)
		made.className = className;
	parent.append(made);
	return made;
}

function by(id) {
	return document.getElementById(id);
}

function count(n) {
	return n.toLocaleString("en-US");
}

function known(n) {
	return n === null ? "not known" : count(n);
}

function familyOf(leaf) {
	const found = FAMILIES.find(([name]) => leaf.startsWith("TDH." + name + "."));

	return found || OTHER;
}

function showHead() {
	const failed = data.failed.length > 0;
	const machine = data.machine.vcpus ? ", " + data.machine.vcpus + " CPUs, " + data.machine.memory_mb + " MB" : "";

	const launched = data.guests.length > 1 ? data.guests.length + " stock guests ran as TDs" :
		data.guests.length ? "a stock guest ran as a TD" : data.tds.length + " TDs launched";

	by("verdict").textContent = failed ? "The run failed" : "TDX host up, " + launched + ", all is well";
	by("verdict").className = failed ? "bad" : "good";
	by("host").textContent = "Linux " + data.kernel + " (" + data.base + ")" + machine + ", TDX module " +
		(data.module_version || "none") + " of softseam; " + data.seconds + " s from power-on to power-off";
	for (const text of data.failed)
		element(by("failed"), "li", text);
}

function showCards() {
	const tds = data.guests.length ? data.guests : data.tds;
	const calls = Object.values(data.seamcalls).reduce((sum, leaf) => sum + leaf.calls, 0);
	const cards = [
		[data.tdx_initialized ? "yes" : "no", "TDX module initialised", !data.tdx_initialized],
		[tds.filter((td) => !td.wrong).length + " of " + tds.length, "TDs well", tds.some((td) => td.wrong)],
		[count(calls), "SEAMCALLs", false],
		[known(data.violations), "violations", data.violations !== 0],
		[known(data.leaked_pages), "leaked pages", data.leaked_pages !== 0],
		[data.keyids.in_use + " of " + data.keyids.total, "KeyIDs in use at the end", data.keyids.in_use > 1],
		[data.extensions_initialised ? data.ext_pool_mb + " MB" : "none",
			data.extensions_initialised ? "pool of the Extensions, initialised" : "Extensions in use", false],
	];

	for (const [value, text, bad] of cards) {
		const card = element(by("cards"), "div", undefined, bad ? "card bad" : "card");

		element(card, "b", value);
		element(card, "span", text);
	}
}

function showPamt() {
	const dynamic = data.pamt.measured === "dynamic";
	const bars = [["static, at boot", data.pamt.static_kb, dynamic], ["dynamic, at boot", data.pamt.dynamic_kb, !dynamic]];

	if (dynamic)
		bars.push(["dynamic, at most", data.pamt.dynamic_kb + data.pages_peak.pairs * 8, false]);
	const most = Math.max(...bars.map((bar) => bar[1]), 1);

	for (const [name, kb, computed] of bars) {
		const bar = element(by("pamt"), "div", undefined, computed ? "bar computed" : "bar");

		element(bar, "span", name + (computed ? " (computed)" : " (measured)"));
		element(element(bar, "span"), "i").style.width = 100 * kb / most + "%";
		element(bar, "em", count(kb) + " KB");
	}
	by("pamt-note").textContent = dynamic ?
		"At boot: the bitmap, the levels for larger pages, and the kernel's own state. At most: with " +
		data.pages_peak.pairs + " pairs of pages, of which " + data.pamt_pairs_of_module +
		" are for the pool of the Extensions. " + data.pamt_pairs + " pairs were left at the end." :
		"This host uses static PAMT, for all of its memory. The other figure follows from the size of that memory.";
}

function showTds() {
	const table = by("tds");
	const head = element(table, "tr");
	const headings = ["TD", "vCPUs", "MB", "added", "accepted", "converted", "MRTD", "RTMR", "build s", "run s", "destroy s"];

	by("tds-section").hidden = !data.tds.length;
	for (const name of headings)
		element(head, "th", name);
	element(head, "th", "guest says", "text");
	for (const td of data.tds) {
		const row = element(table, "tr");
		const cells = [td.td, td.vcpus, td.mem_mb, td.added_pages, td.accepted_pages, td.converted_pages,
			td.mrtd_matches ? "ok" : "BAD", td.rtmr_matches ? "ok" : "BAD",
			td.seconds.build.toFixed(2), td.seconds.run.toFixed(2), td.seconds.destroy.toFixed(2)];

		for (const cell of cells)
			element(row, "td", cell, cell === "BAD" ? "bad" : "");
		element(row, "td", td.wrong || td.said.join("").trim(), td.wrong ? "text said bad" : "text said");
		row.children[6].title = td.mrtd;
	}
}

function verdictOf(ok) {
	return ok === null ? "-" : ok ? "ok" : "BAD";
}

function secondsUntil(guest, phase) {
	const nr = guest.phases.findIndex(([name]) => name === phase);

	return nr < 0 ? "-" : ((guest.phases[nr][2] - guest.phases[0][1]) / UNITS_PER_SECOND).toFixed(1);
}

function showGuests() {
	const table = by("guests");
	const head = element(table, "tr");

	by("guests-section").hidden = !data.guests.length;
	for (const name of ["TD", "vCPUs", "MB", "firmware s", "kernel s", "shell s", "MRTD", "RTMR", "events", "block",
			    "network", "entries"])
		element(head, "th", name);
	element(head, "th", "firmware, kernel", "text");
	for (const guest of data.guests) {
		const row = element(table, "tr");
		const own = (ok) => verdictOf(guest.ours ? ok : null);
		const cells = [guest.td, guest.vcpus, guest.mb, secondsUntil(guest, "build"), secondsUntil(guest, "firmware"),
			secondsUntil(guest, "shell"), verdictOf(guest.mrtd_ok), own(guest.rtmr_ok), guest.events.length,
			own(guest.block_ok), own(guest.network_ok), count(guest.enters)];

		for (const cell of cells)
			element(row, "td", cell, cell === "BAD" ? "bad" : "");
		row.children[6].title = guest.mrtd;
		row.children[7].title = guest.rtmrs.join("\n");
		element(row, "td", guest.wrong || guest.firmware + ", " + (guest.release || guest.kernel || "-") +
			(guest.tree ? " (" + guest.tree + ")" : ""),
			guest.wrong ? "text said bad" : "text said");
	}
}

function fillLeaves(column, up) {
	const table = by("leaves");
	const columns = ["leaf", "calls", "errors", "injected", "ms", "µs a call"];
	const rows = Object.entries(data.seamcalls).map(([name, leaf]) =>
		[name, leaf.calls, leaf.errors, leaf.injected, leaf.ns / 1e6, leaf.ns / 1e3 / Math.max(leaf.calls, 1)]);

	rows.sort((a, b) => (a[column] < b[column] ? -1 : a[column] > b[column] ? 1 : 0) * (up ? 1 : -1));
	table.replaceChildren();
	const head = element(table, "tr");

	columns.forEach((name, nr) => {
		const arrow = nr === column ? (up ? " ▲" : " ▼") : "";

		element(head, "th", name + arrow, nr ? "" : "text").onclick =
			() => fillLeaves(nr, nr === column ? !up : nr === 0);
	});
	for (const cells of rows) {
		const row = element(table, "tr");

		cells.forEach((cell, nr) => element(row, "td",
			nr === 0 ? cell : nr < 4 ? count(cell) : cell.toFixed(2), nr ? "" : "text"));
	}
}

function showViolations() {
	const list = by("violations");

	for (const each of data.violation_list)
		element(list, "li", each.rule + ": " + each.text + (each.caller ? ", by " + each.caller : ""));
	for (const text of data.complaints)
		element(list, "li", "kernel: " + text);
	if (!list.children.length)
		element(list, "li", "none");
}

function unpack(text, Type) {
	const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

	return new Type(bytes.buffer);
}

const timeline = {
	...data.timeline,
	start: unpack(data.timeline.start, Uint32Array),
	took: unpack(data.timeline.took, Uint32Array),
	cpu: unpack(data.timeline.cpu, Uint8Array),
	leaf: unpack(data.timeline.leaf, Uint8Array),
	failed: unpack(data.timeline.failed, Uint8Array),
};
const nrCpus = timeline.cpu.reduce((most, cpu) => Math.max(most, cpu + 1), 1);
const whole = [0, timeline.start.reduce((most, start, nr) => Math.max(most, start + timeline.took[nr]), 1)];
let view = whole.slice();

// A canvas as wide as it is shown, and as sharp as the screen.
function prepare(canvas) {
	const scale = window.devicePixelRatio || 1;
	const width = canvas.clientWidth || 800;
	const height = Number(canvas.getAttribute("data-height") || canvas.getAttribute("height"));

	canvas.setAttribute("data-height", height);
	canvas.width = width * scale;
	canvas.height = height * scale;
	canvas.style.height = height + "px";
	const pen = canvas.getContext("2d");

	pen.scale(scale, scale);
	pen.font = "11px system-ui, sans-serif";
	return { pen, width, height };
}

function style(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const LEFT = 52;
const PHASE_HEIGHT = 17;

function xOf(time, span, width) {
	return LEFT + (time - span[0]) / (span[1] - span[0]) * (width - LEFT);
}

function timeAt(x, span, width) {
	return span[0] + Math.max(x - LEFT, 0) / (width - LEFT) * (span[1] - span[0]);
}

// Calls that share a pixel are drawn once, in the colour of the longest; failures win.
function drawCalls(canvas, span, top, rowHeight, withText) {
	const { pen, width, height } = prepare(canvas);
	const best = new Map();

	for (let nr = 0; nr < timeline.count; nr++) {
		if (timeline.start[nr] + timeline.took[nr] < span[0] || timeline.start[nr] > span[1])
			continue;
		const x = Math.floor(Math.max(xOf(timeline.start[nr], span, width), LEFT));
		const end = xOf(timeline.start[nr] + timeline.took[nr], span, width);
		const key = x * 256 + timeline.cpu[nr];
		const old = best.get(key);
		const weight = timeline.took[nr] + (timeline.failed[nr] ? 1e12 : 0);

		if (!old || weight > old.weight)
			best.set(key, { x, end, nr, weight });
	}
	for (const { x, end, nr } of best.values()) {
		pen.fillStyle = timeline.failed[nr] ? style("--mark") : familyOf(timeline.names[timeline.leaf[nr]])[1];
		pen.fillRect(x, top + timeline.cpu[nr] * rowHeight, Math.max(end - x, 1), rowHeight - 2);
	}
	if (withText) {
		pen.fillStyle = style("--soft");
		for (let cpu = 0; cpu < nrCpus; cpu++)
			pen.fillText("CPU " + cpu, 0, top + cpu * rowHeight + rowHeight / 2 + 4);
		drawTimes(pen, span, width, height);
	}
	return best;
}

function stepFor(seconds) {
	const power = 10 ** Math.floor(Math.log10(seconds / 6));

	return [1, 2, 5, 10].map((n) => n * power).find((step) => seconds / step <= 8);
}

function drawTimes(pen, span, width, height) {
	const seconds = (span[1] - span[0]) / UNITS_PER_SECOND;
	const step = stepFor(seconds);
	const digits = Math.max(0, -Math.floor(Math.log10(step)));

	for (let at = Math.ceil(span[0] / UNITS_PER_SECOND / step) * step; at * UNITS_PER_SECOND <= span[1]; at += step) {
		const x = xOf(at * UNITS_PER_SECOND, span, width);

		pen.fillStyle = style("--soft");
		pen.fillText(at.toFixed(digits) + " s", Math.min(x + 3, width - 40), height - 3);
		pen.fillStyle = style("--line");
		pen.fillRect(x, 0, 1, height);
	}
}

// One row for each stock guest, above the calls.
function drawPhases() {
	by("phases").setAttribute("data-height", data.guests.length * PHASE_HEIGHT);
	const { pen, width } = prepare(by("phases"));

	data.guests.forEach((guest, nr) => {
		for (const [name, start, end] of guest.phases) {
			const from = Math.max(xOf(start, view, width), LEFT);
			const to = Math.min(xOf(end, view, width), width);

			pen.fillStyle = PHASES.find((phase) => phase[0] === name)[1];
			if (to > from)
				pen.fillRect(from, nr * PHASE_HEIGHT, to - from, PHASE_HEIGHT - 3);
			pen.fillStyle = "#ffffff";
			if (to - from > 60)
				pen.fillText(name, from + 4, nr * PHASE_HEIGHT + 11);
		}
		pen.fillStyle = style("--soft");
		pen.fillText("TD " + guest.td, 0, nr * PHASE_HEIGHT + 11);
	});
}

let drawn = new Map();
const rowHeight = Math.max(14, Math.min(34, 160 / nrCpus));

function drawOverview() {
	const canvas = by("overview");

	drawCalls(canvas, whole, 0, 28 / nrCpus, false);
	const pen = canvas.getContext("2d");
	const left = xOf(view[0], whole, canvas.clientWidth);

	pen.strokeStyle = style("--mark");
	pen.strokeRect(left, 0.5, Math.max(xOf(view[1], whole, canvas.clientWidth) - left, 2), 27);
}

function memoryAt(time) {
	let found = data.memory[0] || [0, 0, 0, 0, 0];

	for (const row of data.memory) {
		if (row[0] > time)
			break;
		found = row;
	}
	return found;
}

function kilobytes(kind, row) {
	return row[COLUMNS[kind]] * (kind === "PAMT pairs" ? 8 : 4);
}

// Kinds on top of each other; @unit is in KB.
function drawMemory(canvas, kinds, unit, unitName) {
	const { pen, width, height } = prepare(canvas);
	const total = (row) => kinds.reduce((sum, [kind]) => sum + kilobytes(kind, row), 0);
	const most = Math.max(...data.memory.map(total), 1) * 1.08;
	const floor = height - 16;
	const under = new Array(data.memory.length).fill(0);

	kinds.forEach(([kind, colour]) => {
		pen.fillStyle = colour;
		data.memory.forEach((row, nr) => {
			const next = nr + 1 < data.memory.length ? data.memory[nr + 1][0] : whole[1];
			const from = Math.floor(Math.max(xOf(row[0], view, width), LEFT));
			const to = Math.ceil(Math.min(xOf(next, view, width), width));
			const size = kilobytes(kind, row) / most * floor;

			if (to > from)
				pen.fillRect(from, floor - under[nr] - size, to - from, size);
			under[nr] += size;
		});
	});
	drawTimes(pen, view, width, height);
	pen.fillStyle = style("--soft");
	for (const part of [0.5, 1])
		pen.fillText(Math.round(most * part / unit) + " " + unitName, 0, floor * (1 - part) + 10);
}

function draw() {
	by("calls").setAttribute("data-height", nrCpus * rowHeight + 16);
	drawn = drawCalls(by("calls"), view, 0, rowHeight, true);
	drawOverview();
	drawPhases();
	drawMemory(by("memory"), KINDS, 1024, "MB");
	drawMemory(by("pairs"), PAIRS, 1, "KB");
}

function describe(nr) {
	const start = timeline.start[nr] / UNITS_PER_SECOND;

	return timeline.names[timeline.leaf[nr]] + " on CPU " + timeline.cpu[nr] + " at " + start.toFixed(6) + " s, " +
		(timeline.took[nr] / 10).toFixed(1) + " µs" + (timeline.failed[nr] ? ", did not succeed" : "");
}

function hover(event) {
	const canvas = by("calls");
	const cpu = Math.floor(event.offsetY / rowHeight);
	const time = timeAt(event.offsetX, view, canvas.clientWidth);
	let found = null;

	for (const entry of drawn.values()) {
		if (timeline.cpu[entry.nr] === cpu && entry.x - 2 <= event.offsetX && event.offsetX <= Math.max(entry.end, entry.x + 1) + 2)
			found = entry;
	}
	by("hover").textContent = found ? describe(found.nr) : (time / UNITS_PER_SECOND).toFixed(6) + " s";
}

function hoverMemory(event) {
	const row = memoryAt(timeAt(event.offsetX, view, by("memory").clientWidth));

	by("memory-hover").textContent = (row[0] / UNITS_PER_SECOND).toFixed(3) + " s: " +
		[...KINDS, ...PAIRS].map(([kind]) => kind + " " + count(kilobytes(kind, row)) + " KB").join(", ");
}

// Select a span with the mouse, on either canvas of calls.
function selectable(canvas, spanOf) {
	let from = null;

	canvas.addEventListener("mousedown", (event) => { from = timeAt(event.offsetX, spanOf(), canvas.clientWidth); });
	canvas.addEventListener("mouseup", (event) => {
		const to = timeAt(event.offsetX, spanOf(), canvas.clientWidth);

		if (from !== null && Math.abs(to - from) > (spanOf()[1] - spanOf()[0]) / 500) {
			view = [Math.min(from, to), Math.max(from, to)];
			draw();
		}
		from = null;
	});
	canvas.addEventListener("dblclick", () => {
		view = whole.slice();
		draw();
	});
}

function keys(parent, entries) {
	for (const [name, colour] of entries)
		element(parent, "span", name, "key").style.setProperty("--key", colour);
}

function showTimeline() {
	const used = new Set(timeline.names.map((name) => familyOf(name)[0]));

	keys(by("legend"), [...FAMILIES, OTHER].filter(([name]) => used.has(name)));
	keys(by("legend"), [["did not succeed", "var(--mark)"]]);
	if (data.guests.length)
		keys(by("phases-legend"), PHASES);
	keys(by("memory-legend"), KINDS);
	keys(by("pairs-legend"), PAIRS);
	selectable(by("calls"), () => view);
	selectable(by("overview"), () => whole);
	by("calls").addEventListener("mousemove", hover);
	for (const id of ["memory", "pairs"])
		by(id).addEventListener("mousemove", hoverMemory);
	window.addEventListener("resize", draw);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
	if (timeline.skipped)
		by("hover").textContent = count(timeline.skipped) + " later calls are not shown; trace.txt has them";
	draw();
}

showHead();
showCards();
showPamt();
showTds();
showGuests();
fillLeaves(4, false);
showViolations();
showTimeline();
document.body.dataset.calls = timeline.count;
document.body.dataset.ready = "yes";
