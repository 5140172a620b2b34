// The status page of a run: figures come from the event stream, charts from the history.
import {follow, json, post, TokenNeeded, useToken} from "./api.js";
import * as documents from "./documents.js";
import * as view from "./document.js";
import {$, card, count, draw, duration, make, row, usd} from "./parts.js";

let last = null, grants = [], history = {recent: [], run: []}, span = "recent";
const say = words => { $("word").textContent = words; };

function show(s) {
  const fresh = !last || last.run_id !== s.run_id;
  last = s;
  const g = s.gauges;
  const flags = [g.paused && "paused", g.draining && "draining", g.locks_unavailable && "lock service unavailable", g.limits_unavailable_s > 10 && "shared limits unavailable"];
  $("run").textContent = [s.run_id, s.chain.join(" → "), ...flags.filter(Boolean)].join(" · ");
  document.title = (s.pages_total ? Math.floor(100 * s.pages_done / s.pages_total) + " % · " : "") + "rayocr";
  $("pause").textContent = g.paused ? "Resume" : "Pause";
  $("pause").disabled = Boolean(s.ended);
  $("drain").disabled = Boolean(g.draining || s.ended);
  document.body.classList.toggle("ended", Boolean(s.ended));
  if (fresh) grants = [];
  if (fresh) loadHistory();
  else remember(s);
  cards(s);
  quota(s);
  reasons(s);
  charts();
  documents.update(s);
}

function remember(s) {
  const sample = [s.at, s.pages_done, s.totals.cost_usd];
  history.recent = [...history.recent.slice(-299), sample];
  if (!history.run.length || s.at - history.run.at(-1)[0] >= 5) history.run.push(sample);
}

async function loadHistory() {
  try { history = await json("/history"); charts(); } catch (e) { say(e.message); }
}

// The increase of `column` per second, between samples ten seconds apart.
function rates(samples, column) {
  const points = [];
  for (let i = 1, from = 0; i < samples.length; i++) {
    while (from < i - 1 && samples[i][0] - samples[from][0] > 10) from++;
    const s = samples[i][0] - samples[from][0];
    if (s > 0) points.push([samples[i][0], Math.max(0, (samples[i][column] - samples[from][column]) / s)]);
  }
  return points;
}

const now = column => rates(history.recent.slice(-12), column).at(-1)?.[1] ?? 0;

function cards(s) {
  const g = s.gauges, t = s.totals, done = Object.values(s.documents).reduce((a, b) => a + b, 0);
  const ahead = s.pages_done && s.pages_total > s.pages_done ? t.cost_usd * s.pages_total / s.pages_done : null;
  const money = [usd(3600 * now(2)) + " per hour now", ahead && t.cost_usd ? "about " + usd(ahead) + " in total" : null,
    g.budget_usd_per_day ? `${usd(g.spent_today_usd)} of ${usd(g.budget_usd_per_day)} today` : null,
    g.budget_usd_per_month || g.limit_usd_per_month ? `${usd(g.spent_month_usd)} of ${usd(Math.min(...[g.budget_usd_per_month, g.limit_usd_per_month].filter(Boolean)))} this month` : null,
    g.limit_usd_per_10min ? `${usd(g.spent_10min_usd)} of ${usd(g.limit_usd_per_10min)} in ten minutes` : null];
  $("cards").replaceChildren(
    card(count(s.pages_done), `of ${count(s.pages_total)} pages${s.listing_done ? "" : " known so far"}`, s.pages_total ? s.pages_done / s.pages_total : 0),
    card(count(done), `of ${count(s.documents_total)} documents`, s.documents_total ? done / s.documents_total : 0),
    card(now(1).toFixed(1), `pages/s now, ${g.pages_per_s.toFixed(1)} over the run`),
    card(duration(s.eta_s), `remaining, ${duration(g.elapsed_s)} elapsed`),
    card(t.pages_unpriced ? (t.cost_usd ? usd(t.cost_usd) + " + " : "") + "unknown" : usd(t.cost_usd), [g.budget_usd ? `of ${usd(g.budget_usd)}` : null, ...money].filter(Boolean).join(", "),
      g.budget_usd ? t.cost_usd / g.budget_usd : null, t.cost_usd > 0.8 * g.budget_usd),
    card(count(g.workers), `workers, ${count(g.pages_in_window)} pages in progress`));
}

// A model's requests per second over the last minute, which is the window of its quota; a shorter window can show a rate that is too high.
function paceOf(model) {
  const from = grants[0], to = grants.at(-1);
  return to[0] > from[0] ? Math.max(0, (to[1][model] ?? 0) - (from[1][model] ?? 0)) / (to[0] - from[0]) : 0;
}

function quota(s) {
  grants = [...grants.slice(-60), [s.at, Object.fromEntries(s.models.map(m => [m.model, m.granted]))]];
  const models = s.models.map(m => {
    const pace = paceOf(m.model);
    const words = m.held_since ? `no usable answer since ${new Date(1000 * m.held_since).toLocaleTimeString()}` : m.parked ? "daily quota used up" : m.paused ? "paused by the server"
      : m.limit_rpm ? `${count(Math.round(60 * pace))} of ${count(m.limit_rpm)} requests per minute` : `${count(Math.round(60 * pace))} requests per minute, no limit`;
    const more = [m.held_since && m.held_words, `${count(m.in_flight)} in flight`, m.throttled && `${count(m.throttled)} rate-limited`, m.requests_today && `${count(m.requests_today)} today`,
      m.rate_rpm && m.limit_rpm && m.rate_rpm < 0.99 * m.limit_rpm && `slowed to ${count(Math.round(m.rate_rpm))}`];
    const part = row(m.model, words, m.limit_rpm ? 60 * pace / m.limit_rpm : null);
    part.append(make("span", {className: "soft wide", textContent: more.filter(Boolean).join(", ")}));
    return part;
  });
  const engines = Object.entries(s.engines).sort((a, b) => b[1] - a[1]).map(([name, n]) => row(name, `${count(n)} pages`, s.pages_done ? n / s.pages_done : 0));
  const doubt = s.totals.pages_doubtful ? [row("doubtful", `${count(s.totals.pages_doubtful)} pages`, s.totals.pages_doubtful / s.pages_done, true)] : [];
  $("quota").replaceChildren(...models, ...engines, ...doubt);
}

