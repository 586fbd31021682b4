import type { OutgoingRequest, Source, Verdict } from '../../kit/source.ts';
import { randomBelow, randomText, type Random } from './random.ts';
import type { Prepared } from './request.ts';
import type { Manner, Outcome } from './send.ts';
import { pick, UsageError } from '../usage.ts';

/** Something that goes wrong on the sender's side or is done by somebody else, and what a correct receiver does then. */
export interface Fault {
  readonly name: string;
  readonly summary: string;
  readonly expects: Expectation;
  /** It is about several events: their order. */
  readonly needsSeveral?: true;
  /** Why it makes no sense here, if it makes none. */
  unfit?(occasion: Occasion): string | undefined;
  /** What goes over the wire instead of one good request. */
  apply(occasion: Occasion): Transmissions | Promise<Transmissions>;
}

/** What a fault is given to spoil. */
interface Occasion {
  readonly source: Source;
  readonly prepared: Prepared;
  /** The good request. */
  readonly request: OutgoingRequest;
  readonly random: Random;
}

/** At least one. */
export type Transmissions = readonly [Transmission, ...Transmission[]];

interface Transmission {
  readonly request: OutgoingRequest;
  readonly manner?: Manner;
}

/** Every reaction of a correct receiver. */
interface Expectation {
  readonly summary: string;
  readonly statuses: readonly number[];
  /** Closing the connection without a reply is right, too. */
  readonly closed: boolean;
  /** A reply that the sender counts as success is right, too. */
  readonly success: boolean;
}

// 429 instead of 401 once an address has failed too often.
const REFUSED: Expectation = {
  summary: '401, whatever the cause; 429 after many',
  statuses: [401, 429],
  closed: false,
  success: false,
};
const ACCEPTED: Expectation = {
  summary: 'the same reply as ever',
  statuses: [],
  closed: false,
  success: true,
};

const OVERSIZE_BYTES = 8 * 1024 * 1024;
const SLOW_MS = 5_000;

const generic: readonly Fault[] = [
  {
    name: 'wrong-secret',
    summary: 'Proven with another secret of the same length.',
    expects: REFUSED,
    unfit: usesNoSecret,
    async apply({ source, prepared: { content, to, switches }, random }) {
      const text = randomText(to.credential.text.length, random);
      const credential = { ...to.credential, text };
      return [{ request: await source.proof.sign(content, { ...to, credential }, switches) }];
    },
  },
  {
    name: 'tampered-byte',
    summary: 'Properly proven, then one character of the request changed on its way.',
    expects: REFUSED,
    unfit: provesNoBytes,
    apply: ({ request, random }) => [{ request: tampered(request, random) }],
  },
  {
    name: 'truncated',
    summary: 'Announces its whole body, sends half of it and hangs up.',
    expects: {
      summary: '400 or 408, or the connection closed; never success',
      statuses: [400, 408],
      closed: true,
      success: false,
    },
    unfit: hasNoBody,
    apply({ request }) {
      return [{ request, manner: { stopAfterBytes: Math.floor(request.body.length / 2) } }];
    },
  },
  {
    name: 'oversize',
    summary: `Properly proven, then filled up with blanks to ${OVERSIZE_BYTES / 1024 / 1024} MiB.`,
    expects: {
      summary: '413 at once, then the connection closed',
      statuses: [413],
      closed: true,
      success: false,
    },
    apply({ request }) {
      const filling = Buffer.alloc(OVERSIZE_BYTES - request.body.length, ' ');
      return [{ request: { ...request, body: Buffer.concat([request.body, filling]) } }];
    },
  },
  {
    name: 'slow',
    summary: `Properly proven; its body takes ${SLOW_MS / 1000} seconds to arrive.`,
    expects: {
      summary: 'patience and the usual reply, or 408 and the connection closed',
      statuses: [408],
      closed: true,
      success: true,
    },
    unfit: hasNoBody,
    apply({ request }) {
      return [{ request, manner: { dripMs: SLOW_MS } }];
    },
  },
  {
    name: 'duplicate',
    summary: 'The same bytes twice, one after the other.',
    expects: { ...ACCEPTED, summary: 'the usual reply both times, one effect' },
    apply({ request }) {
      return [{ request }, { request }];
    },
  },
  {
    name: 'reordered',
    summary: 'Several events in another order than they happened in; needs --count.',
    expects: { ...ACCEPTED, summary: 'the usual reply to each' },
    needsSeveral: true,
    apply: ({ request }) => [{ request }],
  },
];

/** Every fault that can be tried on a source: the generic ones, and requests of its own that only look proven. */
export function faultsOf(source: Source): readonly Fault[] {
  const forgeries = source.proof.forgeries.map(forgery);
  return [...generic.filter(({ name }) => !source.proof.forgeries.includes(name)), ...forgeries];
}

