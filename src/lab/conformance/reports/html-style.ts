/** The style of the page, light or dark as its reader likes it. */
export const STYLE = `
:root { color-scheme: light dark; --bad: light-dark(#b3261e, #ff8a80); --good: light-dark(#1b6e3c, #7ddc9f);
  --warn: light-dark(#8a5a00, #ffcf70); --line: light-dark(#d5d5da, #44444c); --soft: light-dark(#f4f4f7, #232329);
  --quiet: light-dark(#5c5c66, #a5a5b0); }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  background: light-dark(#fff, #17171b); color: light-dark(#1a1a1f, #e8e8ee); overflow-wrap: break-word; }
h1 { font-size: 1.6rem; margin-bottom: 0.2rem; }
h2 { font-size: 1.2rem; margin-top: 2rem; }
h3 { font-size: 1.05rem; margin: 0 0 0.5rem; }
a { color: inherit; overflow-wrap: anywhere; }
.failed, .bad { color: var(--bad); } .passed, .good { color: var(--good); }
.warned, .inconclusive, .waived, .open { color: var(--warn); }
.skipped, .small { color: var(--quiet); } .small { font-size: 0.9rem; }
.counts { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; list-style: none; padding: 0; }
.counts li { white-space: nowrap; }
article { border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 4px; padding: 1rem;
  margin: 1rem 0; }
.remark { border: 1px dashed var(--line); border-radius: 4px; padding: 0.25rem 1rem; margin: 0.5rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.6rem 0.25rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; min-width: 2.5rem; }
pre { background: var(--soft); padding: 0.6rem; overflow-x: auto; font-size: 0.85rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
code { font-size: 0.85rem; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: 0.25rem 0; }
dt { font-weight: 600; margin-top: 0.5rem; } dd { margin: 0; }
`;
