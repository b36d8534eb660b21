
// The time line: drawn on a canvas, zoomed and moved by wheel and pointer.
const canvas = $("time");
const px = (x) => (x - from) / (to - from) * canvas.width;
function draw() {
  const s = stream(), ratio = devicePixelRatio || 1, base = (TALL - 24) * ratio;
  canvas.width = canvas.clientWidth * ratio; canvas.height = TALL * ratio;
  const pen = canvas.getContext("2d"), size = 12 * ratio;
  pen.font = `${size}px system-ui`;
  const rows = ["reads", "chunks", ...s.interfaces], tall = base / rows.length;
  const band = (start, end, colour, text) => {
    const left = Math.max(0, px(start)), right = Math.min(canvas.width, px(end));
    if (right <= left) return;
    pen.globalAlpha = .13; pen.fillStyle = colour_of[colour];
    pen.fillRect(left, 0, right - left, base); pen.globalAlpha = 1;
    const wide = pen.measureText(text).width;
    if (wide + 8 * ratio > right - left) return;
    pen.fillStyle = colour_of.dim;
    pen.fillText(text, (left + right - wide) / 2, base - 6 * ratio); };
  if (timed && s.first !== null) band(0, s.first, "a", "until the first text");
  if (gap > 0 && xs[gap] > s.first) band(xs[gap - 1], xs[gap], "c", "longest gap");
  ticks(pen, base, size, ratio);
  rows.forEach((name, r) => { pen.fillStyle = colour_of.dim;
    pen.fillText(name, 4 * ratio, r * tall + 14 * ratio); });
  const drawn = rows.map(() => -9);  // marks on one pixel are one mark
  const mark = (r, x, c, hollow) => {
    if (Math.round(x) === drawn[r] && c !== "bad") return;
    drawn[r] = Math.round(x); pen.fillStyle = pen.strokeStyle = colour_of[c];
    const box = [x - (hollow ? 3 : 1) * ratio, r * tall + tall * .45,
      (hollow ? 6 : 2) * ratio, tall * .45];
    if (hollow) { pen.lineWidth = ratio; pen.strokeRect(...box); } else pen.fillRect(...box); };
  for (let n = Math.max(0, nearest(from) - 1); n < xs.length; n++) {
    const x = px(xs[n]), m = s.moments[n];
    if (x > canvas.width + 2) break;
    if (!n || m.piece !== s.moments[n - 1].piece) mark(0, x, "c");
    mark(1, x, m.found.length ? "bad" : "a");
    m.out.forEach((out, i) => { if (out.length) mark(2 + i, x, "b"); });
  }
  const after = xs.length ? px(xs[xs.length - 1]) + 9 * ratio : 9 * ratio;
  s.after.forEach((out, i) => { if (out.length) mark(2 + i, after, "b", true); });
  if (s.moments.length) { pen.fillStyle = colour_of.text;
    pen.globalAlpha = .5; pen.fillRect(px(xs[here]) - ratio / 2, 0, ratio, base);
    pen.globalAlpha = 1; }
}
function ticks(pen, base, size, ratio) {
  const rough = (to - from) / Math.max(1, canvas.width / ratio / 90);
  const ten = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].find((k) => k * ten >= rough) * ten;
  if (!timed) step = Math.max(1, Math.round(step));
  const places = timed ? Math.min(20, Math.max(0, -Math.floor(Math.log10(step)))) : 0;
  const last = timed ? to : xs.length - 1, first = Math.max(0, Math.ceil(from / step)) * step;
  // Counted from the first: a number above 2 ** 53 would not grow by one.
  for (let k = 0; k < 200 && first + k * step <= last; k++) {
    const value = first + k * step, x = px(value), text = value.toFixed(places), wide = pen.measureText(text).width;
    pen.fillStyle = colour_of.line; pen.fillRect(x - ratio / 2, 0, ratio, base + 4 * ratio);
    pen.fillStyle = colour_of.dim;
    pen.fillText(text, Math.min(Math.max(x - wide / 2, 2), canvas.width - wide - 2),
      base + 8 * ratio + size);
  }
}
let colour_of = {};
function colours() { const style = getComputedStyle(document.documentElement);
  for (const name of ["a", "b", "c", "bad", "dim", "line", "text"])
    colour_of[name] = style.getPropertyValue("--" + name).trim(); }
function zoom(by, at) { const mid = at === undefined ? xs[here] || 0 : at;
  const is_new = view(mid - (mid - from) * by, mid + (to - mid) * by); draw(); return is_new; }
const at = (event) => from + (event.clientX - canvas.getBoundingClientRect().left) /
  canvas.clientWidth * (to - from);
function nearest(x) { let low = 0, high = xs.length - 1;
  while (low < high) { const mid = (low + high) >> 1; if (xs[mid] < x) low = mid + 1; else high = mid; }
  return low > 0 && x - xs[low - 1] < xs[low] - x ? low - 1 : low; }
let waiting = false;
function soon() { if (waiting) return; waiting = true;  // one picture a frame, however fast the wheel
  requestAnimationFrame(() => { waiting = false; draw(); }); }
canvas.addEventListener("wheel", (e) => {
  if (!e.ctrlKey && document.activeElement !== canvas) return;  // the page scrolls
  const by = Math.exp(Math.max(-240, Math.min(240, e.deltaY * (e.deltaMode ? 16 : 1))) / 450);
  const mid = at(e), is_new = view(mid - (mid - from) * by, mid + (to - mid) * by);
  if (is_new) soon();
  if (is_new || e.ctrlKey) e.preventDefault();  // at the end of the zoom the page scrolls on
}, { passive: false });
let grip = null, moved = false;
canvas.addEventListener("pointerdown", (e) => { grip = at(e); moved = false; });
canvas.addEventListener("pointermove", (e) => { if (grip === null) return;
  const by = grip - at(e); if (Math.abs(px(from + by) - px(from)) > 3) moved = true;
  if (moved) { const [start, end] = edges(), step = Math.max(start - from, Math.min(by, end - to));
    from += step; to += step; soon(); } });
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => { grip = null; });
canvas.addEventListener("click", (e) => { canvas.focus({ preventScroll: true }); if (!moved) select(nearest(at(e))); });
