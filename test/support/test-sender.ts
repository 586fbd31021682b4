import { createRandom } from '../../src/lab/mock/random.ts';
import { buildRequest, switchesOf } from '../../src/lab/mock/request.ts';
import { createConnections, send } from '../../src/lab/mock/send.ts';
import type { OutgoingRequest, ReceivedReply, Source, Switches } from '../../src/kit/source.ts';
import { endpointsOf } from '../../src/kit/endpoint/definition.ts';

/** Sends events as their sources would, and the same bytes as often as a test wants. */
export interface TestSender {
  request(source: Source, type: string, options?: RequestOptions): Promise<OutgoingRequest>;
  /** Proves content of the test's own making. */
  sign(source: Source, type: string, content: string, options?: RequestOptions): Promise<OutgoingRequest>;
  /** @throws when no reply comes */
  send(request: OutgoingRequest): Promise<ReceivedReply>;
  fire(source: Source, type: string, options?: RequestOptions): Promise<ReceivedReply>;
  close(): void;
}

/** What differs from the source's example at its usual endpoint. */
export interface RequestOptions {
  readonly payload?: unknown;
  readonly id?: string;
  readonly switches?: Switches;
  readonly path?: string;
  readonly secret?: string;
  readonly kind?: string;
}

export interface Target {
  readonly url: string;
  secretOf(path: string): string;
}

export function createTestSender(target: Target): TestSender {
  const connections = createConnections();
  const random = createRandom(1);

  function request(source: Source, type: string, options: RequestOptions = {}): Promise<OutgoingRequest> {
    const {
      path = pathOf(source, type),
      kind = 'SECRET',
      secret = target.secretOf(path),
      ...order
    } = options;
    return buildRequest(source, { type, path, credential: { kind, text: secret }, ...order }, random);
  }

  function sign(
    source: Source,
    type: string,
    content: string,
    options: RequestOptions = {},
  ): Promise<OutgoingRequest> {
    const {
      path = pathOf(source, type),
      kind = 'SECRET',
      secret = target.secretOf(path),
      switches = {},
    } = options;
    const to = { type, path, credential: { kind, text: secret } };
    return source.proof.sign(Buffer.from(content), to, switchesOf(source, switches));
  }

  async function sendOne(outgoing: OutgoingRequest): Promise<ReceivedReply> {
    const outcome = await send(new URL(target.url), outgoing, { timeoutMs: 120_000, connections });
    if (outcome.kind === 'failure') throw new Error(outcome.says);
    return outcome.reply;
  }

  return {
    request,
    sign,
    send: sendOne,
    fire: async (source, type, options) => sendOne(await request(source, type, options)),
    close: () => connections.close(),
  };
}

function pathOf(source: Source, type: string): string {
  const usual = endpointsOf(source).find((endpoint) => endpoint.type === undefined || endpoint.type === type);
  return usual?.path ?? `/${source.name}`;
}
