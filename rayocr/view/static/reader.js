// One document: the picture of each page beside its text, rendered or as Markdown, and the editor for corrections.
import {ask, json} from "./shared/api.js";
import {$, badge, make} from "./shared/parts.js";
import {link, unlink} from "./words.js";

let shown = null, address = null, zoom = 100, changed = () => {};
export const prompted = new Set();  // engines that take a prompt

// Offers `name`, the user of this machine, until a person enters another one.
export const offerAuthor = name => { if (!$("author").value) $("author").value = name; };

export function start(onChange) {
  changed = onChange;
  $("prev").onclick = () => turn(-1);
  $("next").onclick = () => turn(1);
  $("odd").onclick = nextOdd;
  $("v-kind").onchange = () => { const of = kindPages(); if (of && !of.includes(shown.page)) go(of.find(n => n > shown.page) ?? of[0]); else turnable(); };
  $("close").onclick = () => { if (mayLeave()) $("view").close(); };
  $("view").addEventListener("cancel", e => { if (!mayLeave()) e.preventDefault(); });
  $("v-number").onchange = () => go(Number($("v-number").value));
  $("rendered").onclick = () => { if (mayLeave()) mode("html"); };
  $("source").onclick = () => { if (mayLeave()) mode("text"); };
  $("larger").onclick = () => zoomTo(zoom * 1.25);
  $("smaller").onclick = () => zoomTo(zoom / 1.25);
  $("edit").onclick = edit;
  $("cancel").onclick = () => { if (mayLeave()) mode("html"); };
  $("v-edit").onsubmit = save;
  $("with").onchange = () => { $("prompt").disabled = !prompted.has($("with").value); if ($("prompt").disabled) $("prompt").value = ""; };
  $("again").onclick = () => { if (!mayLeave()) return; $("with").onchange(); $("v-diff").replaceChildren(); $("use").hidden = true; mode("again"); $("with").focus(); };
  $("back").onclick = () => mode("html");
  $("v-again").onsubmit = readAgain;
  $("author").value = localStorage.getItem("rayocr-author") || "";
  $("view").addEventListener("close", () => { shown = null; history.replaceState(null, "", location.pathname); changed(); });
  $("view").addEventListener("keydown", e => {
    if (e.key === "Escape" && !($("v-edit").hidden && $("v-again").hidden)) {  // leaves the form, then the document
      e.preventDefault();  // a browser lets a page prevent "cancel" only once
      if (mayLeave()) mode("html");
      return;
    }
    if (!shown || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) return;
    const act = {ArrowLeft: () => turn(-1), ArrowRight: () => turn(1), n: nextOdd, e: edit, "+": () => zoomTo(zoom * 1.25), "-": () => zoomTo(zoom / 1.25)}[e.key];
    if (act) { e.preventDefault(); act(); }
  });
}

// `data-text`, `data-page` and `data-linked` tell which parts of the page have arrived.
function forgetWhatIsShown() {
  for (const name of ["text", "page", "linked"]) delete $("view").dataset[name];
}

// Page numbers as ranges ("1-3,7").
const numbers = runs => (runs || "").split(",").filter(Boolean).flatMap(run => {
  const [first, last] = run.split("-").map(Number);
  return Array.from({length: (last || first) - first + 1}, (_, i) => first + i);
});

// The pages of the chosen kind; null for all pages.
const kindPages = () => shown?.kinds?.get($("v-kind").value) || null;

function offerKinds(d, chosen) {
  const kinds = new Map();
  for (const [engine, runs] of Object.entries(d.engine_pages)) kinds.set("read by " + engine, numbers(runs));
  for (const outcome of ["blank", "failed"]) if (d.pages[outcome]) kinds.set(outcome, numbers(d.pages[outcome]));
  const doubtful = d.notes.filter(n => n.doubts.length).map(n => n.page_number);
  if (doubtful.length) kinds.set("in doubt", doubtful);
  const options = [...kinds].map(([kind, pages]) => make("option", {value: kind, textContent: `${kind} (${pages.length})`}));
  $("v-kind").replaceChildren(make("option", {value: "", textContent: "all pages"}), ...options);
  $("v-kind").value = kinds.has(chosen) ? chosen : "";
  return kinds;
}

// Opens the page; if `engine` is given, opens the first page from there that this engine has read.
export async function open(id, page, engine = "") {
  const kind = engine ? "read by " + engine : shown?.id === id ? $("v-kind").value : "";
  const mine = shown = {id, page, d: null, odd: []};
  $("v-name").textContent = "…";
  $("v-word").textContent = "";
  forgetWhatIsShown();
  if (!$("view").open) $("view").showModal();
  try {
    const d = await json(`/api/documents/${id}`);
    if (shown !== mine) return;
    if (d.newest !== id) {
      await open(d.newest, page, engine);
      $("v-word").textContent = "The file was replaced; this is its newest version.";
      return;
    }
    mine.d = d;
    const odd = d.notes.filter(n => (n.outcome === "failed" || n.doubts.length) && !n.corrected_at);
    mine.odd = [...new Set([...odd, ...d.earlier].map(n => n.page_number))].sort((a, b) => a - b);
    $("v-name").textContent = d.name;
    $("v-of").textContent = `of ${d.page_count}`;
    $("v-number").max = d.page_count;
    $("odd").disabled = !mine.odd.length;
    const differ = d.outputs.flatMap(o => o.notes.map(n => make("small", {textContent: `${o.name.split("/").at(-1)}: ${n}`})));
    $("v-files").replaceChildren(...d.outputs.map((o, i) => file(id, o, i)), ...differ);
    mine.kinds = offerKinds(d, kind);
    await go(kindPages()?.find(n => n >= page) ?? Math.min(page, d.page_count));
  } catch (e) { $("v-word").textContent = e.message; }
}

