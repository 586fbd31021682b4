import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createOutgoing, type Outgoing } from '../../../src/kit/outgoing/client.ts';
import { errorOf, outcomeOf, startOtherSide, type OtherSide } from './other-side.ts';

let listening: OtherSide;
let outgoing: Outgoing;
const lookedUp: string[] = [];

beforeAll(async () => {
  listening = await startOtherSide((_, response) => response.end('reached'));
  outgoing = createOutgoing({
    hosts: ['good.example', 'good.example:8443', 'bücher.example', '[2606:4700::1111]'],
    // Every name of the world leads to the server that counts.
    lookup: async (name) => {
      lookedUp.push(name);
      return [{ address: '127.0.0.1', family: 4 }];
    },
  });
});

afterAll(async () => {
  await outgoing.close();
  await listening.stop();
});

/** PORT in a URL is the port of the server that counts. */
function get(url: string): Promise<{ status: number }> {
  return outgoing.request({ method: 'GET', url: new URL(url.replace('PORT', String(listening.port))) });
}

it.each([
  ['plain http where https is listed', 'http://good.example/', 'scheme_refused'],
  ['file', 'file:///etc/passwd', 'scheme_refused'],
  ['file with a host', 'file://good.example/etc/passwd', 'scheme_refused'],
  ['data', 'data:text/plain,hello', 'scheme_refused'],
  ['gopher', 'gopher://good.example:443/_GET', 'scheme_refused'],
  ['ftp', 'ftp://good.example/', 'scheme_refused'],
  ['websocket', 'wss://good.example/', 'scheme_refused'],
  ['javascript', 'javascript:alert(1)', 'scheme_refused'],
  ['loopback', 'http://127.0.0.1:PORT/', 'address_private'],
  ['another loopback', 'https://127.8.8.8:PORT/', 'address_private'],
  ['decimal loopback', 'http://2130706433:PORT/', 'address_private'],
  ['octal loopback', 'http://0177.0.0.1:PORT/', 'address_private'],
  ['hexadecimal loopback', 'http://0x7f000001:PORT/', 'address_private'],
  ['mixed loopback', 'http://0x7f.1:PORT/', 'address_private'],
  ['short loopback', 'http://127.1:PORT/', 'address_private'],
  ['loopback with a dot behind', 'http://127.0.0.1.:PORT/', 'address_private'],
  ['loopback in full-width digits', 'http://１２７.０.０.１:PORT/', 'address_private'],
  ['percent-encoded loopback', 'http://%31%32%37.0.0.1:PORT/', 'address_private'],
  ['unspecified', 'http://0:PORT/', 'address_private'],
  ['IPv6 loopback', 'http://[::1]:PORT/', 'address_private'],
  ['IPv4-mapped loopback', 'http://[::ffff:127.0.0.1]:PORT/', 'address_private'],
  ['NAT64 loopback', 'http://[64:ff9b::7f00:1]:PORT/', 'address_private'],
  ['RFC 1918', 'https://10.0.0.1/', 'address_private'],
  ['cloud metadata', 'http://169.254.169.254/latest/meta-data/', 'address_private'],
  ['CGNAT', 'https://100.64.0.1/', 'address_private'],
  ['public literal', 'https://1.1.1.1/', 'host_not_listed'],
  ['unlisted host', 'https://evil.example/', 'host_not_listed'],
  ['localhost', 'http://localhost:PORT/', 'host_not_listed'],
  ['localhost with a dot behind', 'http://localhost.:PORT/', 'host_not_listed'],
  ['listed host with a dot behind', 'https://good.example./', 'host_not_listed'],
  ['sub-domain', 'https://x.good.example/', 'host_not_listed'],
  ['listed host as a sub-domain', 'https://good.example.evil.example/', 'host_not_listed'],
  ['listed host at the end', 'https://evilgood.example/', 'host_not_listed'],
  ['listed host after a backslash', 'https://evil.example\\@good.example/', 'host_not_listed'],
  ['listed host in the fragment', 'https://evil.example#@good.example/', 'host_not_listed'],
  ['look-alike', 'https://gооd.example/', 'host_not_listed'], // two Cyrillic letters
  ['name written without its umlaut', 'https://bucher.example/', 'host_not_listed'],
  ['user name that imitates a host', 'https://good.example@evil.example/', 'url_invalid'],
  ['user name and password', 'https://good.example:443@127.0.0.1:PORT/', 'url_invalid'],
  ['password at a listed host', 'https://:secret@good.example/', 'url_invalid'],
  ['SSH port', 'https://good.example:22/', 'port_refused'],
  ['SMTP port', 'https://good.example:25/', 'port_refused'],
  ['port 80 with https', 'https://good.example:80/', 'port_refused'],
  ['unlisted port', 'https://good.example:PORT/', 'port_refused'],
])('J1: calls no %s address', async (_, url, code) => {
  const before = lookedUp.length;
  expect(await outcomeOf(get(url))).toBe(`refused ${code}`);
  expect(lookedUp).toHaveLength(before);
  expect(listening.connections()).toBe(0);
});

it.each([
  'https://good.example/',
  'https://GOOD.example:443/',
  'https://good.example:8443/',
  'https://xn--bcher-kva.example/',
])('J1: takes %s for listed, and refuses it only because it leads to loopback', async (url) => {
  expect(await outcomeOf(get(url))).toBe('refused address_private');
  expect(listening.connections()).toBe(0);
});

it('says which host it refused and what is listed, but no path, query or password', async () => {
  const unlisted = await errorOf(get('https://evil.example/path?token=hush'));
  expect(unlisted.message).toBe(
    'evil.example is not among the hosts that may be called ' +
      '(good.example, good.example:8443, xn--bcher-kva.example, [2606:4700::1111]).',
  );
  const withPassword = await errorOf(get('https://user:hush@good.example/?token=hush'));
  expect(withPassword.message).not.toMatch(/user:|hush/);
});

it('J6: keeps a refusal on one short line, whatever the address says', async () => {
  const hostile = await errorOf(get(`https://${'a'.repeat(5000)}.example/%0d%0a\u001b[31m\u2028`));
  expect(hostile.message).toMatch(/^[\x20-\x7e]{1,500}…?[\x20-\x7e]{1,200}$/);
  const scheme = await errorOf(get(`x${'y'.repeat(5000)}:hello`));
  expect(scheme.message.length).toBeLessThan(300);
});

it.each([
  '',
  ' ',
  '*.good.example',
  'good.example/path',
  'good.example?x',
  'user@good.example',
  'good.example:99999',
  'ftp://good.example',
  'https:good.example',
  'two hosts.example',
])('does not start with %j in the list of hosts', (entry) =>
  expect(() => createOutgoing({ hosts: ['good.example', entry] })).toThrow(
    'is not a host that may be called',
  ),
);

it('calls nothing at all with an empty list', async () => {
  const none = createOutgoing({ hosts: [] });
  const call = none.request({ method: 'GET', url: new URL(listening.origin) });
  expect(await outcomeOf(call)).toBe('refused address_private');
  await none.close();
});
