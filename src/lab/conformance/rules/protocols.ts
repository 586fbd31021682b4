import type { Finding, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';
import { bytesOf, type WireRequest } from '../wire.ts';
import { withHeaders } from '../making/edit.ts';
import { oneOf, type Answers } from '../making/answers.ts';
import { piecesOf, raw } from '../making/raw.ts';

/** Group G, third part: other protocols, requests in a row, senders that go away. */
export const protocolRules: readonly Rule[] = [
  {
    id: 'G7-protocols',
    group: 'G',
    title: 'survives other protocols and older versions of HTTP',
    severity: 'high',
    grade: 'hardened',
    level: 1,
    oncePerSource: true,
    why: 'Scanners speak everything to everyone. A receiver that ends at a byte it does not know is down within a day.',
    fix: 'Handle the errors of connections and of the HTTP parser: answer 400, close, go on.',
    trials: () => [...otherProtocols, ...olderVersions, pipelined],
  },
  {
    id: 'G7-upgrade',
    group: 'G',
    title: 'does not change to another protocol on demand',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    oncePerSource: true,
    why: 'An upgraded connection is a tunnel past whatever inspects HTTP, and is held open for whoever asked.',
    fix: 'Ignore Upgrade, and answer the request as it is.',
    source: 'https://www.rfc-editor.org/rfc/rfc9110#section-7.8',
    trials: () => upgrades,
  },
  {
    id: 'G8-goes-away',
    group: 'G',
    title: 'survives senders that go away in the middle',
    severity: 'high',
    grade: 'correct',
    level: 1,
    oncePerSource: true,
    why: 'Connections break every day. An error of a half-read request that nobody catches ends the process, and with it everybody else.',
    fix: 'Handle errors and early ends of every request, and act on whole bodies only.',
    trials: () => [
      goesAway('in the head', [0.05, 0.15]),
      goesAway('in the middle', [0.4, 0.6, 0.8]),
      goesAway('before the last byte', [1]),
    ],
  },
];

const NO_HTTP: Answers = { passes: [400, 404, 405, 408, 426, 501, 505, 0], alone: true };

function spoken(name: string, bytes: string | Buffer): Trial {
  return oneOf(
    name,
    async (stage) => {
      const { hidden } = await piecesOf(stage);
      return Buffer.concat([Buffer.from(bytes), hidden]);
    },
    NO_HTTP,
    { allows: [501, 505], manner: { lingerMs: 60 }, timeoutMs: 5_000 },
  );
}

const otherProtocols: readonly Trial[] = [
  spoken('HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  spoken('TLS', Buffer.from('16030100a5010000a10303', 'hex')),
  spoken('SSH', 'SSH-2.0-OpenSSH_9.9\r\n'),
  spoken('SMTP', 'EHLO localhost\r\n'),
  spoken('SIP', 'OPTIONS sip:nm SIP/2.0\r\n\r\n'),
  spoken('the PROXY protocol', 'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n'),
  spoken('noise', Buffer.from([0xff, 0x00, 0xfe, 0x01, 0x0d, 0x0a])),
];

const olderVersions: readonly Trial[] = [
  oneOf(
    'HTTP/1.0',
    async (stage) => {
      const { head, body } = await piecesOf(stage);
      const [line = '', ...others] = head;
      return raw([line.replace('HTTP/1.1', 'HTTP/1.0'), ...others, `Content-Length: ${body.length}`], body);
    },
    { passes: ['2xx', 400, 426, 505] },
    { allows: [505] },
  ),
  oneOf(
    'HTTP/0.9',
    ({ endpoint }) => Buffer.from(`GET ${endpoint.url.pathname}\r\n\r\n`),
    { passes: [400, 401, 429, 404, 405, 426, 505, 0] },
    { allows: [505] },
  ),
];

/** What comes behind a refused request on its connection is answered for itself, or not at all. */
const pipelined = tried('a genuine request behind one that proves nothing', async (stage) => {
  const expected = 'a refusal, then 2xx or nothing';
  const { pathname, host } = stage.endpoint.url;
  const bare = raw([`POST ${pathname} HTTP/1.1`, `Host: ${host}`, 'Content-Length: 2'], '{}');
  const genuine = bytesOf(await stage.genuine(), stage.endpoint.url);
  const manner = { lingerMs: 200 };
  const observation = await stage.send(Buffer.concat([bare, genuine]), 'two in a row', { manner });
  const observed = describe(observation);
  if (observation.status === 0 || isAccepted(observation)) return failed(expected, `first ${observed}`);
  return passed(expected, observed);
});

const STAYS: Answers = { passes: ['2xx', 400, 403, 404, 405, 417, 426, 501] };

function upgrade(name: string, make: (stage: Stage) => Promise<WireRequest>): Trial {
  return oneOf(name, make, STAYS, { allows: [501], timeoutMs: 5_000 });
}

const WEBSOCKET = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
] as const;

const upgrades: readonly Trial[] = [
  upgrade('a delivery that wants HTTP/2', async (stage) =>
    withHeaders(
      await stage.genuine(),
      ['Connection', 'close, Upgrade, HTTP2-Settings'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
    ),
  ),
  upgrade('a delivery that wants a WebSocket', async (stage) =>
    withHeaders(await stage.genuine(), ...WEBSOCKET),
  ),
];

/** Breaks the connection off at these parts of a request, several at once. */
function goesAway(name: string, parts: readonly number[]): Trial {
  return tried(name, async (stage): Promise<Finding> => {
    const requests = await Promise.all(parts.map(() => stage.genuine()));
    await Promise.all(
      requests.map((request, index) => {
        const bytes = bytesOf(request, stage.endpoint.url);
        const stopAfterBytes = Math.min(Math.floor(bytes.length * (parts[index] ?? 1)), bytes.length - 1);
        return stage.send(bytes, 'broken off', { manner: { stopAfterBytes, then: 'reset' } });
      }),
    );
    const expected = 'the next delivery is accepted';
    const observation = await stage.send(await stage.genuine(), 'next');
    return isAccepted(observation)
      ? passed(expected, describe(observation))
      : failed(expected, describe(observation));
  });
}
