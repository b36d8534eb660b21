
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const make = (tag, text, name) => { const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text; if (name) e.className = name; return e; };
const ROW = 24;  // pixels of a row of the list, as in the style
const TALL = 220;  // of the time line, as in the style
const LINKS = 400;  // in an answer; of a longer one several pieces are one link
let one = -1, here = 0, from = 0, to = 1, xs = [], timed = false, gap = -1;
let smallest = 1, order = [], sorted = "state", falling = false, printing = false;
const stream = () => data.streams[one];
const shown = (s, n) => s === null ? "-" : s.toFixed(n);

const rank = (s) => ({ failing: 0, note: 1 }[s.state] ?? 2);
const COLUMNS = {
  recording: (s) => s.name, state: rank, question: (s) => s.question,
  ended: (s) => s.ended, diagnostics: (s) => s.found.length, chunks: (s) => s.moments.length, bytes: (s) => s.bytes,
  seconds: (s) => s.seconds, "first text": (s) => s.first, "chunks/s": (s) => s.rate,
  "longest gap": (s) => s.gap };
const searched = data.streams.map((s) => [s.name, s.question, s.api, s.model, s.ended,
  s.state, s.moments.map((m) => m.parts.map((p) => p[1]).join("")).join(""),
  s.whole.map((p) => p[1]).join(""), s.found.map((f) => f.text).join("\n"),
  s.calls.map((c) => c.name).join(" ")].join("\n").toLowerCase());
// What a link names: file, exchange and chunk, which are the same in every report.
const link = (n, chunk) => "#" + encodeURI(data.streams[n].file) + ":" +
  data.streams[n].exchange + ":" + chunk;

