import { createRandom, randomBelow, type Random } from '../../../src/lab/mock/random.ts';
import { genuineRequest } from '../../../src/lab/conformance/genuine.ts';
import type { EndpointUnderTest } from '../../../src/lab/conformance/rule.ts';
import { bytesOf, type Manner } from '../../../src/lab/conformance/wire.ts';

/** Bytes for one connection, and how they are sent. */
export interface Attack {
  /** From 1. With a seed the same number is the same attack, but for the times in a genuine request. */
  readonly number: number;
  readonly what: string;
  readonly bytes: Buffer;
  readonly manner: Manner;
}

export async function makeAttack(
  seed: number,
  number: number,
  endpoints: readonly EndpointUnderTest[],
): Promise<Attack> {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) + number);
  // Each source as often as the others, however many endpoints it has.
  const bySource = Object.values(Object.groupBy(endpoints, ({ source }) => source.name));
  const endpoint = oneOf(oneOf(bySource, random) ?? [], random);
  const genuine = bytesOf(await genuineRequest({ of: endpoint }, random), endpoint.url);
  const [what, make] = oneOf(Object.entries(makers), random);
  const bytes = make({ genuine, path: endpoint.url.pathname, random });
  const [how, manner] = oneOf(Object.entries(mannersFor(bytes.length, random)), random);
  return { number, what: `${what}, ${how}`, bytes, manner };
}

interface Material {
  readonly genuine: Buffer;
  readonly path: string;
  readonly random: Random;
}

const makers: Readonly<Record<string, (material: Material) => Buffer>> = {
  'random bytes': ({ random }) => noise(randomBelow(5_000, random), random),
  'words of HTTP in any order': ({ random }) => latin(words(60, random)),
  'odd framing': oddFraming,
  // Receivers of these senders read heads of some 32 kB.
  'a large head': ({ path, random }) => {
    const value = run(200_000, random).slice(0, oneOf([1_000, 31_000, 200_000], random));
    return post(path, `${oneOf(HEADERS, random)}: a${value}b\r\nContent-Length: 2`, '{}');
  },
  'a large body': ({ path, random }) => {
    const body = `${oneOf(CONTENTS, random)}${run(1_100_000, random)}b`;
    const length = body.length + oneOf([0, 0, 0, 1, 1_000_000, -1], random);
    return post(path, `Content-Type: ${oneOf(TYPES, random)}\r\nContent-Length: ${length}`, body);
  },
  'small chunks': ({ path, random }) => {
    const chunk = oneOf(['1\r\nx\r\n', '1;a\r\nx\r\n', '1\nx\n', '0001\r\nx\r\n'], random);
    const end = oneOf(['0\r\n\r\n', '', 'zz\r\n'], random);
    return post(path, 'Transfer-Encoding: chunked', chunk.repeat(randomBelow(50_000, random)) + end);
  },
  'a pipeline': ({ genuine, path, random }) => {
    const small = post(path, 'Content-Length: 2', '{}');
    const one = oneOf([small, small, keptAlive(genuine)], random);
    return Buffer.alloc(randomBelow(oneOf([1_000, 100_000, 8_000_000], random), random), one);
  },
  'a mutated delivery': ({ genuine, random }) => mutated(genuine, 1 + randomBelow(4, random), random),
  'a delivery and noise behind it': ({ genuine, random }) =>
    Buffer.concat([keptAlive(genuine), noise(300, random)]),
};

function mannersFor(length: number, random: Random): Readonly<Record<string, Manner>> {
  const stopAfterBytes = randomBelow(length + 1, random);
  const pieceBytes = Math.ceil(length / (1 + randomBelow(30, random))) || 1;
  const pauseMs = randomBelow(20, random);
  return {
    whole: {},
    'whole, and listening on': { lingerMs: 50 },
    'whole, half closed': { then: 'end' },
    [`half closed after ${stopAfterBytes} bytes`]: { stopAfterBytes, then: 'end' },
    [`broken off after ${stopAfterBytes} bytes`]: { stopAfterBytes, then: 'reset' },
    [`left alone after ${stopAfterBytes} bytes`]: { stopAfterBytes },
    [`${pieceBytes} bytes every ${pauseMs} ms`]: { pieceBytes, pauseMs },
    'without reading a reply, broken off': { deaf: true, then: 'reset' },
  };
}

