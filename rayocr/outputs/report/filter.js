// Search and filter in the lists of the report. Without scripts, everything is shown.
const main = document.getElementById("documents"), rows = [...main.querySelectorAll("tr[data-outcome]")], articles = [...document.querySelectorAll("article")];
const field = Object.assign(document.createElement("input"), {type: "search", placeholder: "name, reason or text", ariaLabel: "Search"});
const choice = Object.assign(document.createElement("select"), {ariaLabel: "Outcome"}), count = document.createElement("span");
for (const value of ["any outcome", ...new Set(rows.map(row => row.dataset.outcome))]) choice.append(new Option(value));
count.setAttribute("role", "status");
const texts = new Map([...rows, ...articles].map(part => [part, part.textContent.toLowerCase()]));
function apply() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean), outcome = choice.selectedIndex ? choice.value : "";
  for (const part of texts.keys())
    part.hidden = !words.every(word => texts.get(part).includes(word)) || Boolean(outcome && (part.dataset.outcome ?? outcome) !== outcome);
  count.textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length} documents listed here`;
}
field.oninput = choice.onchange = apply;
const form = document.createElement("form");
form.onsubmit = event => event.preventDefault();
form.append(field, choice, count);
main.querySelector("h2").after(form);
apply();
