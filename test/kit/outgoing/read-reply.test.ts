import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { successful } from '../../../src/kit/outgoing/caller.ts';
import { createOutgoing } from '../../../src/kit/outgoing/client.ts';
import { readReply, readWord } from '../../../src/kit/outgoing/read-reply.ts';
import { errorOf, startOtherSide } from './other-side.ts';
import { later } from '../../support/fixtures.ts';

const text = '{"name":"Åsa"}';
const utf16be = Buffer.from(`\ufeff${text}`, 'utf16le').swap16();

async function reply(body: Buffer, headers: Readonly<Record<string, string>> = {}, status = 200) {
  const side = await startOtherSide((_, response) => response.writeHead(status, headers).end(body));
  const outgoing = createOutgoing({ hosts: [side.origin] });
  later(side.stop, () => outgoing.close());
  return successful(outgoing, { method: 'GET', url: new URL(side.origin) });
}

it.each([
  ['UTF-8', Buffer.from(text), 'application/json'],
  ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`), 'application/json'],
  ['UTF-8, whatever the type says', Buffer.from(text), 'application/json; charset=utf-16'],
  ['UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le'), 'application/json'],
  ['UTF-16 without a mark', Buffer.from(text, 'utf16le'), 'application/json'],
  ['UTF-16, the high byte first', utf16be, 'application/json'],
  ['UTF-16, the high byte first, without a mark', utf16be.subarray(2), 'application/json'],
  ['Latin-1 that the type says', Buffer.from(text, 'latin1'), 'text/plain; x="a;b" ; CharSet = "ISO-8859-1"'],
])('reads JSON in %s', async (_what, body, type) => {
  expect(
    readReply('It', z.object({ name: z.string() }), await reply(body, { 'Content-Type': type })),
  ).toEqual({
    name: 'Åsa',
  });
});

it('reads a word in any encoding', async () =>
  expect(readWord(await reply(Buffer.from('\ufeffACCEPTED', 'utf16le')), [])).toBe('ACCEPTED'));

it.each(['Identity', 'IDENTITY', ' identity', '', 'identity, Identity', 'none', 'Binary', 'UTF-8', '8bit'])(
  'takes Content-Encoding: %j for none',
  async (encoding) =>
    expect((await reply(Buffer.from(text), { 'Content-Encoding': encoding })).body.toString()).toBe(text),
);

it.each(['x-gzip', 'identity, gzip'])('undoes no %s, and says what to do about it', async (encoding) => {
  const error = await errorOf(reply(Buffer.from(text), { 'Content-Encoding': encoding }));
  expect(error).toMatchObject({ code: 'encoded' });
  expect(error.message).toContain(`Content-Encoding: ${encoding}, though none was asked for`);
  expect(error.message).toContain('If a proxy on the way packs replies, have it leave those of this API');
});

it.each([202, 204, 206])('does not take %d for what was to be read', async (status) =>
  expect(await errorOf(reply(Buffer.from(status === 204 ? '' : text), {}, status))).toMatchObject({
    code: 'status',
    status,
  }),
);
