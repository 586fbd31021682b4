import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Entry, Inbox } from '../../src/kit/inbox/inbox.ts';
import type { LogLine, TestReceiver } from '../support/receiver.ts';
import type { Outcome } from './outcomes.ts';

/** Our own receiver with one thing wrong inside. */
export interface Flaw {
  readonly name: string;
  /** What the view must say of it. */
  readonly says: RegExp;
  build(receiver: TestReceiver): TestReceiver | Promise<TestReceiver>;
}

export const flaws: readonly Flaw[] = [
  {
    name: 'stores what it refuses',
    says: /stored all the same/,
    build: (receiver) => withInbox(receiver, storingRefused(receiver)),
  },
  {
    name: 'forgets what it has accepted',
    says: /positive.*stored 0 times/,
    build: (receiver) =>
      withInbox(receiver, { stats: async () => ({ ...(await receiver.app.inbox.stats()), ...NOTHING }) }),
  },
  {
    name: 'changes the content that it keeps',
    says: /not kept byte for byte/,
    build: (receiver) =>
      withEntries(receiver, (entry) => ({ ...entry, content: Buffer.concat([entry.content, BLANK]) })),
  },
  {
    name: 'writes the secret into its log',
    says: /the log tells a secret/,
    build: (receiver) => withLog(receiver, (line) => [{ ...line, secrets: secretsOf(receiver) }]),
  },
  {
    name: 'writes what was sent into the line of a refusal',
    says: /the log tells what was sent/,
    build: async (receiver) => {
      const { sent, relayed } = await behindRelay(receiver);
      return withLog(relayed, (line) => [isRefusal(line) ? { ...line, sent: sent() } : line]);
    },
  },
  {
    name: 'writes what was sent into the line of an acceptance',
    says: /the log tells what was sent/,
    build: async (receiver) => {
      const { sent, relayed } = await behindRelay(receiver);
      return withLog(relayed, (line) => [isRefusal(line) ? line : { ...line, sent: sent() }]);
    },
  },
  {
    name: 'writes two lines for a refusal',
    says: /the log has it more than once/,
    build: (receiver) => withLog(receiver, (line) => (isRefusal(line) ? [line, line] : [line])),
  },
  {
    name: 'writes no line for a refusal',
    says: /without a line in the log/,
    build: (receiver) => withLog(receiver, (line) => (isRefusal(line) ? [] : [line])),
  },
  {
    name: 'calls a genuine delivery refused',
    says: /positive.*status 200/,
    build: (receiver) => withLog(receiver, (line) => [line, { outcome: 'rejected', code: 'proof_mismatch' }]),
  },
  {
    name: 'answers one cause of a failed proof with a header of its own',
    says: /its 401 differs/,
    build: (receiver) =>
      answering(receiver, (reply) =>
        lastCode(receiver) === 'proof_stale' ? reply.replace('\r\n', '\r\nX-Hint: clock\r\n') : reply,
      ),
  },
  {
    name: 'tells the cause of a refusal',
    says: /it was told .*proof_/,
    build: (receiver) =>
      answering(receiver, (reply) => reply.replace('"Unauthorized"', `"${lastCode(receiver)}"`)),
  },
  {
    name: 'repeats in a refusal what was sent',
    says: /the reply tells what was sent/,
    build: async (receiver) => {
      const { sent, relayed } = await behindRelay(receiver, (reply) =>
        reply.replace(/^(HTTP\/1.1 4.*)\r\n/, (line) => `${line}X-Was: ${sent().replace(/\s+/g, ' ')}\r\n`),
      );
      return relayed;
    },
  },
  {
    name: 'answers with a secret',
    says: /the reply tells a secret/,
    build: (receiver) =>
      answering(receiver, (reply) =>
        reply.replace('\r\n', `\r\nX-Debug: ${secretsOf(receiver).join(' ')}\r\n`),
      ),
  },
  {
    name: 'exchanges two causes',
    says: /proof_mismatch instead of .*proof_malformed|proof_malformed instead of proof_mismatch/,
    build: (receiver) =>
      withLog(receiver, (line) => [{ ...line, code: EXCHANGED.get(String(line['code'])) ?? line['code'] }]),
  },
];