function file(id, output, position) {
  const b = make("button", {type: "button", textContent: output.name.split("/").at(-1)});
  b.onclick = async () => {
    try {
      const blob = await (await ask(`/api/documents/${id}/outputs/${position}`)).blob();
      const a = make("a", {href: URL.createObjectURL(blob), download: b.textContent});
      a.click();
      URL.revokeObjectURL(a.href);
    } catch (e) { $("v-word").textContent = e.message; }
  };
  return b;
}

// The previous or next page among those that are shown; 0 at the end.
function beside(by) {
  const {page, d} = shown, pages = kindPages();
  if (!pages) return page + by >= 1 && page + by <= d.page_count ? page + by : 0;
  return (by > 0 ? pages.find(n => n > page) : pages.findLast(n => n < page)) || 0;
}

const turn = by => shown?.d && beside(by) && go(beside(by));

function turnable() {
  $("prev").disabled = !beside(-1);
  $("next").disabled = !beside(1);
}

function nextOdd() {
  if (shown?.odd.length) go(shown.odd.find(n => n > shown.page) ?? shown.odd[0]);
}

function zoomTo(percent) {
  zoom = Math.max(40, Math.min(400, percent));
  $("v-paper").style.width = zoom + "%";
}

// False if the user keeps editing a text that is not saved.
const mayLeave = () => $("v-edit").hidden || $("v-source").value === shown?.text || confirm("Discard the text that you have not saved?");

function mode(which) {
  const form = document.activeElement?.closest?.("#v-edit, #v-again");
  $("v-html").hidden = which !== "html";
  $("v-text").hidden = which !== "text";
  $("v-edit").hidden = which !== "edit";
  $("v-again").hidden = which !== "again";
  $("rendered").setAttribute("aria-pressed", which === "html");
  $("source").setAttribute("aria-pressed", which === "text");
  if (form?.hidden) $(form.id === "v-edit" ? "edit" : "again").focus();  // the focus would be lost with the form
}

async function go(page) {
  const {d, id} = shown;
  if (!(page >= 1 && page <= d.page_count) || (page !== shown.page && !mayLeave())) { $("v-number").value = shown.page; return; }
  $("v-word").textContent = "";
  shown.page = page;
  shown.text = shown.textId = null;
  history.replaceState(null, "", `#/${id}/${page}`);
  $("v-number").value = page;
  turnable();
  $("v-html").replaceChildren("…");
  $("v-text").textContent = "…";
  $("v-facts").replaceChildren();
  $("v-earlier").replaceChildren();
  unlink($("v-paper"));
  // Until the picture has arrived, its place keeps the shape of the previous page.
  if ($("v-image").naturalWidth) $("v-paper").style.aspectRatio = `${$("v-image").naturalWidth} / ${$("v-image").naturalHeight}`;
  $("v-image").removeAttribute("src");
  $("v-image").alt = `Page ${page} is being drawn`;
  forgetWhatIsShown();
  mode($("v-text").hidden ? "html" : "text");
  const base = `/api/documents/${id}/pages/${page}`, still = () => shown?.id === id && shown.page === page;
  const text = json(base).then(p => { if (still()) facts(p); }, e => { if (still()) $("v-html").replaceChildren(e.message); });
  const image = ask(base + "/image").then(a => a.blob()).then(blob => {
    if (!still()) return;
    if (address) URL.revokeObjectURL(address);
    address = URL.createObjectURL(blob);
    $("v-image").alt = `Page ${page} of ${d.name}`;
    $("v-image").onload = () => { $("v-paper").style.aspectRatio = ""; };
    $("v-image").src = address;
  }, e => { if (still()) { $("v-image").alt = e.message; $("v-paper").style.aspectRatio = "auto"; } });
  const words = json(base + "/words").then(w => w.words, () => []);
  await text;
  if (still()) $("view").dataset.text = page;
  await image;
  if (still()) $("view").dataset.page = page;
  const places = await words;
  if (still() && $("v-image").src) $("view").dataset.linked = link($("v-html"), $("v-paper"), places);
}

