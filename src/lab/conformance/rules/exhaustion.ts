import { setTimeout as pause } from 'node:timers/promises';
import { randomText } from '../../mock/random.ts';
import type { Finding, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { failed, passed, tried, worse } from '../trials.ts';
import type { WireRequest } from '../wire.ts';
import { delivered } from '../making/burden.ts';
import { hasBody, unproven, withHeader } from '../making/edit.ts';
import { where } from '../making/answers.ts';
import { raw } from '../making/raw.ts';

/** Group G, sixth part: what connections may take of a receiver before anything is known of their sender. */
export const exhaustionRules: readonly Rule[] = [
  {
    id: 'G9-forwarded-for',
    group: 'G',
    title: 'counts failed proofs by an address, not by a text that the sender is free to choose',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    exhausting: true,
    oncePerSource: true,
    why: 'A receiver behind a proxy counts by X-Forwarded-For. Where any text there is an address, another port or a random word makes a new sender of each request, and the limit never applies.',
    fix: 'Believe the entry that your own proxy has appended, without its port, and only if it is an address; else count by the connection.',
    trials: () => [otherNames()],
  },
  {
    id: 'G13-pipeline',
    group: 'G',
    title: 'serves others while and after requests without end come on one connection, their replies unread',
    severity: 'critical',
    grade: 'hardened',
    level: 1,
    exhausting: true,
    oncePerSource: true,
    why: 'Requests that wait for their turn are kept in memory, and when the connection is dropped each is cleared away in turn: one connection can stop a receiver for minutes, or end it.',
    fix: 'Let a handful of requests wait on a connection and end it beyond that: no sender sends a second one before the first is answered.',
    trials: () => [pipeline()],
  },
  {
    id: 'G14-tiny-chunks',
    group: 'G',
    title: 'serves others while bodies come in chunks of one byte',
    severity: 'high',
    grade: 'hardened',
    level: 1,
    exhausting: true,
    oncePerSource: true,
    why: 'Each piece costs time and memory however small it is, and who joins what has come with each new piece copies the whole body a million times.',
    fix: 'Collect into one buffer that doubles, or join the pieces once at the end, and limit how many there may be.',
    trials: where(hasBody, () => [tinyChunks()]),
  },
  {
    id: 'G15-unfinished-bodies',
    group: 'G',
    title: 'serves others while two hundred large bodies do not end',
    severity: 'high',
    grade: 'hardened',
    level: 1,
    exhausting: true,
    oncePerSource: true,
    why: 'What has come of a body is held in memory until its end. Without a limit for all of them memory runs out; with one that is the same for all, who fills it keeps everybody else out.',
    fix: 'Limit the memory of bodies in flight, leave each address a share of it, and let small bodies always pass.',
    trials: where(hasBody, () => [unfinishedBodies()]),
  },
];

const MOST_FORGED = 400;
const FEWEST_NAMED = 150;

/** The limit is found first, then it is tried again with a header that changes each time. */
function otherNames(): Trial {
  const expected =
    'once 429 was answered, it is answered whatever X-Forwarded-For says that is no other address';
  return tried('ports and words', async (stage) => {
    const forged = unproven(await stage.genuine(), '{}');
    const limit = await untilLimited(stage, MOST_FORGED, () => forged);
    if (limit === undefined) return passed(expected, `no limit within ${MOST_FORGED} failed proofs`);
    const names: readonly (readonly [what: string, name: (turn: number) => string])[] = [
      ['a word', () => randomText(12, stage.random)],
      ['a port', (turn) => `192.0.2.7:${1024 + turn}`],
    ];
    for (const [what, name] of names) {
      const most = Math.max(limit, FEWEST_NAMED) + 10;
      const found = await untilLimited(stage, most, (turn) =>
        withHeader(forged, 'X-Forwarded-For', name(turn)),
      );
      if (found === undefined) return failed(expected, `${most} failed proofs with ${what} there: never 429`);
    }
    return passed(expected, `429 after ${limit} failed proofs, and with other names`);
  });
}

/** How many of these it took until one was answered 429. */
async function untilLimited(
  stage: Stage,
  most: number,
  make: (turn: number) => WireRequest,
): Promise<number | undefined> {
  for (let turn = 1; turn <= most; turn += 1) {
    if ((await stage.send(make(turn), 'forged')).status === 429) return turn;
  }
  return undefined;
}

const PIPELINED_BYTES = 12_000_000;
const PIECE_BYTES = 65_536;
/** However slowly it is taken. */
const POURED_MS = 600_000;

function pipeline(): Trial {
  return tried('12 MB of requests on a connection that is then dropped', async (stage) => {
    const { host, pathname } = stage.endpoint.url;
    const one = raw([`POST ${pathname} HTTP/1.1`, `Host: ${host}`, 'Content-Length: 2'], '{}');
    const all = Buffer.alloc(Math.floor(PIPELINED_BYTES / one.length) * one.length, one);
    const manner = { deaf: true, pieceBytes: PIECE_BYTES, then: 'reset' } as const;
    const poured = stage.send(all, 'pipelined', { manner, timeoutMs: POURED_MS });
    const meanwhile = await delivered(stage, stage.endpoint.deadlineMs);
    await poured;
    return worse(meanwhile, await delivered(stage, stage.endpoint.deadlineMs));
  });
}

const CHUNKED_BYTES = 1_000_000;

function tinyChunks(): Trial {
  return tried('on four connections', async (stage) => {
    const body = Buffer.alloc(CHUNKED_BYTES * 6, '1\r\nx\r\n');
    const bytes = headed(
      stage,
      'Transfer-Encoding: chunked',
      Buffer.concat([body, Buffer.from('0\r\n\r\n')]),
    );
    return deliveredMeanwhile(stage, bytes, 4);
  });
}

const UNFINISHED = 200;
const MOST_HELD_BYTES = 1_000_000;

function unfinishedBodies(): Trial {
  return tried('on as many connections', async (stage) => {
    const size = Math.min(stage.endpoint.maxBodyBytes, MOST_HELD_BYTES);
    const bytes = headed(stage, `Content-Length: ${size}`, Buffer.alloc(size - 1, 'x'));
    return deliveredMeanwhile(stage, bytes, UNFINISHED);
  });
}

function headed({ endpoint: { url } }: Stage, framing: string, body: Buffer): Buffer {
  return raw([`POST ${url.pathname} HTTP/1.1`, `Host: ${url.host}`, framing, 'Connection: close'], body);
}

const SENT_MS = 3_000;
/** Far longer than the deliveries meanwhile can take, on however slow a machine: we end them ourselves. */
const HELD_MS = 60_000;
const LATER_MS = 1_000;

/** Genuine deliveries once these bytes are on their way over so many connections, and a moment later. */
async function deliveredMeanwhile(stage: Stage, bytes: Buffer, connections: number): Promise<Finding> {
  const { deadlineMs } = stage.endpoint;
  const over = Promise.withResolvers<undefined>();
  const held = Array.from({ length: connections }, () => {
    const { promise: sent, resolve } = Promise.withResolvers<unknown>();
    const manner = { hold: { sent: () => resolve(undefined), until: over.promise }, then: 'reset' } as const;
    const ended = stage.send(bytes, 'held open', { manner, timeoutMs: HELD_MS + deadlineMs * 10 });
    return { sent: Promise.race([sent, ended]), ended };
  });
  await Promise.race([Promise.all(held.map(({ sent }) => sent)), pause(SENT_MS)]);
  const first = await delivered(stage, deadlineMs);
  await pause(LATER_MS);
  const second = await delivered(stage, deadlineMs);
  over.resolve(undefined);
  await Promise.all(held.map(({ ended }) => ended));
  return worse(first, second);
}
