"""Style and script of the report, which is one file without other resources."""

STYLE = """
:root{color-scheme:light dark}
body{font:14px/1.45 system-ui,sans-serif;margin:0;background:Canvas;color:CanvasText}
header,main{padding:0 1.5rem} h1{margin:.8rem 0 .2rem} h2{font-size:1.05rem;margin:.2rem 0;overflow-wrap:anywhere}
table{border-collapse:collapse;margin:.5rem 0}
td,th{padding:2px 12px 2px 0;text-align:left;vertical-align:top;overflow-wrap:anywhere}
.groups td:nth-child(n+3){text-align:right;font-variant-numeric:tabular-nums} .groups tr:nth-child(even){background:#8881}
nav{position:sticky;top:0;z-index:1;background:Canvas;border-block:1px solid #8886;padding:.5rem 1.5rem}
nav label{margin-right:1rem}
nav p{margin:.3rem 0 0;font-size:.85rem} .red,.blue{padding:0 4px}
.red{border:2px solid #dc0000} .blue{border:2px solid #005adc}
section{border:1px solid #8886;border-radius:8px;margin:1rem 0;padding:.8rem 1rem} section[hidden]{display:none}
.path{color:GrayText;font-size:.8rem;margin:0;overflow-wrap:anywhere}
b{background:#8883;border-radius:9px;padding:1px 9px;font-weight:500}
.row{display:grid;grid-template-columns:minmax(260px,1.1fr) 1fr 1fr;gap:1rem}
figure{margin:0;min-width:0} figcaption{font-weight:600}
pre{white-space:pre-wrap;overflow:auto;max-height:52rem;background:#8881;padding:.5rem;margin:.2rem 0;overflow-wrap:anywhere}
img{width:100%;border:1px solid #8886} mark{background:#ffd54d;color:#000}
@media(max-width:900px){.row{grid-template-columns:1fr}}
"""

SCRIPT = """
const find = id => document.getElementById(id), sections = [...document.querySelectorAll("section")];
function show() {
  const group = find("group").value, verdict = find("verdict").value, kind = find("kind").value;
  const search = find("search").value.toLowerCase();
  let count = 0;
  for (const section of sections) {
    const data = section.dataset;
    const fits = (!group || data.group === group) && (!verdict || data.verdict === verdict)
      && (!kind || data.kind.split("|").includes(kind)) && (!search || section.textContent.toLowerCase().includes(search));
    section.hidden = !fits;
    count += fits;
  }
  find("count").textContent = `${count} of ${sections.length} pages`;
}
for (const id of ["group", "verdict", "kind", "search"]) find(id).addEventListener("input", show);
show();
"""
