import { randomText } from '../../mock/random.ts';
import type { Finding, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried, worse } from '../trials.ts';
import { bytesOf, type Manner, type Observation } from '../wire.ts';
import { delivered } from '../making/burden.ts';

/** Group G, last part: who takes long, and who comes often. */
export const patienceRules: readonly Rule[] = [
  {
    id: 'G4-many-open',
    group: 'G',
    title: 'serves others while forty senders do not finish their requests',
    severity: 'high',
    grade: 'correct',
    level: 1,
    slow: true,
    oncePerSource: true,
    why: 'A receiver that serves one connection after the other is stopped by anybody who opens one and says nothing.',
    fix: 'Serve connections side by side, and put a proxy that reads whole requests in front where that is not possible.',
    trials: () => [manyOpen()],
  },
  {
    id: 'G4-slow',
    group: 'G',
    title: 'gives up on a request that takes longer than its sender would wait',
    severity: 'low',
    grade: 'hardened',
    level: 1,
    exhausting: true,
    oncePerSource: true,
    why: 'Connections that are slow on purpose cost their owner nothing, and there is an end to how many can be open.',
    fix: 'Set a time limit for the head and for the whole of a request; no sender needs longer than it waits for the reply.',
    trials: () => [slow()],
  },
  {
    id: 'G9-flood',
    group: 'G',
    title: 'accepts genuine deliveries during and after a flood of forged ones',
    severity: 'high',
    grade: 'hardened',
    level: 1,
    exhausting: true,
    oncePerSource: true,
    why: 'A limit that counts all requests of an address locks the sender out together with the attacker, the more so behind a proxy, where all have one address.',
    fix: 'Count failed proofs only, verify before the limit says no, and answer 429 with Retry-After to what fails.',
    trials: () => [flood(), burst()],
  },
];

const OPEN = 40;
const LEAST_HELD_MS = 2_500;
const LONGEST_HELD_MS = 5_000;
/** By so much less is prompt than the others are held: who waits for them is late. */
const BEFORE_MS = 500;

/** Half of them stop in the head, half before their last byte; somebody else delivers meanwhile. */
function manyOpen(): Trial {
  return tried('half of them in the head', async (stage) => {
    const heldMs = Math.min(Math.max(LEAST_HELD_MS, stage.endpoint.deadlineMs / 2), LONGEST_HELD_MS);
    const held = Array.from({ length: OPEN }, (_, index) => hold(stage, index % 2 === 0 ? 20 : -1, heldMs));
    const finding = await delivered(stage, heldMs - BEFORE_MS);
    await Promise.all(held);
    return finding;
  });
}

/** Sends as many bytes of a request, or all but as many, and nothing more until it breaks off. */
async function hold(stage: Stage, bytes: number, heldMs: number): Promise<Observation> {
  const request = bytesOf(await stage.genuine(), stage.endpoint.url);
  const part = request.subarray(0, bytes < 0 ? request.length + bytes : bytes);
  return stage.send(part, 'held open', { manner: silentFor(heldMs, part), timeoutMs: heldMs * 10 });
}

/** All at once, and then nothing for so long. */
function silentFor(pauseMs: number, { length }: Buffer): Manner {
  return { pieceBytes: length, pauseMs, then: 'reset' };
}

const PAUSE_MS = 250;

