/** What each command of package.json is for; `npm run docs` refuses when the two differ. */
export const commands: Readonly<Record<string, string>> = {
  demo: 'Receiver and mock together, with secrets made on the spot: sends every event once and shows what came of it.',
  start: 'The receiver, as `.env` and the environment say.',
  dev: 'The same, started anew whenever a file changes.',
  mock: 'The mock of all sources: keeps running, and sends on request.',
  send: 'Sends one event or many, genuine or spoilt, and judges the reply as its sender would.',
  inbox: 'Lists, shows and replays what was received.',
  new: 'Begins a new source or a new event.',
  bench: 'Measures the receiver against others on this machine.',
  docs: 'Writes the tables of this page and `templates/env.example` anew.',
  test: 'All tests, offline.',
  check: 'Types, lint, format, unused things, these tables, tests: what must pass before a commit.',
  format: 'Formats every file.',
};
