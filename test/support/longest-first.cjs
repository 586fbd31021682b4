const { default: Sequencer } = require('@jest/test-sequencer');

// By parts of their paths, longest first: those that start many programs or wait for slow receivers. Begun late, one of
// them would run alone at the end, with the other core idle.
const LONG = [
  'kill-matrix.test',
  'scripts/new',
  'scripts/prove',
  'test/scripts',
  'inbox/postgres',
  'conformance',
];

function rank({ path }) {
  const found = LONG.findIndex((part) => path.includes(part));
  return found === -1 ? LONG.length : found;
}

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((one, other) => rank(one) - rank(other));
  }
};