/** Side by side, since each takes as long as the sender waits. */
function slow(): Trial {
  return tried('eight ways at once', async (stage) => {
    const longestMs = stage.endpoint.deadlineMs + 2_000;
    const genuine = bytesOf(await stage.genuine(), stage.endpoint.url).toString('latin1');
    const head = genuine.slice(0, genuine.indexOf('\r\n\r\n')).replace(/\r\nContent-Length: \d+/i, '');
    const letters = 'x'.repeat(5_000);
    const chunks = '1\r\nx\r\n'.repeat(1_000);
    const silent: readonly (readonly [name: string, bytes: string])[] = [
      ['one letter', genuine.slice(0, 1)],
      ['half a head', head.slice(0, head.length / 2)],
      ['a head that lacks its end', head],
      ['half a body', `${head}\r\nContent-Length: 100\r\n\r\n${letters.slice(0, 50)}`],
    ];
    const dripping: readonly (readonly [name: string, bytes: string, pieceBytes: number])[] = [
      ['a head by letters', `${head}\r\nX: ${letters}`, 1],
      ['blank lines', '\r\n'.repeat(2_000), 1],
      [
        'a body by pieces',
        `${head}\r\nContent-Length: 900000\r\n\r\n${letters.repeat(100)}`,
        head.length + 40,
      ],
      [
        'a body by chunks',
        `${head}\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.repeat(20)}`,
        head.length + 40,
      ],
    ];
    const findings = [
      ...silent.map(([name, bytes]) => givesUp(stage, name, bytes, silentFor(longestMs, Buffer.from(bytes)))),
      ...dripping.map(([name, bytes, pieceBytes]) =>
        givesUp(stage, name, bytes, dripFor(longestMs, pieceBytes)),
      ),
    ];
    const meanwhile = await delivered(stage, stage.endpoint.deadlineMs);
    return (await Promise.all(findings)).reduce(worse, meanwhile);
  });
}

/** A piece every now and then, for so long. */
function dripFor(longestMs: number, pieceBytes: number): Manner {
  const pieces = Math.max(Math.floor(longestMs / PAUSE_MS), 1);
  return { pieceBytes, pauseMs: PAUSE_MS, stopAfterBytes: pieceBytes * pieces, then: 'reset' };
}

async function givesUp(stage: Stage, name: string, bytes: string, manner: Manner): Promise<Finding> {
  const longestMs = stage.endpoint.deadlineMs + 2_000;
  const expected = `given up within ${Math.round(longestMs / 1000)} s`;
  const options = { manner, timeoutMs: longestMs * 2 };
  const observation = await stage.send(Buffer.from(bytes, 'latin1'), name, options);
  const gaveUp = observation.status > 0 || observation.ms < longestMs - 2 * PAUSE_MS;
  if (gaveUp) return passed(expected, `${name}: ${describe(observation)}`);
  const observed = `${name}: still open after ${Math.round(observation.ms / 1000)} s`;
  return { outcome: 'warned', expected, observed };
}

const FLOOD = 400;
const AT_ONCE = 40;

function flood(): Trial {
  const expected = 'each genuine delivery 2xx, each forged one refused';
  return tried('forged deliveries, a genuine one now and then', async (stage) => {
    const forger = {
      ...stage.endpoint,
      credential: { ...stage.endpoint.credential, text: randomText(40, stage.random) },
    };
    for (let sent = 0; sent < FLOOD; sent += AT_ONCE) {
      const forged = await Promise.all(Array.from({ length: AT_ONCE }, () => stage.genuine({ of: forger })));
      const replies = await Promise.all(forged.map((request) => stage.send(request, 'forged')));
      const accepted = replies.find(isAccepted);
      if (accepted) return failed(expected, `a forged one: ${describe(accepted)}`);
      const genuine = await stage.send(await stage.genuine(), 'genuine');
      if (!isAccepted(genuine))
        return failed(expected, `after ${sent + AT_ONCE} forged ones: ${describe(genuine)}`);
    }
    return passed(expected, `so it was with ${FLOOD} forged ones`);
  });
}

function burst(): Trial {
  const expected = '2xx, 429 or 503 each time, and 2xx most often';
  return tried('genuine deliveries, forty at once', async (stage) => {
    const statuses: number[] = [];
    for (let sent = 0; sent < FLOOD; sent += AT_ONCE) {
      const requests = await Promise.all(Array.from({ length: AT_ONCE }, () => stage.genuine()));
      const replies = await Promise.all(requests.map((request) => stage.send(request, 'genuine')));
      statuses.push(...replies.map(({ status }) => status));
    }
    const other = statuses.find(
      (status) => !(status >= 200 && status < 300) && status !== 429 && status !== 503,
    );
    if (other !== undefined) return failed(expected, other === 0 ? 'no reply' : `status ${other}`);
    const taken = statuses.filter((status) => status < 300).length;
    const observed = `${taken} of ${FLOOD} accepted`;
    return taken > FLOOD / 2 ? passed(expected, observed) : failed(expected, observed);
  });
}
