/** The look of every page of ours: one style sheet, as text. Pure. */

/** System fonts, two colour schemes, one column. Nothing is fetched. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f7f6f3; --card: #fff; --line: #dfdcd5; --ink: #1c1b19; --soft: #5c5850;
  --link: #0a58a8; --mark: #0b7a4b; --warn: #6b4700; --warn-ground: #fff3d1; --code: #efede8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #141517; --card: #1d1f22; --line: #34373c; --ink: #ecebe8; --soft: #aaa79f;
    --link: #8ec2ff; --mark: #5fd3a0; --warn: #ffd886; --warn-ground: #33290f; --code: #2a2d31;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 52rem; padding: 1.25rem 1rem 3rem;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; border-radius: 3px; }
header { display: flex; align-items: baseline; gap: .5rem; color: var(--soft); font-size: .9375rem; }
header strong { color: var(--ink); }
header strong::before {
  content: ""; display: inline-block; width: .55em; height: .55em; margin-right: .45em;
  border-radius: 50%; background: var(--mark);
}
h1 {
  margin: 2rem 0 .5rem;
  font-size: clamp(1.5rem, 1.2rem + 1.5vw, 2.125rem);
  line-height: 1.2;
  letter-spacing: -.015em;
}
h2 { margin: 2.25rem 0 .5rem; font-size: 1.0625rem; }
p { margin: .5rem 0; }
p, li { max-width: 44rem; }
.soft { color: var(--soft); }
code, pre { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code {
  padding: .1em .35em;
  border-radius: 4px;
  background: var(--code);
  -webkit-box-decoration-break: clone;
  box-decoration-break: clone;
}
pre { margin: .5rem 0; padding: .75rem 1rem; border-radius: 8px; background: var(--code); white-space: pre-wrap; }
.services {
  margin: 1.25rem 0;
  padding: 0;
  list-style: none;
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--card);
}
.services > li { max-width: none; padding: .8rem 1rem; }
.services > li + li { border-top: 1px solid var(--line); }
.row { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1rem; }
.name { font-size: 1.0625rem; font-weight: 600; }
.also { margin-left: .4rem; font-size: .875rem; }
.where { color: var(--soft); font-size: .875rem; font-variant-numeric: tabular-nums; }
.command {
  max-width: none;
  margin: .1rem 0 0;
  color: var(--soft);
  font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
.warning {
  margin: .45rem 0 0;
  padding: .3rem .65rem;
  border-radius: 6px;
  background: var(--warn-ground);
  color: var(--warn);
  font-size: .875rem;
  max-width: none;
}
.facts {
  display: grid;
  grid-template-columns: max-content 1fr;
  gap: .3rem 1.25rem;
  margin: 1.25rem 0;
  padding: .9rem 1rem;
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--card);
}
.facts dt { color: var(--soft); }
.facts dd { margin: 0; min-width: 0; }
.facts code { padding: 0; background: none; }
form { margin: 0; }
button {
  min-height: 2.25rem; padding: .25rem .9rem; border: 1px solid var(--link); border-radius: 6px;
  background: none; color: var(--link); font: inherit; font-size: .9375rem; cursor: pointer;
}
button:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.names { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: .5rem 0; padding: 0; list-style: none; }
`;