/** @throws UsageError that lists the source's faults */
export function faultOf(source: Source, name: string): Fault {
  return pick(
    `fault of ${source.name}`,
    name,
    faultsOf(source).map((fault) => [fault.name, fault]),
  );
}

/**
 * What goes over the wire under a fault, or, with none, one good request.
 * @throws UsageError that lists the faults that make sense instead
 */
export async function transmissionsOf(
  source: Source,
  prepared: Prepared,
  fault: Fault | undefined,
  random: Random,
): Promise<Transmissions> {
  const request = await source.proof.sign(prepared.content, prepared.to, prepared.switches);
  if (fault === undefined) return [{ request }];
  const occasion = { source, prepared, request, random };
  const unfit = fault.unfit?.(occasion);
  if (unfit === undefined) return fault.apply(occasion);
  const fitting = faultsOf(source).filter((other) => other.unfit?.(occasion) === undefined);
  throw new UsageError(
    `The fault ${fault.name} cannot be shown here. ${unfit} ` +
      `Faults that can: ${fitting.map(({ name }) => name).join(', ')}.`,
  );
}

/** What to make of the replies: what the sender says, or, under a fault, whether a correct receiver answers so. */
export function judgeReplies(
  fault: Fault | undefined,
  results: readonly { readonly outcome: Outcome; readonly verdict: Verdict }[],
): Verdict {
  const verdicts = results.map(({ outcome, verdict }) =>
    fault ? judgeOutcome(fault.expects, outcome, verdict) : verdict,
  );
  return verdicts.find(({ ok }) => !ok) ?? verdicts.at(-1) ?? { ok: false, says: 'Nothing was sent.' };
}

function judgeOutcome(expects: Expectation, outcome: Outcome, verdict: Verdict): Verdict {
  if (outcome.kind === 'failure') {
    const ok = expects.closed && outcome.cause === 'closed';
    return { ok, says: ok ? `${outcome.says} That is right.` : outcome.says };
  }
  const { status } = outcome.reply;
  if (expects.statuses.includes(status)) {
    return { ok: true, says: `Answered ${status}, as a correct receiver does.` };
  }
  if (expects.success) return verdict;
  return { ok: false, says: `Answered ${status}. Right would be: ${expects.summary}.` };
}

function forgery(name: string): Fault {
  return {
    name,
    summary: `Only looks proven: ${name.replaceAll('-', ' ')}.`,
    expects: REFUSED,
    async apply({ source, prepared: { content, to, switches } }) {
      return [{ request: await source.proof.forge(name, content, to, switches) }];
    },
  };
}

function hasNoBody({ request: { body, method } }: Occasion): string | undefined {
  return body.length > 0 ? undefined : `This ${method} has no body; there are switches that give it one.`;
}

/** An access token says nothing about the bytes it travels with: a changed byte rightly passes. */
function provesNoBytes({ request, prepared }: Occasion): string | undefined {
  const { text } = prepared.to.credential;
  const carriers = [...Object.values(request.headers), request.target, request.body.toString()];
  const carried = carriers.some(
    (carrier) => carrier.includes(text) || carrier.includes(encodeURIComponent(text)),
  );
  return carried ? 'Nothing proves these bytes, so a changed one would rightly pass.' : undefined;
}

function usesNoSecret({ prepared }: Occasion): string | undefined {
  return prepared.to.credential.text === '' ? 'No secret is in use.' : undefined;
}

/** Changes a letter or digit in the middle of the body; without a body, of the query or the longest header. */
function tampered(request: OutgoingRequest, random: Random): OutgoingRequest {
  if (request.body.length > 0) {
    return { ...request, body: Buffer.from(changed(request.body.toString('latin1'), random), 'latin1') };
  }
  const query = request.target.indexOf('?') + 1;
  if (query > 0) {
    const target = request.target.slice(0, query) + changed(request.target.slice(query), random);
    return { ...request, target };
  }
  const [longest] = Object.entries(request.headers).toSorted(([, a], [, b]) => b.length - a.length);
  if (longest === undefined) return request;
  return { ...request, headers: { ...request.headers, [longest[0]]: changed(longest[1], random) } };
}

function changed(text: string, random: Random): string {
  const middle = Math.floor(text.length / 2) + randomBelow(Math.ceil(text.length / 8), random);
  const at = text.slice(middle).search(/[A-Za-z0-9]/) + middle;
  const other = text.charAt(at) === 'x' ? 'y' : 'x';
  return text.slice(0, at) + other + text.slice(at + 1);
}
