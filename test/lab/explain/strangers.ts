import { prepare } from '../../../src/lab/mock/request.ts';
import { createRandom, randomBelow, randomText, type Random } from '../../../src/lab/mock/random.ts';
import type { OutgoingRequest } from '../../../src/kit/source.ts';
import { AT, build, lanes, type Broken, type Lane } from './broken/plan.ts';

// What nobody here has sent: forgeries, and bodies of any bytes. Nothing may be said to make one of them verify.

const all = Object.keys(lanes) as Lane[];

/** What somebody sends who does not know the secret. */
export async function forgery(seed: number): Promise<Broken> {
  const random = createRandom(seed);
  const lane = oneOf(all, random);
  switch (seed % 4) {
    case 0:
      return { ...build(lane, [], seed), request: rawOf(await orderOf(lane, random).sign()) };
    case 1:
      return forgedByMock(lane, random, seed);
    case 2:
      return tampered(build(lane, [], seed), lane, random);
    default:
      return toAnother(build(lane, [], seed), lane, random);
  }
}

/** Any bytes, text, JSON or what looks like a token, in the place of a body. */
export function randomBody(seed: number): Broken {
  const random = createRandom(seed);
  const good = build(oneOf(all, random), [], seed);
  const bytes = Buffer.from(
    Array.from({ length: 1 + randomBelow(400, random) }, () => randomBelow(256, random)),
  );
  const shapes: (() => Buffer | string)[] = [
    () => bytes,
    () => randomText(1 + randomBelow(400, random), random),
    () => JSON.stringify({ [randomText(5, random)]: randomText(50, random), n: randomBelow(1_000, random) }),
    () => tokenLike(random),
    () => `token=${tokenLike(random)}`,
    () => bytes.toString('base64'),
  ];
  const headers = good.request.headers.map((text, at) =>
    /^(?:x-signature|authorization)$/i.test(good.request.headers[at - 1] ?? '')
      ? randomText(64, random)
      : text,
  );
  return { ...good, request: { ...good.request, headers, body: Buffer.from(oneOf(shapes, random)()) } };
}

function tokenLike(random: Random): string {
  const part = (value: string) => Buffer.from(value).toString('base64url');
  return `${part('{"alg":"HS256","typ":"JWT"}')}.${part(JSON.stringify({ sub: randomText(20, random) }))}.${randomText(43, random)}`;
}

async function forgedByMock(lane: Lane, random: Random, seed: number): Promise<Broken> {
  const { forge, forgeries } = orderOf(lane, random);
  return { ...build(lane, [], seed), request: rawOf(await forge(oneOf(forgeries, random))) };
}

/** The mock's request for the event of a lane, with a secret that nobody has. */
function orderOf(lane: Lane, random: Random) {
  const { source, kind, type, path } = lanes[lane];
  const credential = { kind, text: randomText(40, random) };
  const { content, to, switches } = prepare(source, { type, path, credential, at: new Date(AT) }, random);
  return {
    sign: () => source.proof.sign(content, to, switches),
    forgeries: source.proof.forgeries,
    forge: (name: string) => source.proof.forge(name, content, to, switches),
  };
}

function rawOf({ method, target, headers, body }: OutgoingRequest): Broken['request'] {
  const pairs = [['Host', 'receiver.example'], ...Object.entries(headers)];
  return { method, target, httpVersion: '1.1', headers: pairs.flat(), body };
}

/** Some letters exchanged in what the proof covers; of an access token, in itself. */
function tampered(good: Broken, lane: Lane, random: Random): Broken {
  const { request } = good;
  if (lane === 'T') {
    const headers = request.headers.map((text, at) =>
      request.headers[at - 1] === 'Authorization' ? spoilt(text, random) : text,
    );
    return { ...good, request: { ...request, headers } };
  }
  const body = Buffer.from(spoilt(request.body.toString('latin1'), random), 'latin1');
  return { ...good, request: { ...request, body } };
}

function spoilt(text: string, random: Random): string {
  const from = Math.floor(text.length / 3);
  let changed = text;
  for (let count = 0; count < 3; count += 1) {
    const at = from + randomBelow(text.length - from - 1, random);
    const letter = /[a-p]/i.test(changed.charAt(at)) ? 'z' : 'k';
    changed = changed.slice(0, at) + letter + changed.slice(at + 1);
  }
  return changed;
}

/** A good one of an endpoint whose secret is not known here, sent to one that is. */
function toAnother(good: Broken, lane: Lane, random: Random): Broken {
  const other = oneOf(
    all.filter((each) => each !== lane),
    random,
  );
  const { environment } = build(other, [], 1_000_000 + randomBelow(1_000_000, random));
  return { ...good, environment, request: { ...good.request, target: lanes[other].path } };
}

function oneOf<Item>(items: readonly Item[], random: Random): Item {
  const item = items[randomBelow(items.length, random)];
  if (item === undefined) throw new Error('There is nothing to choose from.');
  return item;
}