export function oneOf<Item>(items: readonly Item[], random: Random): Item {
  const [item] = items.slice(randomBelow(items.length, random));
  if (item === undefined) throw new Error('Nothing to choose from.');
  return item;
}

const latin = (text: string) => Buffer.from(text, 'latin1');
const noise = (length: number, random: Random) =>
  Buffer.from(Array.from({ length }, () => randomBelow(256, random)));
const words = (most: number, random: Random) =>
  Array.from({ length: randomBelow(most, random) }, () => oneOf(WORDS, random)).join('');
const split = (list: string) => list.split(/[|\n]/);

const FRAMINGS =
  split(`Content-Length: 10|Content-Length: 0|Content-Length: -1|Content-Length: 99999999999999999999
Content-Length: 5, 6|content-length : 4|Transfer-Encoding: chunked|Transfer-Encoding: gzip, chunked|Host: a|Upgrade: h2c
Transfer-Encoding: \vchunked|Expect: 100-continue|Expect: x|Connection: close|Connection: keep-alive, upgrade
Content-Encoding: gzip|X-Forwarded-For: 192.0.2.1:80, x|Content-Type: multipart/form-data; boundary=`);
const LINES =
  split(`POST /phenixid HTTP/1.1|GET /hotdocs/InterviewLoadEvent?token=a.b.c HTTP/1.0|CONNECT a:1 HTTP/1.1
PRI * HTTP/2.0|OPTIONS * HTTP/1.1|POST http://? HTTP/1.1|ffffffff|5;a=b|0|`);
const CONTENTS = split('token=|eyJhbGciOiJub25lIn0.e30.|{"eventType":|--b|\0|\xff\xfe');
const LINE_ENDS = ['\r\n', '\r\n', '\r\n', '\n', '\r', '\r\n ', '\0\r\n', '\r\n\r\n'];
const WORDS = [...FRAMINGS, ...LINE_ENDS, ...LINES.map((line) => `${line}\r\n`), ...CONTENTS];
const FILLINGS = split(' |\t|=|a|,|"\\|+|%41|a&|[|{"b":1},|X: y\r|.|\0');
const HEADERS = split('X-Signature|Authorization|Content-Type|X-Forwarded-For|Cookie|Host|X');
const TYPES = split('application/json|application/x-www-form-urlencoded|multipart/form-data; boundary=b');
const VERSIONS = split('HTTP/1.1|HTTP/1.1|HTTP/1.0|HTTP/0.9|HTTP/2.0|ICY');

function post(path: string, headers: string, body: string): Buffer {
  return latin(`POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`);
}

/** Some of what frames a body, and a body that may fit or not. */
function oddFraming({ genuine, path, random }: Material): Buffer {
  const lines = Array.from({ length: 1 + randomBelow(4, random) }, () => oneOf(FRAMINGS, random));
  const end = oneOf(LINE_ENDS, random);
  const head = [`POST ${path} ${oneOf(VERSIONS, random)}`, 'Host: localhost', ...lines].join(end) + end + end;
  const body = genuine.subarray(genuine.indexOf('\r\n\r\n') + 4);
  return Buffer.concat([latin(head), body, latin(words(3, random))]);
}

function run(most: number, random: Random): string {
  const filling = oneOf(FILLINGS, random);
  return filling.repeat(randomBelow(most, random) / filling.length);
}

function mutated(bytes: Buffer, times: number, random: Random): Buffer {
  if (times === 0 || bytes.length === 0) return bytes;
  const at = randomBelow(bytes.length, random);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  const changes: readonly (readonly Buffer[])[] = [
    [before, noise(1, random), after.subarray(1)],
    [before, after.subarray(1 + randomBelow(20, random))],
    [before, latin(oneOf(WORDS, random)), after],
    [bytes, after],
    [before],
  ];
  return mutated(Buffer.concat(oneOf(changes, random)), times - 1, random);
}

/** Without its wish to end the connection. */
function keptAlive(request: Buffer): Buffer {
  return latin(request.toString('latin1').replace('\r\nConnection: close', ''));
}
