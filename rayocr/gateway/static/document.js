// Shows one document: page images and texts side by side, with engines and doubts.
import {ask, json} from "./api.js";
import {$, badge, make} from "./parts.js";

let shown = null, address = null;

export function start() {
  $("prev").onclick = () => turn(-1);
  $("next").onclick = () => turn(1);
  $("odd").onclick = nextOdd;
  $("close").onclick = () => $("view").close();
  $("v-number").onchange = () => go(Number($("v-number").value));
  $("view").addEventListener("close", () => { shown = null; });
  $("view").addEventListener("keydown", e => {
    if (!shown || e.target === $("v-number")) return;
    if (e.key === "ArrowLeft") turn(-1);
    else if (e.key === "ArrowRight") turn(1);
    else if (e.key === "n") nextOdd();
    else return;
    e.preventDefault();
  });
}

export async function open(d) {
  const mine = shown = {d, page: 1, odd: []};
  $("v-name").textContent = d.name;
  $("v-of").textContent = `of ${d.page_count}`;
  $("v-number").max = d.page_count;
  $("odd").disabled = true;
  if (!$("view").open) $("view").showModal();
  go(1);
  try {
    const notes = (await json(`/documents/${d.document_id}`)).notes;
    mine.odd = notes.filter(n => n.outcome === "failed" || n.doubts.length).map(n => n.page_number).sort((a, b) => a - b);
    if (shown === mine) $("odd").disabled = !mine.odd.length;
  } catch { /* show the pages without notes */ }
}

const turn = by => shown && go(shown.page + by);

function nextOdd() {
  if (shown?.odd.length) go(shown.odd.find(n => n > shown.page) ?? shown.odd[0]);
}

async function go(page) {
  const {d} = shown;
  if (!(page >= 1 && page <= d.page_count)) { $("v-number").value = shown.page; return; }
  shown.page = page;
  $("v-number").value = page;
  $("prev").disabled = page <= 1;
  $("next").disabled = page >= d.page_count;
  $("v-text").textContent = "…";
  $("v-facts").replaceChildren();
  $("v-image").removeAttribute("src");
  $("v-image").alt = `Loading page ${page}`;
  delete $("view").dataset.page;
  const base = `/documents/${d.document_id}/pages/${page}`, still = () => shown?.d === d && shown.page === page;
  const text = json(base).then(p => { if (still()) facts(p); }, e => { if (still()) $("v-text").textContent = e.message; });
  const image = ask(base + "/image").then(a => a.blob()).then(blob => {
    if (!still()) return;
    if (address) URL.revokeObjectURL(address);
    address = URL.createObjectURL(blob);
    $("v-image").alt = `Page ${page} of ${d.name}, as scanned`;
    $("v-image").src = address;
  }, e => { if (still()) $("v-image").alt = e.message; });
  await Promise.all([text, image]);
  if (still()) $("view").dataset.page = page;
}

function facts(p) {
  $("v-text").textContent = p.text || (p.outcome === "blank" ? "(a blank page)" : "(no text)");
  const parts = [badge(p.outcome, p.outcome)];
  if (p.engine) parts.push(badge("read by " + p.engine));
  for (const doubt of p.doubts) parts.push(badge("doubt: " + doubt.replaceAll("_", " "), "doubt"));
  if (p.attempts.length) parts.push(make("span", {className: "soft", textContent: "failed attempts: " + p.attempts.map(a => `${a.engine} (${a.reason})`).join(", ")}));
  $("v-facts").replaceChildren(...parts);
}