function reasons(s) {
  const found = Object.entries(s.reasons).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  const key = JSON.stringify(found);
  if ($("reasons").dataset.key === key) return;  // keep the focus on buttons
  $("reasons").dataset.key = key;
  $("reasons").replaceChildren(...(found.length ? found.map(([reason, n]) => {
    const show = make("button", {type: "button", textContent: "Show"}), again = make("button", {type: "button", textContent: "Retry these"});
    show.setAttribute("aria-label", "Show documents with " + reason);
    again.setAttribute("aria-label", "Retry documents with " + reason);
    show.onclick = () => { $("outcome").value = ""; $("reason").value = reason; documents.first(); $("documents").focus(); };
    again.onclick = () => retry(again, reason);
    const documentsFailed = s.rejections?.[reason], of = documentsFailed ? "document" : "page";
    return row(`${reason}: ${count(n)} ${of}${n === 1 ? "" : "s"}`, make("span", {className: "buttons"}, show, again));
  }) : [make("span", {className: "soft", textContent: "none"})]));
}

async function retry(button, reason) {
  button.disabled = true;
  try {
    const {documents: n} = await (await post("/documents/retry", {reason})).json();
    say(n === 1 ? "1 document will be retried." : `${count(n)} documents will be retried.`);
  } catch (e) { say(e.message); }
  button.disabled = false;
}

function charts() {
  const samples = history[span], from = samples.length ? duration(samples.at(-1)[0] - samples[0][0]) + " ago" : "";
  const pace = rates(samples, 1), top = draw($("pace"), pace), spent = draw($("cost"), samples.map(p => [p[0], p[2]]));
  $("pace-from").textContent = $("cost-from").textContent = from;
  $("pace-top").textContent = top ? `highest ${top.toFixed(1)}` : "";
  $("cost-top").textContent = spent && spent !== 1 ? `highest ${usd(spent)}` : "";
  $("pace-now").textContent = now(1).toFixed(1);
  $("cost-now").textContent = usd(samples.at(-1)?.[2] ?? 0);
}

function choose(wanted) {
  span = wanted;
  for (const name of ["recent", "run"]) $("span-" + name).setAttribute("aria-pressed", String(name === wanted));
  charts();
}

async function post_command(path, words) {
  try { await post(path); say(words); } catch (e) { say(e.message); }
}

const pause = () => last && post_command(last.gauges.paused ? "/resume" : "/pause", last.gauges.paused ? "Resumed." : "Paused. Pages in progress will finish.");

$("span-recent").onclick = () => choose("recent");
$("span-run").onclick = () => choose("run");
$("pause").onclick = pause;
$("drain").onclick = () => { if (confirm("Finish pages in progress and stop the run?")) post_command("/drain", "The run finishes pages in progress and stops."); };
$("theme").onclick = () => {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
  localStorage.setItem("rayocr-theme", root.dataset.theme);
};
document.addEventListener("keydown", e => {
  if ($("view").open || e.ctrlKey || e.metaKey || e.altKey || /INPUT|SELECT|TEXTAREA/.test(e.target.tagName)) return;
  if (e.key === "/") { e.preventDefault(); $("q").focus(); }
  if (e.key === "p") pause();
});
$("login").onsubmit = e => { e.preventDefault(); useToken($("token").value); connect(); };

// Keeps the final figures, and shows how many documents and pages failed and what to do next.
function ended() {
  const d = last.documents, failed = last.pages?.failed ?? 0;
  const words = [`${count(d.complete ?? 0)} complete`, `${count(d.partial ?? 0)} partial`, `${count(d.rejected ?? 0)} rejected documents`];
  $("ended").hidden = false;
  $("ended").replaceChildren(make("strong", {textContent: "The run has ended. "}), words.join(", ") + `; ${count(failed)} failed pages. Work with the results: `,
    make("code", {textContent: last.view_command}));
}

// With gateway.after=view, the results are served at the same address.
const resultsAreServed = () => json("/api/status").then(() => true, () => false);

async function connect() {
  for (;;) {
    try {
      let first = true;
      await follow(s => {
        if (first) { say(""); $("login").hidden = true; $("content").hidden = false; first = false; }
        if (s.run_id) show(s);
      });
    } catch (e) {
      if (e instanceof TokenNeeded) {
        say($("token").value ? "Wrong token." : "");
        $("content").hidden = true;
        $("login").hidden = false;
        $("token").focus();
        return;
      }
    }
    if (last?.ended) {
      say("");
      ended();
      if (await resultsAreServed()) return location.reload();
    } else say("The run does not respond; it may have been stopped. Retrying …");
    await new Promise(r => setTimeout(r, 2000));
  }
}

const theme = localStorage.getItem("rayocr-theme");
if (theme) document.documentElement.dataset.theme = theme;
const given = location.hash.match(/^#token=([\w-]+)$/);
if (given) {  // from the link in the terminal; removed from the address bar
  useToken(given[1]);
  window.history.replaceState(null, "", location.pathname);
}
documents.start(say);
view.start();
connect();
