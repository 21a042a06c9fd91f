"""How a report looks.

System fonts, one accent, figures on a white card in both colour schemes because they are drawn on
white. Every text colour has a contrast of at least 4.5 on its background (tested).
"""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f7f8f9; --card: #ffffff; --ink: #1e2a35; --muted: #596673;
  --line: #dde3e8; --accent: #0b5f8a; --best: #e8f2f8; --shade: #1e2a3566;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14191e; --card: #1c232a; --ink: #e3e8ec; --muted: #9eabb7;
    --line: #323c46; --accent: #7cc4ec; --best: #17384a; --shade: #000000cc;
  }
}
* { box-sizing: border-box; }
@media (prefers-color-scheme: dark) { img { filter: brightness(.93); } }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0 auto; padding: 3.5rem 1.5rem 4rem; max-width: 64rem;
  background: var(--page); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans",
    "DejaVu Sans", sans-serif;
}
h1 {
  margin: 0; font-size: 2.25rem; line-height: 1.15; letter-spacing: -0.015em;
  overflow-wrap: anywhere;
}
h2 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.3; letter-spacing: -0.005em; }
p { margin: 0 0 1rem; max-width: 44rem; }
.lead { margin-top: .75rem; font-size: 1.2rem; line-height: 1.5; color: var(--muted); }
.highlights {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem;
  margin: 1.75rem 0 0;
}
.highlights div {
  padding: .8rem 1rem; display: flex; flex-direction: column-reverse;
  justify-content: flex-end;
  background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
}
.highlights dt { font-size: .875rem; line-height: 1.35; color: var(--muted); }
.highlights dd {
  margin: 0 0 .15rem; font-size: 1.55rem; line-height: 1.25; font-weight: 600;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
nav { margin-top: 1.75rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin: 0; padding: 0; }
nav li { list-style: none; }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: 1px; }
a:focus-visible, .scroll:focus-visible, pre:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px; border-radius: .2rem;
}
section { margin-top: 2.5rem; padding-top: 2rem; border-top: 1px solid var(--line); }
pre {
  margin: 0 0 1rem; padding: .8rem 1rem; overflow-x: auto; font-size: .875rem; line-height: 1.5;
  background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
}
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
/* a shade at an edge beyond which there is more: covers move with the table, shades do not */
.scroll {
  position: relative; /* else what only screen readers see makes the page as wide as the table */
  margin: 1.25rem 0 1.75rem; overflow-x: auto;
  background:
    linear-gradient(to right, var(--page) 40%, transparent) left / 2.5rem 100% local,
    linear-gradient(to left, var(--page) 40%, transparent) right / 2.5rem 100% local,
    linear-gradient(to right, var(--shade), transparent) left / 1rem 100%,
    linear-gradient(to left, var(--shade), transparent) right / 1rem 100%;
  background-repeat: no-repeat;
}
table { border-collapse: collapse; min-width: min(100%, 30rem); font-size: .9688rem; }
caption {
  padding-bottom: .5rem; text-align: left; font-size: .9375rem; line-height: 1.45;
  color: var(--muted);
}
th, td { padding: .45rem .9rem; text-align: left; vertical-align: baseline; }
thead th {
  font-size: .875rem; font-weight: 600; color: var(--muted); vertical-align: bottom;
  border-bottom: 1.5px solid var(--muted);
}
thead .number { white-space: normal; }
tbody th { min-width: 10rem; font-weight: 500; }
th:first-child { padding-left: .25rem; }
tbody th.number { min-width: 0; }
tbody tr > * { border-bottom: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td strong, th strong {
  margin: -.1rem -.4rem; padding: .1rem .4rem; border-radius: .3rem;
  font-weight: 650; background: var(--best);
}
.muted { color: var(--muted); }
.unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
figure { margin: 1.5rem 0 2rem; }
img {
  display: block; max-width: 100%; height: auto; padding: .75rem;
  background: #ffffff; border: 1px solid var(--line); border-radius: .6rem;
}
img.wide { width: 100%; }
figcaption { margin-top: .6rem; max-width: 44rem; font-size: .9375rem; color: var(--muted); }
footer {
  margin-top: 3rem; padding-top: 1.25rem; border-top: 1px solid var(--line);
  font-size: .875rem; color: var(--muted);
}
@media (max-width: 40rem) {
  body { padding: 2rem 1rem 3rem; font-size: 1rem; }
  h1 { font-size: 1.75rem; }
  img { padding: .25rem; }
  table { min-width: 34rem; }
  /* as wide as the page, to be read without scrolling; 100% is the table */
  caption { padding-right: calc(100% - 100vw + 2rem); }
  .scroll::before {
    content: "\\2194  scroll sideways for all columns"; position: sticky; left: 0;
    display: block; padding-bottom: .4rem; font-size: .8125rem; color: var(--muted);
  }
  figure { overflow-x: auto; }
  img.wide { width: 38rem; max-width: none; }
}
@media print {
  :root {
    --page: #ffffff; --card: #ffffff; --ink: #000000; --muted: #444444;
    --line: #cccccc; --accent: #000000; --best: #eeeeee; --shade: transparent;
  }
  @page { margin: 18mm 16mm; }
  html { font-size: 10pt; }
  body { padding: 0; max-width: none; font-size: 1rem; }
  .highlights { grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); }
  nav { display: none; }
  section { margin-top: 1.5rem; padding-top: 1rem; }
  h2, caption { break-after: avoid; }
  table, tr, figure, .highlights div { break-inside: avoid; } /* one longer than a page breaks */
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  img { max-height: 110mm; object-fit: contain; padding: 0; border: 0; filter: none; }
  td strong, th strong { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
