import { expect, it } from '@jest/globals';
import { maskedRequest } from '../../../src/kit/tape/masked.ts';
import type { Kept } from '../../../src/kit/tape/tape.ts';

function shown(body: string): string | undefined {
  const kept: Kept = {
    ...{ number: 1, at: 0, from: undefined, method: 'POST', target: '/', httpVersion: '1.1', headers: [] },
    ...{
      body: Buffer.from(body),
      whole: true,
      endpoint: undefined,
      outcome: 'path_unknown',
      seq: undefined,
      why: undefined,
    },
  };
  return maskedRequest(kept, { content: true }).body;
}

it.each([
  ['a member', '{"token": "abc", "name": "Ada"}', '{"token": "<3 characters>", "name": "Ada"}'],
  [
    'one with quotation marks in it',
    String.raw`{"token":"a\"b\\","x":"\"token\":\"y\""}`,
    String.raw`{"token":"<6 characters>","x":"\"token\":\"y\""}`,
  ],
  ['one that is not closed', '{"secret":"abc', '{"secret":"<2 characters>"'],
  ['one in a list', '[{"a":["b"],"password":"c"}]', '[{"a":["b"],"password":"<1 characters>"}]'],
  ['a field', 'token=abc&x=1', 'token=<3 characters>&x=1'],
  [
    'a part of a form',
    '--b\r\nContent-Disposition: form-data; name="token"\r\n\r\nabc\r\n--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--b--\r\n',
    '--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n<3 characters>\r\n--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--b--\r\n',
  ],
])('leaves the length of %s', (_what, body, masked) => {
  expect(shown(body)).toBe(masked);
});

it.each([
  ['escaped quotation marks that nothing closes', `x"${String.raw`\"`.repeat(500_000)}`],
  ['backslashes', `"${'\\'.repeat(1_000_001)}`],
  ['names of parts', ` ${'name="" '.repeat(125_000)}`],
  ['colons', '"a" : '.repeat(160_000)],
  ['blanks behind a text', `"a"${' '.repeat(1_000_000)}`],
  ['the beginnings of tokens', 'eyJ'.repeat(333_333)],
])('takes no longer than it must for a megabyte of %s', (_what, body) => {
  const began = process.cpuUsage();
  shown(body);
  const { user } = process.cpuUsage(began);
  expect(user / 1e6).toBeLessThan(2); // by the square, it would be minutes
});
