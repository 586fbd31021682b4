import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { makeAttack } from '../../../scripts/prove/fuzz/attack.ts';
import { runScript } from '../../support/command.ts';
import { everyEndpoint } from '../../lab/conformance/trying-rules.ts';

/** No machine is so slow. */
const PATIENT = ['--within-ms', '60000'];
/** It ends as soon as something is broken. */
const MINUTES = ['--minutes', '5'];
/** After a few seconds a heap has not found its size. */
const YOUNG = ['--growth-mb', '500'];

function fuzz(...args: readonly string[]) {
  return runScript('prove/fuzz', ['--seed', '1', ...args]);
}

it('breaks nothing of this kit in a few seconds', async () => {
  const { code, out } = await fuzz('--minutes', '0.02', ...PATIENT, ...YOUNG);
  expect({ code, out }).toEqual({
    code: 0,
    out: expect.stringMatching(/^Seed 1\.\nWarm-up: .*\nRound 1 of 1: .*\nNothing was broken\.\n$/),
  });
});

it.each([
  [
    'ends when something is not HTTP',
    'dies',
    [...MINUTES, ...PATIENT],
    /^BROKEN: The receiver ended \(1\).*Error: Parse Error/ms,
  ],
  [
    'keeps what was sent to it',
    'keeps',
    ['--minutes', '0.02', ...PATIENT],
    /^BROKEN: Its memory does not come back: \d+ MB, not \d+ MB/m,
  ],
  [
    'can be kept busy',
    'stalls',
    MINUTES,
    /^BROKEN: A genuine delivery to \S+: status (0|200) after [\d.]+ ms\./m,
  ],
])('finds out a receiver that %s, and shows what was sent last', async (_, flaw, args, text) => {
  const main = join(import.meta.dirname, `child-flawed-${flaw}.ts`);
  const { code, out } = await fuzz('--main', main, ...args);
  expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(text) });
  expect(out).toMatch(/^Seed 1\. The last attacks:\n {2}\d+\. .*; \d+ bytes: "/m);
});

it('makes the same attacks again from the same seed, and others from another', async () => {
  const endpoints = everyEndpoint('http://127.0.0.1:1', () => 'a secret of many characters');
  const attacks = (seed: number) =>
    Promise.all(Array.from({ length: 40 }, (_, number) => makeAttack(seed, number, endpoints)));
  const whats = async (seed: number) => (await attacks(seed)).map(({ what }) => what);
  expect(await whats(1)).toEqual(await whats(1));
  expect(await whats(1)).not.toEqual(await whats(2));
});

it('says what it did not understand', async () => {
  expect(await fuzz('--minutes', 'long')).toEqual({
    code: 2,
    out: '',
    err: '--minutes: expected a number above 0.\n',
  });
});
