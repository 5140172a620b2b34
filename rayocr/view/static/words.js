// Links the words of the text with their places on the picture: pointing at one marks the other, a click brings it into view.
const WORD = /[\p{L}\p{N}\p{M}]+(?:[.,'’\-/:][\p{L}\p{N}\p{M}]+)*/gu;
const key = text => (text.normalize("NFKC").toLowerCase().match(WORD) || []).join("");

// Puts every word of the text into its own element.
function wrap(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), nodes = [], found = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  for (const node of nodes) {
    const parts = [];
    let from = 0;
    for (const match of node.data.matchAll(WORD)) {
      const word = document.createElement("span");
      word.className = "w";
      word.textContent = match[0];
      parts.push(node.data.slice(from, match.index), word);
      found.push(word);
      from = match.index + match[0].length;
    }
    if (parts.length) node.replaceWith(...parts, node.data.slice(from));
  }
  return found;
}

// Finds for each word of the text the place with the same letters that is nearest after the last one found, since both are in similar order.
function pair(words, places) {
  const free = new Map();
  places.forEach(([text], i) => { const k = key(text); if (k) free.set(k, [...(free.get(k) || []), i]); });
  let last = -1;
  const pairs = [];
  for (const word of words) {
    const open = free.get(key(word.textContent));
    if (!open?.length) continue;
    const distance = i => (i > last ? i - last : 2 * (last - i) + 20);
    const best = open.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    open.splice(open.indexOf(best), 1);
    pairs.push([word, places[best]]);
    last = best;
  }
  return pairs;
}

export function unlink(paper) {
  for (const box of paper.querySelectorAll("i")) box.remove();
}

// Returns the number of words that have a place.
export function link(text, paper, places) {
  unlink(paper);
  const pairs = places.length ? pair(wrap(text), places) : [];
  for (const [word, [, x0, y0, x1, y1]] of pairs) {
    const box = document.createElement("i");
    Object.assign(box.style, {left: 100 * x0 + "%", top: 100 * y0 + "%", width: 100 * (x1 - x0) + "%", height: 100 * (y1 - y0) + "%"});
    box.ariaHidden = "true";
    for (const [from, to] of [[word, box], [box, word]]) {
      from.onmouseenter = () => to.classList.add("on");
      from.onmouseleave = () => to.classList.remove("on");
      from.onclick = () => to.scrollIntoView({block: "nearest", inline: "nearest"});
    }
    paper.append(box);
  }
  return pairs.length;
}
