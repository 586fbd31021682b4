import type { OutgoingRequest, Switches } from '../../../kit/source.ts';
import { switchesOf } from '../../mock/request.ts';
import { wire } from '../genuine.ts';
import type { EndpointUnderTest } from '../rule.ts';
import type { WireRequest } from '../wire.ts';

/** Long enough for every library, and no receiver has it. */
export const STRANGE_SECRET = 'another-secret-than-the-right-one-0123';

/** What the sender would send of this content if its secret were another one. */
export async function byStranger(
  at: EndpointUnderTest,
  content: string,
  { secret = STRANGE_SECRET, kind = at.credential.kind, switches = {} }: Strangeness = {},
): Promise<WireRequest> {
  const { source, type, url } = at;
  const to = { path: url.pathname, type, credential: { kind, text: secret } };
  const all = switchesOf(source, { ...at.switches, ...switches });
  return wire(await source.proof.sign(Buffer.from(content), to, all));
}

interface Strangeness {
  readonly secret?: string;
  readonly kind?: string;
  readonly switches?: Switches;
}

/** One of the requests of its sender that only look proven: `missing-proof`, `alg-none`. */
export async function lookingProven(
  at: EndpointUnderTest,
  forgery: string,
  content: string,
  switches: Switches = {},
): Promise<WireRequest> {
  const { source, type, url, credential } = at;
  const to = { path: url.pathname, type, credential };
  const all = switchesOf(source, { ...at.switches, ...switches });
  const request: OutgoingRequest = await source.proof.forge(forgery, Buffer.from(content), to, all);
  return wire(request);
}

/** A delivery that nobody has proven. */
export interface Forgery {
  /** `signed with another secret`, `unsigned`. */
  readonly lack: string;
  readonly request: WireRequest;
}

/** This content in a request whose proof is wrong, and in one that has none: code that is led past its check may ask for either. */
export async function forgeriesOf(
  at: EndpointUnderTest,
  content: string,
  switches: Switches = {},
): Promise<readonly Forgery[]> {
  return [
    { lack: 'with a wrong proof', request: await byStranger(at, content, { switches }) },
    { lack: 'with no proof', request: await lookingProven(at, 'missing-proof', content, switches) },
  ];
}
