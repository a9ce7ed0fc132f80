// Drawings of curves, by hand: zoom by dragging, buttons and keys; a reading line; a legend that hides lines.

const GROUPS = JSON.parse(document.getElementById("curves").textContent);
const SVG = "http://www.w3.org/2000/svg";
const DASHES = ["", "6 3", "1.5 2.5", "6 2 1.5 2"];
const MOST_LINES = 24;
const FIRST_CHARTS = 6;

function svg(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  if (parent) parent.append(made);
  return made;
}

function html(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function curveOf(group, metric) {
  const line = group.lines[metric];
  const [grid, mean, low, high, count] = line;
  return { label: group.label, colour: group.colour, dash: group.dash, seeds: group.seeds, x: group.x[grid], mean,
    low: low || mean, high: high || mean, count: count || null, ranged: Boolean(low), shown: true };
}

class Chart {
  constructor(place, title, curves, log, tall) {
    this.curves = curves;
    this.log = log;
    this.tall = tall;
    this.cursor = null;
    const tool = (text, name, act) => {
      const button = html("button", { type: "button", textContent: text, title: name });
      button.setAttribute("aria-label", name);
      button.addEventListener("click", act);
      return button;
    };
    const logarithmic = tool("log", "logarithmic values", () => {
      this.log = !this.log;
      logarithmic.classList.toggle("on", this.log);
      this.draw();
    });
    this.area = svg("svg", { class: "area", tabindex: "0", role: "img" });
    this.reading = html("output", { className: "reading" });
    const tools = html("div", { className: "tools" }, logarithmic, tool("+", "zoom in", () => this.zoom(0.5)),
      tool("\u2212", "zoom out", () => this.zoom(2)), tool("all", "show everything", () => this.reset()));
    this.box = html("div", { className: "plot" },
      html("div", { className: "head" }, html("bdi", { className: "title", textContent: title }), tools), this.area, this.reading);
    if (curves.length > 1) this.box.append(this.legend());
    place.append(this.box);
    const first = Math.min(...curves.map((curve) => curve.x[0]));
    const last = Math.max(...curves.map((curve) => curve.x[curve.x.length - 1]));
    this.single = first === last;
    this.whole = first < last ? [first, last] : [first - 1, last + 1];
    this.seen = this.whole;
    this.area.setAttribute("aria-label", `${title}: ${curves.length} lines, steps ${written(first)} to ${written(last)}; ` +
      curves.slice(0, 8).map((curve) => `${curve.label} ends at ${written(curve.mean[curve.mean.length - 1])}`).join(", "));
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.area);
  }

  legend() {
    const list = html("ul", { className: "legend" });
    this.curves.forEach((curve) => {
      const sample = svg("svg", { width: 26, height: 10, "aria-hidden": "true" });
      svg("path", { d: "M1 5H25", class: `line s${curve.colour}`, "stroke-dasharray": DASHES[curve.dash] }, sample);
      const button = html("button", { type: "button" }, sample, html("bdi", { textContent: curve.label }));
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        curve.shown = !curve.shown;
        button.setAttribute("aria-pressed", String(curve.shown));
        this.draw();
      });
      list.append(html("li", {}, button));
    });
    return list;
  }

  draw() {
    const width = this.area.clientWidth;
    if (!width) return;
    const height = Math.round(this.tall ? Math.min(360, Math.max(220, width * 0.42)) : 200);
    this.area.setAttribute("height", height);
    this.area.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.area.replaceChildren();
    const curves = this.curves.filter((curve) => curve.shown);
    const value = this.log ? (y) => (y > 0 ? Math.log10(y) : NaN) : (y) => y;
    const [low, high] = extent(curves, ...this.seen, value);
    const [left, right, top, bottom] = [58, width - 12, 8, height - 24];
    const [from, to] = this.seen;
    this.toX = (x) => left + ((x - from) / (to - from)) * (right - left);
    this.fromX = (px) => from + ((px - left) / (right - left)) * (to - from);
    const toY = (y) => bottom - ((value(y) - low) / (high - low)) * (bottom - top);
    Object.assign(this, { left, right, top, bottom });
    ticks(low, high, this.log, 5).forEach((at) => {
      const y = bottom - ((at - low) / (high - low)) * (bottom - top);
      svg("path", { d: `M${left} ${y.toFixed(1)}H${right}`, class: "grid" }, this.area);
      svg("text", { x: left - 6, y: (y + 4).toFixed(1), "text-anchor": "end" }, this.area).textContent =
        written(this.log ? 10 ** at : at);
    });
    const steps = this.single ? [(from + to) / 2] : ticks(from, to, false, Math.max(2, Math.floor(width / 110)));
    steps.forEach((at) => {
      const anchor = this.toX(at) > right - 30 ? "end" : "middle";
      svg("text", { x: Math.min(this.toX(at), width - 2).toFixed(1), y: height - 8, "text-anchor": anchor }, this.area)
        .textContent = written(at);
    });
    svg("path", { d: `M${left} ${top}V${bottom}H${right}`, class: "grid", fill: "none" }, this.area);
    const clip = svg("svg", { x: left, y: top, width: right - left, height: bottom - top,
      viewBox: `${left} ${top} ${right - left} ${bottom - top}` }, this.area);
    curves.forEach((curve) => this.band(curve, toY, clip));
    curves.forEach((curve) => this.line(curve, toY, clip));
    this.pick = svg("rect", { y: top, height: bottom - top, width: 0, class: "pick" }, this.area);
    this.mark = svg("path", { class: "cursor", d: "" }, this.area);
    if (this.cursor !== null) this.read(this.cursor);
  }

  band(curve, toY, parent) {
    if (!curve.ranged) return;
    const floor = this.bottom + 4; // where a logarithmic axis has no place for a value
    const point = (x, y) => `${this.toX(x).toFixed(1)} ${(Number.isFinite(toY(y)) ? toY(y) : floor).toFixed(1)}`;
    const upper = curve.x.map((x, i) => point(x, curve.high[i]));
    const lower = curve.x.map((x, i) => point(x, curve.low[i])).reverse();
    svg("path", { d: `M${upper.concat(lower).join("L")}Z`, class: `band f${curve.colour}` }, parent);
  }

  line(curve, toY, parent) {
    let path = "";
    let pen = false;
    curve.x.forEach((x, i) => {
      const y = toY(curve.mean[i]);
      if (Number.isFinite(y)) path += `${pen ? "L" : "M"}${this.toX(x).toFixed(1)} ${y.toFixed(1)}`;
      pen = Number.isFinite(y);
    });
    svg("path", { d: path, class: `line s${curve.colour}`, "stroke-dasharray": DASHES[curve.dash] }, parent);
    if (curve.x.length < 3) {
      curve.x.forEach((x, i) => {
        const y = toY(curve.mean[i]);
        if (Number.isFinite(y)) svg("circle", { cx: this.toX(x), cy: y, r: 3.5, class: `f${curve.colour}` }, parent);
      });
    }
  }

  read(step) {
    this.cursor = Math.min(this.seen[1], Math.max(this.seen[0], step));
    const at = this.toX(this.cursor).toFixed(1);
    this.mark.setAttribute("d", `M${at} ${this.top}V${this.bottom}`);
    const said = this.curves.filter((curve) => curve.shown).slice(0, 8).map((curve) => {
      const i = nearest(curve.x, this.cursor);
      const range = curve.low[i] === curve.high[i] ? "" : ` (${written(curve.low[i])} to ${written(curve.high[i])})`;
      const few = curve.count && curve.count[i] < curve.seeds ? `, ${curve.count[i]} of ${curve.seeds} seeds` : "";
      const who = this.curves.length > 1 ? `${curve.label} ` : "";
      return `${who}${written(curve.mean[i])}${range}${few} at ${written(curve.x[i])}`;
    });
    this.reading.textContent = said.join("; ");
  }

  zoom(factor) {
    const middle = this.cursor === null ? (this.seen[0] + this.seen[1]) / 2 : this.cursor;
    const half = ((this.seen[1] - this.seen[0]) * factor) / 2;
    this.show(middle - half, middle + half);
  }

  show(from, to) {
    const [first, last] = this.whole;
    const [a, b] = [Math.max(first, Math.min(from, to)), Math.min(last, Math.max(from, to))];
    if (b - a > (last - first) * 1e-6) this.seen = [a, b];
    this.draw();
  }

  reset() {
    this.seen = this.whole;
    this.cursor = null;
    this.reading.textContent = "";
    this.draw();
  }

  listen() {
    const place = (event) => event.clientX - this.area.getBoundingClientRect().left;
    let held = null;
    this.area.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button === 0) {
        held = place(event);
        this.area.setPointerCapture(event.pointerId);
      }
      this.read(this.fromX(place(event)));
    });
    this.area.addEventListener("pointermove", (event) => {
      this.read(this.fromX(place(event)));
      if (held === null) return;
      const [a, b] = [Math.min(held, place(event)), Math.max(held, place(event))];
      this.pick.setAttribute("x", a);
      this.pick.setAttribute("width", b - a);
    });
    const release = (event) => {
      const from = held;
      held = null;
      if (from !== null && Math.abs(place(event) - from) > 6) this.show(this.fromX(from), this.fromX(place(event)));
      else if (from !== null) this.pick.setAttribute("width", 0);
    };
    this.area.addEventListener("pointerup", release);
    this.area.addEventListener("pointercancel", () => { held = null; });
    this.area.addEventListener("dblclick", () => this.reset());
    this.area.addEventListener("keydown", (event) => {
      const step = (this.seen[1] - this.seen[0]) / 50;
      const at = this.cursor === null ? (this.seen[0] + this.seen[1]) / 2 : this.cursor;
      const acts = { ArrowLeft: () => this.read(at - step), ArrowRight: () => this.read(at + step),
        Home: () => this.read(this.seen[0]), End: () => this.read(this.seen[1]),
        "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.reset() };
      if (!acts[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      acts[event.key]();
    });
  }
}

const isLog = (groups, metric) => groups.some((group) => group.log.includes(metric));

function together(place) {
  const groups = place.dataset.groups.split(" ").map((number) => GROUPS[Number(number)]);
  const counts = new Map();
  groups.forEach((group) => Object.keys(group.lines).forEach((name) => counts.set(name, (counts.get(name) || 0) + 1)));
  if (!counts.size) return;
  const names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const points = (name) => Math.max(...groups.map((group) => (Object.hasOwn(group.lines, name) ? group.lines[name][1].length : 0)));
  const telling = names.filter((name) => points(name) > 2);
  const likely = ["eval/return", "episode/return", "err", ...telling].find((name) => telling.includes(name)) || names[0];
  const select = html("select", {}, ...names.map((name) => html("option", { value: name, textContent: name })));
  select.value = likely;
  const box = html("div", {});
  const note = html("p", { className: "dim" });
  const draw = () => {
    const having = groups.filter((group) => Object.hasOwn(group.lines, select.value));
    note.textContent = having.length > MOST_LINES ? `The first ${MOST_LINES} of ${having.length} settings.` : "";
    const some = having.slice(0, MOST_LINES);
    box.replaceChildren();
    new Chart(box, select.value, some.map((group) => curveOf(group, select.value)), isLog(some, select.value), true);
  };
  select.addEventListener("change", draw);
  place.append(html("label", { className: "dim" }, "metric ", select), box, note);
  draw();
}

function alone(place) {
  const group = GROUPS[Number(place.dataset.group)];
  const names = Object.keys(group.lines);
  const draw = (some) => some.forEach((name) => new Chart(place, name, [curveOf(group, name)], group.log.includes(name), false));
  draw(names.slice(0, FIRST_CHARTS));
  const rest = names.slice(FIRST_CHARTS);
  if (!rest.length) return;
  const more = html("button", { type: "button", textContent: `${rest.length} metrics more` });
  more.addEventListener("click", () => {
    more.remove();
    draw(rest);
  });
  place.append(more);
}

// What is not looked at is not drawn.
const watcher = new IntersectionObserver((entries) => {
  entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
    watcher.unobserve(target);
    if (target.classList.contains("together")) together(target); else alone(target);
  });
}, { rootMargin: "200px" });
document.querySelectorAll(".chart.together, .small-charts").forEach((place) => watcher.observe(place));
