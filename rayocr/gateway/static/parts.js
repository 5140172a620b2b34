// Small elements of the page. Document names are always inserted as text, never as markup.
export const $ = id => document.getElementById(id);
export const count = n => Number(n || 0).toLocaleString("en");
export const counted = (n, noun) => `${count(n)} ${noun}${Number(n) === 1 ? "" : "s"}`;
export const usd = n => "$" + (n < 1 ? n.toFixed(4) : n.toFixed(2));

export function make(tag, props = {}, ...inner) {
  const element = Object.assign(document.createElement(tag), props);
  element.append(...inner);
  return element;
}

export function duration(s) {
  if (s == null) return "–";
  if (s < 90) return Math.round(s) + " s";
  return s < 5400 ? Math.round(s / 60) + " min" : (s / 3600).toFixed(1) + " h";
}

export function bar(share, label, warn = false) {
  const percent = Math.max(0, Math.min(100, 100 * share || 0));
  const b = make("div", {className: warn ? "bar warn" : "bar"}, make("i"));
  for (const [name, value] of Object.entries({role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100,
    "aria-valuenow": Math.round(percent)})) b.setAttribute(name, value);
  b.firstChild.style.width = percent + "%";
  return b;
}

export function card(value, words, share, warn) {
  const c = make("div", {className: "card"}, make("strong", {textContent: value}), make("span", {textContent: words}));
  if (share != null) c.append(bar(share, words, warn));
  return c;
}

export function row(name, right, share, warn) {
  const side = typeof right === "string" ? make("span", {className: "soft", textContent: right}) : right;
  const r = make("div", {className: "row"}, make("span", {className: "name", textContent: name}), side);
  if (share != null) r.append(bar(share, `${name}: ${side.textContent}`, warn));
  return r;
}

export const badge = (words, kind = "") => make("span", {className: `badge ${kind}`, textContent: words});

// Draws a line through points of [seconds, value], starting at 0, with a filled area below.
export function draw(svg, points) {
  const ns = "http://www.w3.org/2000/svg", width = 600, height = 110;
  svg.replaceChildren();
  if (points.length < 2) return 0;
  const from = points[0][0], span = points.at(-1)[0] - from || 1, top = Math.max(...points.map(p => p[1])) || 1;
  const xy = points.map(([at, value]) => `${(width * (at - from) / span).toFixed(1)},${(height - 2 - (height - 8) * value / top).toFixed(1)}`);
  const shape = (name, kind, text) => {
    const e = document.createElementNS(ns, name);
    e.setAttribute("class", kind);
    e.setAttribute("points", text);
    svg.append(e);
  };
  shape("polygon", "area", `0,${height} ${xy.join(" ")} ${width},${height}`);
  shape("polyline", "line", xy.join(" "));
  return top;
}