function heads() {
  const head = $("summary").createTHead().insertRow();
  for (const name of Object.keys(COLUMNS)) {
    const cell = make("th"), button = make("button", name);
    cell.scope = "col"; cell.dataset.name = name;
    button.onclick = () => { falling = sorted === name && !falling; sorted = name; table(); };
    cell.append(button); head.append(cell); }
  $("summary").createTBody();
}
function table() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const key = COLUMNS[sorted], sign = falling ? -1 : 1;
  order = data.streams.map((_, n) => n).filter((n) => words.every((w) => searched[n].includes(w)));
  order.sort((a, b) => { const x = key(data.streams[a]), y = key(data.streams[b]);
    if (x === y) return a - b;  // as they were named
    if (x === null || y === null) return x === null ? 1 : -1;
    return (x < y ? -1 : 1) * sign; });
  $("summary").tBodies[0].replaceChildren(...order.map(line));
  for (const cell of $("summary").tHead.rows[0].cells)
    if (cell.dataset.name === sorted) cell.setAttribute("aria-sort", falling ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  const bad = order.filter((n) => data.streams[n].state === "failing").length;
  $("count").textContent = `${order.length} of ${data.streams.length} exchanges, ${bad} failing`;
}
function line(n) {
  const s = data.streams[n], row = make("tr"), open = make("a", s.name);
  open.setAttribute("href", link(n, 0)); open.onclick = (e) => { e.preventDefault(); choose(n); $("title").scrollIntoView(); };
  row.insertCell().append(open);
  row.insertCell().append(make("span", s.state || "ok", s.state === "failing" ? "bad" : ""));
  const cut = (text, n) => text.length > n ? text.slice(0, n) + "…" : text;
  for (const cell of [cut(s.question.replace(/\s+/g, " "), 80), cut(s.ended, 40), s.found.length,
    s.moments.length || "-", s.bytes, shown(s.seconds, 3), shown(s.first, 3),
    shown(s.rate, 1), shown(s.gap, 3)]) row.insertCell().textContent = cell;
  if (n === one) row.setAttribute("aria-current", "true");
  return row;
}
function plots() {
  for (const [name, values] of Object.entries(data.plots)) {
    if (!values.length) continue;  // no times were recorded
    const box = make("div"), bars = make("div", undefined, "bars");
    const top = Math.max(1, ...values.map((v) => v[1]));
    for (const [label, count] of values) { const bar = make("i");
      bar.style.height = 100 * count / top + "%"; bar.title = `${label}: ${count}`;
      bars.append(bar); }
    const range = `${values[0][0]} … ${values[values.length - 1][0]}`;
    box.append(make("p", name), bars, make("p", range, "dim"));
    $("plots").append(box);
  }
}
function compared() {
  const d = data.diff;
  if (!d) return;
  $("diffbox").hidden = false;
  $("diffhead").textContent = `A: ${d.a}; B: ${d.b}. ` + (d.same ? "The emissions are the same." :
    (d.said_same ? "The same texts and calls; only the emissions differ: " :
      `${d.said.length} ${d.said.length === 1 ? "text or call differs" : "texts or calls differ"}; `) + `${d.emissions.a} and ${d.emissions.b} emissions.`);
  const side = (sign, said, name, at) => make("pre", `${sign} ` + (said === null ? "(absent)" :
    (at > 60 ? "…" : "") + said.text.slice(Math.max(0, at - 60), at + 300)), name);
  for (const c of d.said) $("diff").append(
    make("h3", `exchange ${c.exchange}, ${(c.a || c.b).kind}, from character ${c.at}`),
    side("A", c.a, "del", c.at), side("B", c.b, "ins", c.at));
  const text = (rows) => rows.slice(0, 20).map((r) => `exchange ${r.exchange}, chunk ${r.chunk ?? "-"}: ` +
    JSON.stringify(r.message)).join("\n") || "(nothing)";
  if (d.changes.length) $("diff").append(make("h3", "first emissions that differ"),
    make("pre", "A " + text(d.changes[0].a), "del"), make("pre", "B " + text(d.changes[0].b), "ins"));
}
function choose(n, chunk) {
  if (!data.streams.length) return;
  one = Math.max(0, Math.min(n, data.streams.length - 1));
  const s = stream();
  timed = s.moments.length > 0 && s.moments.every((m) => m.at !== null);
  xs = s.moments.map((m, k) => timed ? m.at : k);
  gap = -1; smallest = Infinity;  // the chunk that came after the longest silence
  for (let k = 1; k < xs.length; k++) {
    if (xs[k] > xs[k - 1]) smallest = Math.min(smallest, xs[k] - xs[k - 1]);
    if (timed && (gap < 0 || xs[k] - xs[k - 1] > xs[gap] - xs[gap - 1])) gap = k; }
  whole();
  $("title").textContent = s.name;
  $("ended").textContent = [s.model, s.ended, s.variation].filter(Boolean).join(" · ");
  $("facts").textContent = !s.moments.length ? "no chunks: the answer was not streamed" :
    !timed ? "no times recorded: by number of the chunk" :
    `seconds from the request; first text after ${shown(s.first, 3)}` +
    (gap < 0 ? "" : `, longest gap ${s.gap.toFixed(3)} before chunk ${s.moments[gap].chunk}`);
  $("found").replaceChildren(...s.found.map((f) => { const box = make("div", undefined, "mono text");
    if (f.chunk !== null) { const go = make("button", `chunk ${f.chunk}`);
      go.onclick = () => select(f.chunk); box.append(go, " "); }
    let pre = null;  // an excerpt keeps its columns, all else is wrapped
    for (const line of f.text.split("\n")) {
      if (!line.startsWith("    |")) { box.append(make("div", line)); pre = null; continue; }
      if (!pre) { pre = make("pre", ""); pre.tabIndex = 0; pre.setAttribute("role", "region");
        pre.setAttribute("aria-label", "excerpt"); box.append(pre); }
      pre.textContent += (pre.textContent ? "\n" : "") + line; }
    return box; }),
    ...s.failures.map((f) => make("p", f, "bad mono")));
  if (!$("found").childElementCount) $("found").append(make("p", "none", "dim"));
  $("question").textContent = s.question || "(no question recorded)";
  $("request").textContent = s.request;
  $("calls").textContent = s.calls.map((c) => `${c.name}(${c.arguments})${c.id ? "  " + c.id : ""}`).join("\n") || "no calls";
  $("usage").textContent = s.usage ? JSON.stringify(s.usage, null, 1) : "no usage recorded";
  $("done").textContent = ""; $("copycurl").disabled = !s.curl; $("copytest").disabled = !s.test; $("download").disabled = !s.moments.length;
  for (const row of $("summary").tBodies[0].rows) row.removeAttribute("aria-current");
  const at = $("summary").tBodies[0].rows[order.indexOf(one)];
  if (at) at.setAttribute("aria-current", "true");
  answer(s); $("box").scrollTop = 0;
  select(chunk || 0);
}
function answer(s) {  // each piece is a link to its chunk; a run of one kind is a paragraph
  const pieces = s.moments.flatMap((m, n) => m.parts.map((p) => [p[0], p[1], n]))
    .concat(s.whole.map((p) => [p[0], p[1], -1]));
  const each = Math.ceil(pieces.length / LINKS), box = $("answer");
  box.replaceChildren();
  let kind = null, room = null, last = null, held = 0;
  for (const [name, text, n] of pieces) {
    if (name !== kind) {
      kind = name; last = null;
      const call = /^call (\d+)$/.exec(name);
      if (name !== "text") box.append(make("h4", call && s.calls[+call[1]] ? `${name}: ${s.calls[+call[1]].name}` : name));
      room = make("div"); box.append(room); }
    if (n < 0) { room.append(text); continue; }
    if (!last || held >= each) {
      last = make("a"); held = 0; last.setAttribute("href", link(one, s.moments[n].chunk));
      last.tabIndex = -1; last.dataset.at = n;
      last.onclick = (e) => { e.preventDefault(); select(n); };
      room.append(last); }
    last.textContent += text; held++;
  }
  if (!pieces.length) box.append(make("p", "nothing came", "dim"));
}
function whole() { [from, to] = edges(); }
function edges() {  // all of it, with room at the end for what came after
  const last = xs.length ? xs[xs.length - 1] : 1;
  return timed ? [0, Math.max(last * 1.04, .001)] : [-.5, Math.max(last + 1, .001)];
}
function view(a, b) {  // never closer than a quarter of the smallest gap, never beyond the whole
  const [start, end] = edges(), all = end - start;
  const least = Math.min(all, Math.max(all * 1e-9, smallest === Infinity ? all / 4 : smallest / 4));
  const span = Math.min(all, Math.max(least, b - a));
  const left = Math.max(start, Math.min((a + b - span) / 2, end - span));
  const is_new = left !== from || left + span !== to;
  from = left; to = left + span;
  return is_new;
}
function list() {  // only the rows that can be seen: a stream can have any number
  const s = stream(), box = $("box"), count = s.moments.length;
  const first = printing ? 0 : Math.max(0, Math.min(count, Math.floor(box.scrollTop / ROW) - 8));
  const last = printing ? count : Math.min(count, first + Math.ceil((box.clientHeight || 264) / ROW) + 16);
  const table = $("list"), focused = document.activeElement?.dataset?.chunk;
  table.setAttribute("aria-rowcount", count + 1);
  const pad = (rows) => { const row = make("tr", undefined, "pad"), cell = make("td"); cell.colSpan = 3;
    cell.style.height = rows * ROW + "px"; row.append(cell); row.setAttribute("aria-hidden", "true"); return row; };
  const head = make("tr"); head.setAttribute("aria-rowindex", 1);
  for (const name of ["chunk", "seconds", "carries"]) { const cell = make("th", name, "dim");
    cell.scope = "col"; head.append(cell); }
  const rows = s.moments.slice(first, last).map((m, k) => {
    const n = first + k, row = make("tr", undefined, m.found.length ? "bad" : ""), go = make("button", String(m.chunk));
    go.onclick = () => select(n); go.dataset.chunk = n; go.setAttribute("aria-label", `chunk ${m.chunk}`);
    go.tabIndex = n === here ? 0 : -1;  // or Tab would go through all of them
    row.setAttribute("aria-rowindex", n + 2); row.onclick = () => select(n);
    if (n === here) row.setAttribute("aria-current", "true");
    row.insertCell().append(go); row.insertCell().textContent = shown(m.at, 3);
    row.insertCell().textContent = m.said.join("; ") || "-"; return row; });
  table.replaceChildren(head, pad(first), ...rows, pad(count - last));
  if (focused !== undefined) table.querySelector(`[data-chunk="${focused}"]`)?.focus({ preventScroll: true });
}
function reveal(n) {
  const box = $("box"), top = (n + 1) * ROW;
  if (top < box.scrollTop + ROW || top > box.scrollTop + box.clientHeight - 2 * ROW)
    box.scrollTop = Math.max(0, top - box.clientHeight / 2);
}
let written = 0;
function select(n) {
  const s = stream();
  here = Math.max(0, Math.min(n, s.moments.length - 1));
  const m = s.moments[here];
  clearTimeout(written);  // a browser refuses hundreds of addresses a second
  const address = link(one, m ? m.chunk : 0);
  written = setTimeout(() => { try { history.replaceState(null, "", address); } catch { /* it stays */ } }, 120);
  $("time").setAttribute("aria-label", `time line of ${s.name}: ${$("facts").textContent}; the table of chunks has the same`);
  if (!m) {
    for (const id of ["place", "raw", "said", "machine"]) $(id).textContent = "";
    $("caused").replaceChildren(...s.interfaces.map((name, i) => {
      const box = make("div"); box.append(make("p", name), make("pre", s.after[i].join("\n") || "-")); return box; }));
    list(); draw(); return; }
  $("place").textContent = `exchange ${s.exchange}, chunk ${m.chunk}, read ${m.piece}, ` +
    `byte ${m.byte}` + (m.at === null ? "" : `, ${m.at.toFixed(3)} s`);
  $("raw").textContent = m.raw; $("said").textContent = m.said.join("\n") || "(nothing)";
  $("machine").textContent = m.machine.join("\n");
  $("caused").replaceChildren(...s.interfaces.map((name, i) => {
    const box = make("div"); box.append(make("p", name), make("pre", m.out[i].join("\n") || (m.unfed[i] ? "not fed" : "-")));
    if (here === s.moments.length - 1) box.append(make("p", "after the stream", "dim"),
      make("pre", s.after[i].join("\n") || "-"));
    return box; }));
  if (m.found.length) $("caused").append(make("pre", m.found.join("\n"), "bad"));
  let current = null;
  for (const piece of $("answer").querySelectorAll("a")) {
    piece.removeAttribute("aria-current");
    if (+piece.dataset.at <= here) current = piece; }
  if (current) current.setAttribute("aria-current", "true");
  reveal(here); list(); draw();
}
/* TIME LINE */
$("in").onclick = () => zoom(.5); $("out").onclick = () => zoom(2);
$("all").onclick = () => { whole(); draw(); };
const beside = (by) => { const n = order.indexOf(one) + by; if (order[n] !== undefined) choose(order[n]); };
$("prev").onclick = () => beside(-1); $("next").onclick = () => beside(1);
$("box").addEventListener("scroll", list, { passive: true });
$("filter").addEventListener("input", table);
async function copy(text, what) {
  try { await navigator.clipboard.writeText(text); $("done").textContent = `${what} copied`; }
  catch {  // a page from a file may not write to the clipboard
    const room = make("textarea", text); document.body.append(room); room.select();
    const is_done = document.execCommand("copy"); room.remove();
    $("done").textContent = is_done ? `${what} copied` : `${what} could not be copied`; } }
