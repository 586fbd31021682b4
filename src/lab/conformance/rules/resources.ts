import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import { describe, failed, passed, tried, type Statuses } from '../trials.ts';
import { bytesOf } from '../wire.ts';
import { hasBody, withHeader } from '../making/edit.ts';
import { oneOf, where } from '../making/answers.ts';
import { isWritten, ownContent, withMembers } from '../making/own-content.ts';

/** Group G, fourth part: how much is read. */
export const resourceRules: readonly Rule[] = [
  {
    id: 'G3-announced-size',
    group: 'G',
    title: 'refuses an oversized body when it is announced, not when it has arrived',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    alone: true,
    oncePerSource: true,
    why: 'Some frameworks hold their 413 back until the last byte: a connection is kept busy for as long as its sender likes.',
    fix: 'Compare Content-Length with your limit before reading, count while reading, answer 413 at once and close.',
    trials: where(hasBody, () => [announced()]),
  },
  {
    id: 'G10-room',
    group: 'G',
    title: 'has room for the largest delivery that its sender makes',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'The usual limit of a framework is smaller than a real document list, and the first large customer loses events.',
    fix: 'Set the limit of the body, and of the address where tokens travel in it, to what the sender documents.',
    trials: (at) => (isWritten(at) ? [room(at)] : []),
  },
  {
    id: 'G10-limit',
    group: 'G',
    title: 'does not read bodies of any size',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    alone: true,
    oncePerSource: true,
    why: 'What is read is held in memory before anybody is known: a few large bodies end the process.',
    fix: 'Stop reading at a limit, some megabytes at most, answer 413 and close.',
    trials: where(hasBody, () => [limit('with a length', false), limit('in chunks', true)]),
  },
];

const ANNOUNCED_BYTES = 100_000_000;

/** Sends a piece every now and then, and far less than it has announced. */
function announced(): Trial {
  const expected = '413, another refusal, or the end of the connection within 4 s';
  return tried('announced and sent slowly', async (stage) => {
    const genuine = withHeader(await stage.genuine(), 'Content-Length', String(ANNOUNCED_BYTES));
    const head = bytesOf({ ...genuine, body: Buffer.alloc(0) }, stage.endpoint.url);
    const bytes = Buffer.concat([head, Buffer.alloc(head.length * 15, 'x')]);
    const manner = { pieceBytes: head.length, pauseMs: 250, then: 'reset' } as const;
    const observation = await stage.send(bytes, 'announced', { manner, timeoutMs: 20_000 });
    const refused = observation.status >= 400 || (observation.status === 0 && observation.ms < 3_500);
    return refused ? passed(expected, describe(observation)) : failed(expected, describe(observation));
  });
}

/** In bytes of content: what each way of travelling is documented, or must be expected, to carry. */
function room(at: EndpointUnderTest): Trial {
  const signedText = 4_000;
  const inAddress = 9_000;
  const usual = at.maxBodyBytes < 100_000 ? signedText : 100_000;
  const bytes = hasBody(at) ? usual : inAddress;
  return oneOf(
    `content of ${bytes} bytes`,
    async (stage) => {
      const { json } = ownContent(stage);
      const filler = 'y'.repeat(Math.max(bytes - json.length, 1));
      return stage.proven(withMembers(json, `,"filler":"${filler}"`));
    },
    { passes: ['2xx'] },
  );
}

const UNHEARD_OF_BYTES = 20 * 1024 * 1024;

function limit(name: string, inChunks: boolean): Trial {
  const refusals: Statuses = [400, 401, 429, 403, 411, 413, 0];
  return oneOf(
    `20 MB ${name}`,
    async (stage) => {
      const { json } = ownContent(stage);
      const filled = withMembers(json, `,"filler":"${'y'.repeat(UNHEARD_OF_BYTES)}"`);
      const request = await stage.proven(filled);
      if (!inChunks) return request;
      const size = request.body.length.toString(16);
      const body = Buffer.concat([Buffer.from(`${size}\r\n`), request.body, Buffer.from('\r\n0\r\n\r\n')]);
      return { ...withHeader(request, 'Transfer-Encoding', 'chunked'), body };
    },
    { passes: refusals },
  );
}
