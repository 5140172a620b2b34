// The results view: the list with its filters. Names and excerpts always become text, never markup.
import {TokenNeeded, ask, json, useToken} from "./shared/api.js";
import {$, badge, card, count, counted, make} from "./shared/parts.js";
import {offerAuthor, open, prompted, start as startReader} from "./reader.js";

const PAGE = 50, FILTERS = ["q", "outcome", "engine", "reason"];
let cursors = [""], next = "", asked = 0, shown = -1, timer;

const say = words => { $("word").textContent = words; };

function query() {
  const found = new URLSearchParams();
  for (const id of FILTERS) if ($(id).value) found.set(id, $(id).value);
  for (const id of ["doubt", "earlier"]) if ($(id).checked) found.set(id, "true");
  return found;
}

// The index puts control characters around the words that it found.
const excerpt = text => text.split(/\u0002|\u0003/).map((part, i) => i % 2 ? make("mark", {textContent: part}) : part);

function line(d) {
  const name = make("button", {type: "button", className: "link", textContent: d.name, disabled: !d.page_count});
  // With a search, opens the first page that has its words.
  name.onclick = () => d.found?.length ? open(d.document_id, d.found[0].page) : open(d.document_id, 1, $("engine").value);
  const first = make("td", {className: "name"}, name);
  for (const f of d.found || []) {
    const go = make("button", {type: "button", className: "link", textContent: `page ${f.page}`});
    go.onclick = () => open(d.document_id, f.page);
    first.append(make("span", {className: "found"}, go, ": ", ...excerpt(f.excerpt)));
  }
  if (d.found_more) first.append(make("span", {className: "found soft", textContent: `and ${counted(d.found_more, "more page")}`}));
  const notes = make("td");
  if (d.reason) notes.append(make("span", {className: "why", textContent: `${d.reason}: ${d.message}`}), " ");
  if (d.failed) notes.append(badge(`${count(d.failed)} failed`, "failed"), " ");
  if (d.doubtful) notes.append(badge(`${count(d.doubtful)} in doubt`, "doubt"), " ");
  if (d.corrected) notes.append(badge(`${count(d.corrected)} corrected`), " ");
  if (d.dismissed) notes.append(badge("failure dismissed"), " ");
  if (d.earlier) notes.append(badge(`${counted(d.earlier, "correction")} of an earlier version`, "doubt"));
  const row = make("tr", {}, first, make("td", {}, badge(d.outcome, d.outcome)), make("td", {className: "number", textContent: count(d.page_count)}),
    make("td", {textContent: d.engines.join(", ")}), notes);
  row.dataset.document = d.document_id;
  return row;
}

async function list() {
  const mine = ++asked, wanted = query();
  wanted.set("limit", PAGE);
  wanted.set("cursor", cursors.at(-1));
  try {
    const found = await json("/api/documents?" + wanted);
    if (mine !== asked) return;
    const rows = found.documents.map(line);
    const focused = document.activeElement?.closest?.("#docs tr")?.dataset.document;
    $("docs").replaceChildren(...(rows.length ? rows : [make("tr", {}, make("td", {colSpan: 5, className: "soft", textContent: "No document matches."}))]));
    if (focused) rows.find(r => r.dataset.document === focused)?.querySelector("button")?.focus();
    next = found.cursor;
    $("more").disabled = !next;
    $("newer").disabled = cursors.length === 1;
    $("where").textContent = `page ${cursors.length}`;
    for (const id of ["newer", "where", "more"]) $(id).hidden = !next && cursors.length === 1;
    $("docs").dataset.ready = mine;
  } catch (e) { failed(e); }
}

function first() { cursors = [""]; list(); }

function options(select, values) {
  const known = new Set([...select.options].map(o => o.value));
  for (const value of values) if (!known.has(value)) select.append(make("option", {value, textContent: value}));
}

// Lists engines that cannot be used here together with what they need.
const readable = ({engine, missing}) =>
  make("option", {value: engine, textContent: missing ? `${engine} (not available)` : engine, disabled: !!missing, title: missing});