$("copylink").onclick = () => copy(location.href.split("#")[0] + link(one, stream().moments[here]?.chunk ?? 0), "link");
$("copycurl").onclick = () => copy(stream().curl, "command");
$("copytest").onclick = () => copy(stream().test, "test");
$("download").onclick = () => {
  const text = stream().moments.map((m) => m.raw.split("\n").map((l) => `data: ${l}\n`).join("") + "\n").join("");
  const save = make("a"), address = URL.createObjectURL(new Blob([text], { type: "text/event-stream" }));
  save.setAttribute("href", address); save.download = stream().file.split(/[\\/]/).pop() + `.${stream().exchange}.sse`;
  save.click(); setTimeout(() => URL.revokeObjectURL(address), 1000); };
addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || one < 0 || e.target.tagName === "INPUT") return;
  const s = stream(), next = s.moments.findIndex((m, n) => n > here && m.found.length);
  const is_inside = document.activeElement === canvas || $("box").contains(document.activeElement);
  const inside = is_inside ? { Home: () => select(0), End: () => select(s.moments.length - 1),
    ArrowDown: () => select(here + 1), ArrowUp: () => select(here - 1) } : {};
  const move = { ArrowRight: () => select(here + 1), ArrowLeft: () => select(here - 1),
    "+": () => zoom(.5), "-": () => zoom(2), d: () => { if (next >= 0) select(next); },
    "[": () => beside(-1), "]": () => beside(1), ...inside }[e.key];
  if (move) { e.preventDefault(); move(); } });
function print_whole(on) { printing = on; if (one >= 0) { list(); draw(); }
  for (const box of document.querySelectorAll("details")) box.open = on; }
addEventListener("beforeprint", () => print_whole(true));
addEventListener("afterprint", () => print_whole(false));
function follow() {
  const wanted = /^#(.*):(\d+):(\d+)$/.exec(location.hash);
  if (!wanted) return false;
  const file = decodeURI(wanted[1]);
  const n = data.streams.findIndex((s) => s.file === file && s.exchange === +wanted[2]);
  if (n < 0) return false;
  choose(n, Math.max(0, data.streams[n].moments.findIndex((m) => m.chunk === +wanted[3])));
  return true;
}
addEventListener("hashchange", follow);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours(); draw(); });
addEventListener("resize", () => { if (one >= 0) { list(); draw(); } });
colours(); heads(); table(); plots(); compared();
if (!follow()) choose(order[0] ?? 0);