function facts(p) {
  shown.text = p.text;
  shown.textId = p.text_id;
  const nothing = p.outcome === "blank" ? "(a blank page)" : "(no text)";
  $("v-text").textContent = p.text || nothing;
  // The server makes this HTML inert: it allows a short list of tags, and no attribute that can run code.
  const parsed = new DOMParser().parseFromString(p.html, "text/html");
  $("v-html").replaceChildren(...(p.text ? [...parsed.body.childNodes] : [nothing]));
  const parts = [badge(p.outcome, p.outcome)];
  if (p.corrected_at) parts.push(badge(`corrected by ${p.corrected_by}, ${p.corrected_at.slice(0, 10)}`));
  else if (p.engine) parts.push(badge("read by " + p.engine));
  for (const doubt of p.doubts) parts.push(badge("in doubt: " + doubt.replaceAll("_", " "), "doubt"));
  if (p.attempts.length) parts.push(make("span", {className: "soft", textContent: "tried " + p.attempts.map(a => `${a.engine}: ${a.reason}`).join(", ")}));
  $("v-facts").replaceChildren(...parts);
  $("v-earlier").replaceChildren(...p.earlier.map(earlierCorrection));
}

// A correction of an earlier version of the file, compared with the text of this version.
function earlierCorrection(c) {
  const words = `${c.author} corrected page ${c.page_number} of an earlier version of this file on ${c.corrected_at.slice(0, 10)}. This is not applied. `
    + "Green is only in the correction, red only in the text of this version.";
  const apply = make("button", {type: "button", textContent: "Apply the correction"}), discard = make("button", {type: "button", textContent: "Discard it"});
  apply.onclick = () => settle(c, true);
  discard.onclick = () => settle(c, false);
  return make("section", {className: "earlier"}, make("p", {textContent: words}), make("pre", {}, ...differences(c.compared)), apply, " ", discard);
}

async function settle(c, apply) {
  if (!mayLeave()) return;
  const {id, page} = shown, body = JSON.stringify({document_id: c.document_id, page_number: c.page_number, apply});
  try {
    const {pending} = await (await ask(`/api/documents/${id}/pages/${page}/earlier`, {method: "POST", body})).json();
    mode("html");
    await open(id, page);
    $("v-word").textContent = !apply ? "Discarded. The text stays in .rayocr/corrections/." : pending ? `Saved. ${pending}` : "Applied. All outputs show the correction.";
    changed();
  } catch (error) { $("v-word").textContent = error.message; }
}

const differences = compared => compared.map(([kind, text]) => make({"=": "span", "-": "del", "+": "ins"}[kind], {textContent: text}));

function edit() {
  if (shown?.text == null || !$("v-edit").hidden) return;
  $("v-word").textContent = "";
  $("v-source").value = shown.text;
  mode("edit");
  $("v-source").focus();
}

// One page is read at a time, even if another document is shown meanwhile.
let reading = null;

function showReading() {
  $("read").disabled = !!reading;
  $("stop").hidden = $("v-reading").hidden = !reading;
  if (!reading) return;
  const seconds = Math.round((Date.now() - reading.since) / 1000);
  $("v-reading").textContent = `Page ${reading.page} of ${reading.name} is being read with ${reading.engine}: ${seconds} s. `
    + "You can read another page when this one is done or cancelled.";
}

async function readAgain(e) {
  e.preventDefault();
  const {id, page} = shown;
  if (reading) return;
  const abort = new AbortController();
  reading = {page, name: shown.d.name, engine: $("with").value, since: Date.now()};
  $("stop").onclick = () => abort.abort();
  $("v-word").textContent = "";
  showReading();
  const timer = setInterval(showReading, 1000);
  try {
    const body = JSON.stringify({engine: $("with").value, prompt: $("prompt").value});
    const found = await (await ask(`/api/documents/${id}/pages/${page}/read`, {method: "POST", body, signal: abort.signal})).json();
    if (shown?.id !== id || shown.page !== page) return;
    $("v-diff").replaceChildren(...differences(found.compared));  // empty if the page could not be read
    const same = found.compared.every(([kind]) => kind === "=");
    $("v-word").textContent = found.outcome === "failed" ? `Page ${page} could not be read (${found.reason}). ${found.message}`
      : same ? `${found.engine} reads the same text.` : `Read by ${found.engine || "no engine: the page is blank"}.`;
    $("use").hidden = !found.text;
    $("use").onclick = () => { $("v-source").value = found.text; mode("edit"); $("v-source").focus(); };
  } catch (error) {
    if (shown?.id === id && shown.page === page) $("v-word").textContent = abort.signal.aborted ? "The reading is cancelled." : error.message;
  } finally {
    clearInterval(timer);
    reading = null;
    showReading();
  }
}

async function save(e) {
  e.preventDefault();
  const {id, page} = shown, author = $("author").value.trim();
  localStorage.setItem("rayocr-author", author);
  $("save").disabled = true;
  try {
    const answer = await ask(`/api/documents/${id}/pages/${page}`, {method: "PUT", body: JSON.stringify({text: $("v-source").value, author, text_id: shown.textId || ""})});
    const {pending} = await answer.json();
    mode("html");
    await open(id, page);
    $("v-word").textContent = pending ? `Saved. ${pending}` : "Saved. All outputs show the correction.";
    changed();
  } catch (error) { $("v-word").textContent = error.message; }
  $("save").disabled = false;
}
