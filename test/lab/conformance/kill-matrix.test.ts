import { beforeAll, expect, it } from '@jest/globals';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import { makeCertificates, requireOpenssl } from '../../support/certificates.ts';
import { villains } from '../../villains/all.ts';
import { accusations, correctNames } from '../../villains/correct.ts';
import { isMissed, tryVillains, type MatrixRow } from '../../villains/matrix.ts';

// A suite that finds nothing proves nothing: it must find out every receiver that is broken on purpose, and accuse none
// that is right.

/** `npm run prove -- kill-matrix` tries all. */
const SAMPLE = { isWhole: false };
/** As long as a timer can be. */
const NO_LIMIT = 2 ** 31 - 1;
const hasOpenssl = requireOpenssl('receivers that speak TLS');

let rows: readonly MatrixRow[] = [];
let accused: Awaited<ReturnType<typeof accusations>> = new Map();

// Most of it is waiting, so much of it is tried at the same time: first those that must not be accused because a villain
// keeps the processor busy. It may take as long as it takes.
beforeAll(async () => {
  const certificates = hasOpenssl ? await makeCertificates() : undefined;
  try {
    accused = await accusations(certificates, SAMPLE);
    rows = await tryVillains(certificates, SAMPLE);
  } finally {
    await certificates?.remove();
  }
}, NO_LIMIT);

const tried = villains.filter(({ secure }) => hasOpenssl || secure !== true);

it.each(tried.map(({ name, breaks }) => [name, breaks]))('finds out the one that %s. %s', (name) => {
  const row = rows.find(({ villain }) => villain.name === name);
  expect(row === undefined || isMissed(row) ? (row?.told ?? 'not tried') : 'found').toBe('found');
});

it.each(correctNames)('accuses a correct receiver of nothing: the one %s', (name) =>
  expect(accused.get(name)).toEqual([]),
);

it.each(rules.map(({ id }) => id))('has a receiver that breaks %s', (id) => {
  if (villains.some(({ claimedBy }) => claimedBy.includes(id))) return;
  throw new Error(
    `No villain breaks ${id}, so nothing shows that it can fail. Add one to test/villains: the right receiver with one ` +
      'part replaced, as people ship it, and the rule in its claimedBy.',
  );
});

it('has villains that are claimed by rules that exist', () => {
  const known = rules.map(({ id }) => id);
  const unknown = villains.flatMap(({ claimedBy }) => claimedBy.filter((id) => !known.includes(id)));
  expect(unknown).toEqual([]);
});

it('gives each villain a name of its own', () =>
  expect(new Set(villains.map(({ name }) => name)).size).toBe(villains.length));
