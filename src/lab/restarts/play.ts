import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { openInbox } from '../../kit/inbox/open.ts';
import type { OutgoingRequest } from '../../kit/source.ts';
import { phenixid } from '../../kit/sources/phenixid/index.ts';
import { risr } from '../../kit/sources/risr/index.ts';
import { createPace } from '../conformance/pace.ts';
import { createRandom } from '../mock/random.ts';
import { buildRequest } from '../mock/request.ts';
import { effectsIn } from '../rig/effects.ts';
import { startHolder } from '../rig/holder.ts';
import { drained } from '../rig/inboxes.ts';
import { projectFile } from '../rig/program.ts';
import { secretsFor } from '../rig/secrets.ts';

export interface RestartsOptions {
  readonly folder: string;
  readonly inboxUrl: string;
  readonly restarts: number;
  /** Between two deliveries. */
  readonly everyMs: number;
  /** Senders keep their connections; otherwise each delivery has one of its own. */
  readonly keepAlive: boolean;
  /** The next process starts while the one before still ends. */
  readonly overlap: boolean;
}

export interface Restarts {
  readonly sent: number;
  /** What was not answered 2xx, by status or by the error of the connection, and how often. */
  readonly refused: ReadonlyMap<string, number>;
  /** A connection that was kept had just been closed: sent again, on another one. */
  readonly sentAgain: number;
  /** Answered 2xx, and not handled. */
  readonly lost: number;
  /** Stored more than once. */
  readonly doubled: number;
  /** How long the slowest reply took: deliveries wait while no process accepts. */
  readonly slowestMs: number;
  /** What the programs wrote. */
  readonly output: string;
}

/** A disk that stands still for seconds, as on a shared machine, is not what is tried. */
const PATIENT = { SHUTDOWN_MS: '60000', REQUEST_TIMEOUT_MS: '60000' };

const HANDLED_WITHIN_MS = 60_000;

/** Sends evenly to the real program, while it ends and is started again on the socket that its starter keeps. */
export async function playRestarts(options: RestartsOptions): Promise<Restarts> {
  const { folder, inboxUrl, restarts, overlap } = options;
  const secrets = secretsFor({ sources: [phenixid, risr] });
  const holder = await startHolder({
    main: projectFile('src/lab/restarts/child-main.ts'),
    folder,
    env: { ...secrets, ...PATIENT, INBOX_URL: inboxUrl, ADMIN_PORT: 'off', LOG_LEVEL: 'warn' },
  });
  try {
    let pid = await holder.start();
    const sender = startSending(holder.url, secrets, options);
    for (let count = 0; count < restarts; count += 1) {
      await sender.caughtUp();
      pid = await (overlap ? holder.replace(pid) : holder.restart(pid));
    }
    await sender.caughtUp();
    const { ids, ...sent } = await sender.stop();
    return { ...sent, ...(await compared(ids, inboxUrl)), output: holder.output() };
  } finally {
    await holder.close();
  }
}

/** So many are answered without having waited before a process ends. */
const FURTHER = 20;
/** A machine may be too slow ever to catch up. */
const PATIENCE_MS = 1_000;

async function compared(
  ids: readonly string[],
  inboxUrl: string,
): Promise<Pick<Restarts, 'lost' | 'doubled'>> {
  await using opened = new AsyncDisposableStack();
  const inbox = await openInbox(inboxUrl, { maxWaiting: Infinity, owner: false });
  opened.defer(() => inbox.close());
  await drained(inbox, HANDLED_WITHIN_MS);
  const times = new Map<string | undefined, number>();
  for (const { ref } of (await effectsIn(inbox)).effects) times.set(ref, (times.get(ref) ?? 0) + 1);
  return {
    lost: ids.filter((id) => !times.has(id)).length,
    doubled: times
      .values()
      .filter((count) => count > 1)
      .toArray().length,
  };
}

interface Sender {
  /** Resolves when what has waited is answered, and some of what is sent from now on. */
  caughtUp(): Promise<void>;
  stop(): Promise<
    Pick<Restarts, 'sent' | 'refused' | 'sentAgain' | 'slowestMs'> & { readonly ids: readonly string[] }
  >;
}

function startSending(
  url: string,
  secrets: Record<string, string>,
  { everyMs, keepAlive }: RestartsOptions,
): Sender {
  const agent = new http.Agent({ keepAlive });
  const pace = createPace(1000 / everyMs);
  const refused = new Map<string, number>();
  const ids: string[] = [];
  const under = new Set<Promise<void>>();
  let [sent, answered, sentAgain, slowestMs, over] = [0, 0, 0, 0, false];

  async function deliver(request: OutgoingRequest, id: string): Promise<void> {
    const began = performance.now();
    let outcome = await exchange(agent, url, request);
    while (outcome === 'stale') {
      sentAgain += 1;
      outcome = await exchange(agent, url, request);
    }
    slowestMs = Math.max(slowestMs, Math.round(performance.now() - began));
    answered += 1;
    if (outcome !== '200') refused.set(outcome, (refused.get(outcome) ?? 0) + 1);
    else ids.push(id);
  }

  async function sendAll(): Promise<void> {
    while (!over) {
      await pace();
      const id = randomUUID();
      const delivering = deliver(await requestOf(id, sent++ % 2 === 0, secrets), id);
      under.add(delivering);
      void delivering.then(() => under.delete(delivering));
    }
    await Promise.all(under);
  }

  const sending = sendAll();
  return {
    async caughtUp() {
      await Promise.race([Promise.all(under), pause(PATIENCE_MS)]);
      const enough = answered + FURTHER;
      while (answered < enough) await pause(everyMs);
    },
    async stop() {
      over = true;
      await sending;
      agent.destroy();
      return { sent, refused, sentAgain, slowestMs, ids };
    },
  };
}

/** Of the sender that never sends again and has no ids, and of one that has them. */
function requestOf(
  id: string,
  isPhenixid: boolean,
  secrets: Record<string, string>,
): Promise<OutgoingRequest> {
  const random = createRandom(1);
  const credential = (variable: string) => ({ kind: 'SECRET', text: secrets[variable] ?? '' });
  if (!isPhenixid)
    return buildRequest(
      risr,
      {
        type: 'booking_updated',
        path: '/risr/booking_updated',
        credential: credential('RISR_BOOKING_UPDATED_SECRET'),
        id,
      },
      random,
    );
  const payload = { taskId: id, orderId: id };
  return buildRequest(
    phenixid,
    { type: 'OrderSigned', path: '/phenixid', credential: credential('PHENIXID_SECRET'), payload },
    random,
  );
}

/** The status, the code of the connection's error, or `stale` where it had been closed before it was used again. */
function exchange(
  agent: http.Agent,
  url: string,
  { method, target, headers, body }: OutgoingRequest,
): Promise<string> {
  return new Promise((resolve) => {
    const request = http.request(new URL(target, url), {
      method,
      agent,
      headers: { ...headers, 'Content-Length': body.length },
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = request.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(error.code ?? '');
      resolve(isStale ? 'stale' : (error.code ?? error.message));
    });
    request.on('response', (response) => {
      void text(response).then(
        () => resolve(String(response.statusCode)),
        () => resolve('reply cut'),
      );
    });
    request.end(body);
  });
}
