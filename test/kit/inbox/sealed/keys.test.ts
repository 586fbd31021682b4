import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { readInboxKeys } from '../../../../src/kit/inbox/sealed/keys.ts';

const first = Buffer.alloc(32, 1).toString('base64');
const second = Buffer.alloc(32, 2).toString('base64');

describe('a key file', () => {
  it('gives its keys in their order, comments and empty lines passed over', () => {
    const keys = readInboxKeys(`# since March\r\n${first} # newest\r\n\r\n  ${second}\n#${first}`);
    expect(keys.map(({ secret }) => secret.export().toString('base64'))).toEqual([first, second]);
  });

  it('names a key by the beginning of its SHA-256, so that its owner can tell which one it is', () => {
    const [key] = readInboxKeys(first);
    expect(key?.id.toString('hex')).toBe(
      createHash('sha256').update(Buffer.alloc(32, 1)).digest('hex').slice(0, 16),
    );
  });

  it('shows no key to whoever prints what was read', () => {
    const shown = inspect(readInboxKeys(first), { depth: 5, showHidden: true });
    expect(shown).not.toContain(first);
    expect(shown).not.toMatch(/01 01 01/);
  });

  it.each([
    ['', /has no key.*openssl rand -base64 32/],
    ['# only words', /has no key/],
    [`${first}\nc2VjcmV0LXNlY3JldA==`, /^Line 2: expected 32 bytes as base64, found 13/],
    [`${first}${second}`, /^Line 1 .*not base64/],
    [`\n\n${first.slice(0, -1)}`, /^Line 3 .*not base64, or was cut short/],
    ['hunter2, hunter2, hunter2, hunter2, hunter2', /^Line 1 .*not base64/],
    [`${first}\n${second}\n${first}`, /same key twice/],
  ])('is refused as %j, with words and without what is in it', (text, words) => {
    const reading = () => readInboxKeys(text);
    expect(reading).toThrow(words);
    expect(reading).not.toThrow(/hunter2|c2VjcmV0|AQEBAQ/);
  });
});
