/** The commands of package.json, by when one needs them, and what each is for; `npm run docs` refuses when the two differ. */
export const commands: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Every day': {
    dev: 'The receiver with the mock beside it, and a console that shows both; started again whenever you save a file.',
    start: 'The receiver with your handlers, as `.env` and the environment say.',
    send: 'Sends one event or many, genuine or spoilt, and judges the reply as its sender would.',
    mock: 'The three products with their APIs: keeps running, sends on request, plays a scenario.',
    inbox:
      'Lists, shows, exports and counts what was received; replays, discards and prunes it; backs it up and checks it.',
    explain:
      'Says why a delivery was refused: the one change with which it would verify. Puts it into the inbox once it does.',
    facts:
      'What the senders really do, by the deliveries that came: what was assumed and is not so, and what is new in their payloads.',
    tape: 'Shows deliveries as they came, sends them again, makes tests of them.',
    new: 'Begins a source, an event or a handler.',
    'test:app': 'Your own tests only.',
    check: 'Types, lint, format, unused things, generated pages, tests: what must pass before a commit.',
  },
  Once: {
    demo: 'Receiver and mock together, with secrets made on the spot: plays a scenario of each product and shows the outcome.',
    example: 'The reference receiver, every handler doing its work, with your `.env`.',
    keys: 'Makes the secret of an endpoint, says which are used, and changes one without a delivery lost.',
    register: 'Registers this receiver at risr/advance, tests and removes what is registered.',
    deploy:
      'Writes what runs your app in production: an image, Compose, Kubernetes or systemd, and the proxy in front.',
    conform:
      'Tries a receiver, in any language, as the three products and as attackers would, and says what is wrong and how to fix it.',
    doctor:
      'Sends canaries through the real way to the receiver, and says which hop breaks deliveries, with the lines that mend it.',
  },
  'To prove the kit': {
    test: 'All tests, offline.',
    prove: 'The kit’s own proofs, `npm run prove -- crash` for example: see `scripts/prove`.',
    docs: 'Writes the generated tables of all pages, and `templates/env.example`.',
  },
};