async function status() {
  clearTimeout(timer);
  try {
    const s = await json("/api/status"), behind = s.total - s.indexed;
    $("place").textContent = s.title;
    document.title = `${s.title} · rayocr results`;
    $("cards").replaceChildren(
      card(count(s.outcomes.complete), "complete documents"), card(count(s.outcomes.partial), "partial documents"),
      card(count(s.outcomes.rejected), "rejected documents"), ...(s.outcomes.dismissed ? [card(count(s.outcomes.dismissed), "dismissed failures")] : []),
      card(count(s.failed), "failed pages"), card(count(s.doubtful), "documents in doubt"));
    $("for-earlier").hidden = !s.earlier && !$("earlier").checked;
    options($("engine"), s.engines);
    if (!$("with").options.length) $("with").append(...s.engines_to_read_with.map(readable));
    $("v-missing").textContent = s.engines_to_read_with.filter(e => e.missing).map(e => `${e.engine}: ${e.missing}`).join(" ");
    for (const engine of s.engines_with_prompts) prompted.add(engine);
    options($("prompt"), s.prompts);
    offerAuthor(s.user);
    options($("reason"), s.reasons.map(r => r.reason));
    $("failures").hidden = !s.reasons.length;
    $("reasons").replaceChildren(...s.reasons.map(reason));
    say(s.problem || (s.listing ? "Listing the documents …" : behind > 0 ? `Indexing: ${count(s.indexed)} of ${count(s.total)} documents.`
      : s.damaged.length ? `${s.damaged.length} damaged manifests are not shown. ${s.damaged[0]}` : ""));
    if (s.indexed !== shown && cursors.length === 1 && !$("view").open) list();
    shown = s.indexed;
    timer = setTimeout(status, behind > 0 || s.listing ? 1500 : 15000);
  } catch (e) {
    failed(e);
    if (!(e instanceof TokenNeeded)) timer = setTimeout(status, 5000);
  }
}

function reason(r) {
  const show = make("button", {type: "button", className: "link", textContent: r.reason});
  show.onclick = () => { $("reason").value = r.reason; first(); $("documents").focus(); };
  const counts = counted(r.documents, "document") + (r.whole ? "" : `, ${counted(r.pages, "page")}`);
  const helps = make("span", {className: "why"}, `${r.meaning} ${r.step} `);
  if (r.command) helps.append("Retry: ", make("code", {textContent: r.command}));
  return make("div", {className: "row"}, make("span", {className: "name"}, show, ` ${counts}`), helps);
}

function failed(e) {
  if (e instanceof TokenNeeded) {
    $("login").hidden = false;
    $("content").hidden = true;
    say($("token").value ? "That is not the token." : "");
    $("token").focus();
  } else say(e.message);
}

function connect() {
  $("login").hidden = true;
  $("content").hidden = false;
  status();
  const link = location.hash.match(/^#\/([0-9a-f]{32})\/(\d+)$/);
  if (link) open(link[1], Number(link[2]));
}

async function download() {
  $("zip").disabled = true;
  try {
    const blob = await (await ask("/api/download?" + query())).blob();
    const a = make("a", {href: URL.createObjectURL(blob), download: "rayocr-results.zip"});
    a.click();
    URL.revokeObjectURL(a.href);
  } catch (e) { say(e.message); }
  $("zip").disabled = false;
}

$("filters").onsubmit = e => e.preventDefault();
for (const id of ["outcome", "engine", "reason", "doubt", "earlier"]) $(id).onchange = first;
let typing;
$("q").oninput = () => { clearTimeout(typing); typing = setTimeout(first, 200); };
$("more").onclick = () => { cursors.push(next); list(); };
$("newer").onclick = () => { cursors.pop(); list(); };
$("zip").onclick = download;
$("login").onsubmit = e => { e.preventDefault(); useToken($("token").value); connect(); };
$("theme").onclick = () => {
  const theme = document.documentElement.dataset.theme, dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
};
addEventListener("keydown", e => {
  if (e.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) && !$("view").open) { e.preventDefault(); $("q").focus(); }
});
startReader(() => { if (!$("view").open) list(); status(); });
const given = location.hash.match(/^#token=([\w-]+)$/);
if (given) { useToken(given[1]); history.replaceState(null, "", location.pathname); }
connect();