const NOTHING = { waiting: 0, running: 0, done: 0, dead: 0 };
const BLANK = Buffer.from(' ');
const EXCHANGED = new Map([
  ['proof_mismatch', 'proof_malformed'],
  ['proof_malformed', 'proof_mismatch'],
]);

/** The receiver that calls one outcome by another name. */
export function calling(receiver: TestReceiver, outcome: Outcome, other: string): TestReceiver {
  const renamed = withEntries(receiver, (entry) => {
    if (outcome === 'done')
      return entry.status === 'done' ? { ...entry, status: 'dead', note: other } : entry;
    return entry.note?.startsWith(`${outcome}:`) === true ? { ...entry, note: `${other}: renamed` } : entry;
  });
  return withLog(renamed, (line) => [{ ...line, code: line['code'] === outcome ? other : line['code'] }]);
}

function isRefusal({ outcome }: LogLine): boolean {
  return outcome === 'rejected';
}

function lastCode({ log }: TestReceiver): string {
  return String(log.findLast(isRefusal)?.['code']);
}

function secretsOf({ config }: TestReceiver): string[] {
  return config.endpoints.flatMap(({ credentials }) =>
    [...credentials.values()].flatMap(({ texts }) => texts),
  );
}

function withLog(receiver: TestReceiver, change: (line: LogLine) => readonly LogLine[]): TestReceiver {
  return {
    ...receiver,
    get log() {
      return receiver.log.flatMap(change);
    },
  };
}

function withInbox(receiver: TestReceiver, own: Partial<Inbox>): TestReceiver {
  const { inbox } = receiver.app;
  const changed = new Proxy(inbox, {
    get: (target, name) => Reflect.get(Reflect.has(own, name) ? own : target, name) as unknown,
  });
  return { ...receiver, app: { ...receiver.app, inbox: changed } };
}

function withEntries(receiver: TestReceiver, change: (entry: Entry) => Entry): TestReceiver {
  return withInbox(receiver, {
    list: async (filter) => (await receiver.app.inbox.list(filter)).map(change),
  });
}

/** By the time that somebody looks, it has stored all that was refused. */
function storingRefused({ app: { inbox }, log }: TestReceiver): Partial<Inbox> {
  let known = log.filter(isRefusal).length;
  return {
    async stats() {
      for (; known < log.filter(isRefusal).length; known += 1) {
        await inbox.store({ ...REFUSED, receivedAt: Date.now() });
      }
      return inbox.stats();
    },
  };
}

const REFUSED = {
  source: 'phenixid',
  endpoint: '/phenixid',
  installation: undefined,
  type: '?',
  eventId: undefined,
  key: undefined,
  subject: undefined,
  secret: 0,
  content: Buffer.from('{}'),
};

async function answering(receiver: TestReceiver, change: (reply: string) => string): Promise<TestReceiver> {
  const { relayed } = await behindRelay(receiver, change);
  return relayed;
}

interface Relay {
  readonly relayed: TestReceiver;
  /** The bytes of the latest request. */
  readonly sent: () => string;
}

/** The receiver behind a relay that sees all requests, and may change the replies. */
async function behindRelay(
  receiver: TestReceiver,
  change: (reply: string) => string = (reply) => reply,
): Promise<Relay> {
  const { hostname, port } = new URL(receiver.url);
  let sent = '';
  const server = createServer((client) => {
    sent = '';
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('data', (bytes: Buffer) => {
      sent += bytes.toString('latin1');
      upstream.write(bytes);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('data', (bytes: Buffer) =>
      client.write(Buffer.from(change(bytes.toString('latin1')), 'latin1')),
    );
    upstream.on('close', () => client.end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return { relayed: { ...receiver, url: `http://127.0.0.1:${address.port}` }, sent: () => sent };
}
