/** What each command of package.json is for; `npm run docs` refuses when the two differ. */
export const commands: Readonly<Record<string, string>> = {
  demo: 'Receiver and mock together, with secrets made on the spot: plays a scenario of each product and shows what came of it.',
  start: 'The receiver, as `.env` and the environment say.',
  dev: 'The same, started anew whenever a file changes.',
  mock: 'The three products with their APIs: keep running, send on request, play a scenario.',
  chaos: 'Plays all scenarios on bad days, one for each seed; each must end as a calm day does.',
  crash:
    'Kills the receiver at chosen points and starts it again; what it had promised must be there, and handled once.',
  soak: 'Puts a day of deliveries into minutes and watches memory and disk; with `--hard-times`, what happens when things go wrong.',
  send: 'Sends one event or many, genuine or spoilt, and judges the reply as its sender would.',
  'kill-matrix':
    'Tries the conformance suite on receivers broken on purpose, and shows which rule finds out which.',
  conform:
    'Tries a receiver, in any language, as the three products and as attackers would, and says what is wrong and how to fix it.',
  effects: "What this kit's receiver has done, for `npm run conform` to ask.",
  inbox: 'Lists, shows, exports and counts what was received; replays, discards and prunes it.',
  register: 'Registers this receiver at risr/advance, tests and removes what is registered.',
  new: 'Begins a new source or a new event.',
  bench: 'Measures the receiver against others on this machine.',
  'vendor-check': 'Sends the events of risr/advance to a receiver in Python; see its `--help`.',
  docs: 'Writes the tables of this page and `templates/env.example` anew.',
  test: 'All tests, offline.',
  check: 'Types, lint, format, unused things, these tables, tests: what must pass before a commit.',
  format: 'Formats every file.',
};
