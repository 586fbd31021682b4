import type { RequestListener } from 'node:http';
import { expect, it } from '@jest/globals';
import { createOutgoing, type OutgoingOptions } from '../../../src/kit/outgoing/client.ts';
import { errorOf, outcomeOf, startOtherSide, type OtherSide } from './other-side.ts';
import { makeCertificates, requireOpenssl } from '../../support/certificates.ts';
import { later, newFolder } from '../../support/fixtures.ts';

async function otherSide(answer: RequestListener): Promise<OtherSide> {
  const side = await startOtherSide(answer);
  later(side.stop);
  return side;
}

function redirectingTo(location: () => string, status = 302): RequestListener {
  return (_, response) => response.writeHead(status, { Location: location() }).end();
}

/** One that shows what credentials it was sent. */
const telling: RequestListener = ({ headers }, response) => {
  const { authorization = '-', cookie = '-', 'x-api-key': key = '-' } = headers;
  response.setHeader('X-Seen', [authorization, cookie, key].join(' ')).end(Buffer.from('\0 document'));
};

/** Downloads from the first of these, with credentials, where all of them are listed. */
function download(sides: readonly [OtherSide, ...OtherSide[]], options: Partial<OutgoingOptions> = {}) {
  const hosts = sides.map(({ origin }) => origin);
  const outgoing = createOutgoing({ hosts, furtherHosts: 'ACME_DOCUMENT_HOSTS', ...options });
  later(() => outgoing.close());
  const headers = { Authorization: 'Bearer hush', Cookie: 'hush', 'X-Api-Key': 'hush' };
  return (trusted: readonly string[] = []) =>
    outgoing.download({ method: 'GET', url: new URL(sides[0].origin), headers, trusted }, newFolder());
}

it.each([301, 302, 303, 307, 308])(
  'follows a %d of a document to a listed host, without credentials',
  async (status) => {
    const store = await otherSide(telling);
    const side = await otherSide(redirectingTo(() => `${store.origin}/blob?sig=1`, status));
    const { headers, bytes } = await download([side, store])();
    expect([headers['x-seen'], bytes, store.requests]).toEqual(['- - -', 10, ['GET /blob?sig=1']]);
  },
);

it('keeps credentials between origins that may all see them, and never gives them back', async () => {
  const last = await otherSide(telling);
  const between = await otherSide(redirectingTo(() => last.origin));
  const side = await otherSide(redirectingTo(() => between.origin));
  const go = download([side, between, last]);
  const seen = async (...trusted: readonly OtherSide[]) =>
    (await go(trusted.map(({ origin }) => origin))).headers['x-seen'];
  expect(await seen(side, between, last)).toBe('Bearer hush hush hush');
  expect(await seen(side, last)).toBe('- - -');
});

it('follows no more than three redirects, whichever hosts they lead to', async () => {
  const sides: OtherSide[] = [];
  const hop = async (index: number) => otherSide(redirectingTo(() => sides[(index + 1) % 2]?.origin ?? ''));
  const [first, second] = [await hop(0), await hop(1)];
  sides.push(first, second);
  expect(await outcomeOf(download([first, second])())).toBe('refused redirect_refused');
  expect([first.requests.length, second.requests.length]).toEqual([2, 2]);
});

it('says in which setting a host could be listed, and sends it nothing', async () => {
  const elsewhere = await otherSide(telling);
  const side = await otherSide(redirectingTo(() => `http://localhost:${elsewhere.port}/blob?sig=hush`));
  const error = await errorOf(download([side])());
  expect(error).toMatchObject({ name: 'CallRefused', code: 'redirect_refused' });
  expect(error.message).toContain(
    'localhost is not among the hosts that may be called (127.0.0.1:' +
      `${side.port}). If documents may come from there, list it in ACME_DOCUMENT_HOSTS.`,
  );
  expect(error.message).not.toMatch(/hush|blob/);
  expect(elsewhere.connections()).toBe(0);
});

it('says so of another scheme and port of a listed host, too', async () => {
  const elsewhere = await otherSide(telling);
  const side = await otherSide(redirectingTo(() => elsewhere.origin.replace('http:', 'https:')));
  const { message } = await errorOf(download([side])());
  expect(message).toMatch(/redirected to https:\/\/.* not for https:.* list it in ACME_DOCUMENT_HOSTS\.$/);
});

it('checks the address that the name of a listed host leads to', async () => {
  const inside = await otherSide(telling);
  const side = await otherSide(redirectingTo(() => `http://store.example:${inside.port}/`));
  const go = download([side], {
    hosts: [side.origin, `http://store.example:${inside.port}`],
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
  });
  expect(await outcomeOf(go())).toBe('refused address_private');
  expect(inside.connections()).toBe(0);
});

it.each(['http://169.254.169.254/', 'file:///etc/passwd', 'javascript:alert(1)', 'http://user@127.0.0.1:1/'])(
  'follows no document to %s',
  async (location) => {
    const side = await otherSide(redirectingTo(() => location));
    expect(await outcomeOf(download([side])())).toBe('refused redirect_refused');
  },
);

const itWithOpenssl = requireOpenssl('redirects from https to http') ? it : it.skip;

itWithOpenssl('does not leave https for http, whatever is listed', async () => {
  const certificates = await makeCertificates();
  later(() => certificates.remove());
  const plain = await otherSide(telling);
  const side = await startOtherSide(
    redirectingTo(() => plain.origin),
    certificates.server,
  );
  later(side.stop);
  const error = await errorOf(download([side, plain], { tls: { ca: certificates.authority.cert } })());
  expect(error).toMatchObject({ code: 'redirect_refused' });
  expect(error.message).toContain('from https: to something less');
  expect(plain.connections()).toBe(0);
});
