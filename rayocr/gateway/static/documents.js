// The list of documents: documents in progress come from the status, finished ones from the run's records, with paging.
import {json, post} from "./api.js";
import {$, badge, bar, count, make} from "./parts.js";
import {open} from "./document.js";

const PAGE = 25;
let cursors = [null], status = null, asked = 0;
let say = () => {};

export function start(tell) {
  say = tell;
  $("filters").onsubmit = e => e.preventDefault();
  for (const id of ["outcome", "reason"]) $(id).onchange = () => first();
  let timer;
  $("q").oninput = () => { clearTimeout(timer); timer = setTimeout(first, 250); };
  $("more").onclick = () => list(1);
  $("newer").onclick = () => list(-1);
}

const done = s => Object.values(s.documents).reduce((a, b) => a + b, 0);

export function update(s) {
  const changed = !status || done(s) !== done(status) || s.run_id !== status.run_id;
  status = s;
  const known = [...$("reason").options].map(o => o.value);
  for (const reason of Object.keys(s.reasons)) if (!known.includes(reason)) $("reason").append(make("option", {value: reason, textContent: reason}));
  if ($("outcome").value === "in_progress") showInProgress();
  else if (changed && cursors.length === 1) list(0);
}

export function first() { cursors = [null]; list(0); }

function showInProgress() {
  const q = $("q").value.toLowerCase(), found = status ? status.in_progress.filter(d => d.name.toLowerCase().includes(q)) : [];
  fill(found.slice(0, 200).map(d => {
    const cancel = make("button", {type: "button", textContent: "Cancel"});
    cancel.setAttribute("aria-label", "Cancel " + d.name);
    cancel.onclick = () => post_command(cancel, `/documents/${d.document_id}/cancel`, `${d.name} is canceled. Running jobs stop processing it; later runs skip it.`);
    const share = d.page_count ? bar(d.pages_done / d.page_count, `${d.name}: pages done`) : badge("downloading");
    return line(make("span", {className: "name", textContent: d.name}), share,
      d.page_count ? `${count(d.pages_done)} / ${count(d.page_count)}` : "", "", "", cancel, d.document_id);
  }), "No documents are in progress.");
  $("where").textContent = `${count(found.length)} in progress`;
  $("more").disabled = $("newer").disabled = true;
}

async function list(by) {
  if ($("outcome").value === "in_progress") return showInProgress();
  if (by < 0 && cursors.length > 1) cursors.pop();
  const query = new URLSearchParams({limit: PAGE});
  for (const id of ["outcome", "q", "reason"]) if ($(id).value) query.set(id, $(id).value);
  const after = by > 0 ? $("more").dataset.cursor : cursors.at(-1);
  if (after) query.set("cursor", after);
  const mine = ++asked;
  try {
    const found = await json("/documents?" + query);
    if (mine !== asked) return;
    if (by > 0) cursors.push(after);
    fill(found.documents.map(finished), "No document matches the filters.");
    $("more").dataset.cursor = found.cursor || "";
    $("more").disabled = !found.cursor;
    $("newer").disabled = cursors.length === 1;
    $("where").textContent = `page ${cursors.length}`;
  } catch (e) { say(e.message); }
}

function finished(d) {
  const name = make("button", {type: "button", className: "link", textContent: d.name, disabled: !d.page_count});
  name.onclick = () => open(d);
  const again = make("button", {type: "button", textContent: "Retry"});
  again.setAttribute("aria-label", "Retry " + d.name);
  again.onclick = () => post_command(again, `/documents/${d.document_id}/retry`, `${d.name} will be retried.`);
  const why = [d.reason, d.failed_pages && "pages " + d.failed_pages].filter(Boolean).join(", ");
  const reason = make("span", {textContent: why});
  if (d.doubtful_pages) reason.append(" ", badge(`${count(d.doubtful_pages)} doubtful`, "doubt"));
  const engines = Object.entries(d.engines).map(([engine, n]) => `${engine} ${count(n)}`).join(", ");
  return line(name, badge(d.outcome, d.outcome), d.page_count ? count(d.page_count) : "", engines, reason, d.outcome === "complete" ? "" : again, d.document_id);
}

function line(name, state, pages, engines, why, action, id) {
  const r = make("tr", {}, make("td", {className: "name"}, name), make("td", {}, state), make("td", {className: "number", textContent: pages}),
    make("td", {textContent: engines}), make("td", {}, why), make("td", {}, action));
  r.dataset.document = id;
  return r;
}

// Restores the focus if it was on a button of a row that is still shown.
function fill(rows, empty) {
  const focused = document.activeElement?.closest?.("#docs tr")?.dataset.document, label = document.activeElement?.getAttribute?.("aria-label");
  $("docs").replaceChildren(...(rows.length ? rows : [make("tr", {}, make("td", {colSpan: 6, className: "soft", textContent: empty}))]));
  if (focused) {
    const same = rows.find(r => r.dataset.document === focused);
    const button = same && [...same.querySelectorAll("button")].find(b => b.getAttribute("aria-label") === label);
    button?.focus();
  }
}

async function post_command(button, path, words) {
  button.disabled = true;
  try { await post(path); say(words); } catch (e) { say(e.message); button.disabled = false; }
}
