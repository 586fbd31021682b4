import { createHmac } from 'node:crypto';
import type { RejectionCode } from '../../../../src/kit/errors.ts';
import { variablePrefix } from '../../../../src/kit/endpoint/definition.ts';
import { hotdocs, phenixid, risr } from '../../../../src/kit/index.ts';
import type { Source } from '../../../../src/kit/source.ts';
import { prepare } from '../../../../src/lab/mock/request.ts';
import { createRandom, randomBelow, randomText, type Random } from '../../../../src/lab/mock/random.ts';
import type { RawRequest } from '../../../../src/lab/raw-request.ts';

// Deliveries broken on purpose, each in one way, for what explains them. Nothing here knows how they are explained: what the
// mock would send is signed, respelled and spoilt with node:crypto, Buffer and zlib alone.

/** H: a signature in a header. J: a token in a form. W: a token as the whole body. T: an access token. */
export type Lane = 'H' | 'J' | 'W' | 'T';

export const lanes: Readonly<Record<Lane, { source: Source; kind: string; type: string; path: string }>> = {
  H: { source: phenixid, kind: 'SECRET', type: 'OrderSigned', path: '/phenixid' },
  J: { source: hotdocs, kind: 'SECRET', type: 'PostProcessingEvent', path: '/hotdocs/PostProcessingEvent' },
  W: { source: risr, kind: 'SECRET', type: 'profile_updated', path: '/risr/profile_updated' },
  T: {
    source: hotdocs,
    kind: 'TOKEN',
    type: 'NewWorkItemVersionComplete',
    path: '/hotdocs/NewWorkItemVersionComplete',
  },
};

export type Pairs = (readonly [name: string, value: string])[];

/** What goes over the wire. */
export interface Wire {
  method: string;
  target: string;
  headers: Pairs;
  body: Buffer;
}

/** A delivery in the making, and what the integrator has configured. */
export interface Plan {
  readonly lane: Lane;
  readonly random: Random;
  method: string;
  path: string;
  readonly carrier: 'form' | 'query' | 'header';
  /** What both sides should have. */
  agreed: string;
  /** What the sender signs with, or sends. */
  key: Buffer;
  /** What stands in the environment. */
  ours: string;
  /** What the sender signs. */
  content: Buffer;
  /** When it was received. */
  readonly at: number;
  environment: Record<string, string>;
  extraSecrets: string[];
  /** What the receiver made of it, where only the connection tells. */
  outcome?: RejectionCode;
}

/** One mistake: what it changes at each step of a delivery. */
export interface Mistake {
  readonly id: string;
  /** Which of several ways to make it. */
  readonly way: string;
  readonly on: string;
  /** Ids that the same delivery can mean as well, by the nature of the thing. */
  readonly also?: readonly string[];
  /** A secret that shows it. */
  readonly agreed?: string;
  readonly ours?: (agreed: string) => string;
  readonly key?: (agreed: string) => Buffer | string;
  /** What is sent, where the example of the source does not show it. */
  readonly payload?: object;
  readonly content?: (text: string) => string;
  /** Where the token travels, if it can be made there only. */
  readonly carrier?: Plan['carrier'];
  readonly set?: (plan: Plan) => void;
  /** The value of the signature header, or the token. */
  readonly sign?: (plan: Plan) => string;
  /** Another spelling of the signature or the token. */
  readonly respell?: (proof: string, plan: Plan) => string;
  readonly place?: (proof: string, plan: Plan) => Wire;
  readonly body?: (body: Buffer) => Buffer | string;
  readonly wire?: (wire: Wire, plan: Plan) => void;
}

export interface Broken {
  readonly request: RawRequest;
  readonly environment: Readonly<Record<string, string>>;
  readonly at: number;
  readonly extraSecrets: readonly string[];
  readonly outcome?: RejectionCode;
}

export const AT = Date.UTC(2026, 4, 14, 9, 30);

/** A delivery on which these mistakes were made; with none it is a good one. */
export function build(lane: Lane, mistakes: readonly Mistake[], seed = 1): Broken {
  const plan = begin(lane, mistakes, createRandom(seed));
  for (const mistake of mistakes) mistake.set?.(plan);
  const environment = { ...plan.environment, [variableOf(lane)]: plan.ours };
  const sign = mistakes.find((mistake) => mistake.sign)?.sign ?? usualProof;
  const proof = mistakes.reduce((text, { respell }) => respell?.(text, plan) ?? text, sign(plan));
  const place = mistakes.find((mistake) => mistake.place)?.place ?? usualPlace;
  const wire = place(proof, plan);
  for (const mistake of mistakes) {
    if (mistake.body) wire.body = Buffer.from(mistake.body(wire.body));
    mistake.wire?.(wire, plan);
  }
  const length: Pairs = wire.body.length > 0 ? [['Content-Length', String(wire.body.length)]] : [];
  return {
    request: {
      method: wire.method,
      target: wire.target,
      httpVersion: '1.1',
      headers: [['Host', 'receiver.example'], ...wire.headers, ...length].flat(),
      body: wire.body,
    },
    // An environment cannot take a variable away; what is not set is not there.
    environment: Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')),
    at: plan.at,
    extraSecrets: plan.extraSecrets,
    ...(plan.outcome && { outcome: plan.outcome }),
  };
}

function begin(lane: Lane, mistakes: readonly Mistake[], random: Random): Plan {
  const { path } = lanes[lane];
  const agreed = mistakes.find((mistake) => mistake.agreed)?.agreed ?? randomText(40, random);
  const theirs = mistakes.find((mistake) => mistake.key)?.key?.(agreed) ?? agreed;
  return {
    lane,
    random,
    method: 'POST',
    path,
    carrier: mistakes.find((mistake) => mistake.carrier)?.carrier ?? 'form',
    agreed,
    key: Buffer.from(theirs),
    ours: mistakes.reduce((text, { ours }) => ours?.(text) ?? text, agreed),
    content: contentOf(lane, mistakes, random),
    at: AT + randomBelow(86_400_000, random),
    // Others are open besides, each with a secret of its own.
    environment: {
      HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: randomText(40, random),
      PHENIXID_SECRET: randomText(40, random),
      RISR_BOOKING_UPDATED_SECRET: randomText(40, random),
    },
    extraSecrets: [],
  };
}

function contentOf(lane: Lane, mistakes: readonly Mistake[], random: Random): Buffer {
  const { source, kind, type, path } = lanes[lane];
  const payload = mistakes.find((mistake) => mistake.payload)?.payload;
  const example = source.events[type]?.example;
  const order = {
    type,
    path,
    credential: { kind, text: 'unused' },
    at: new Date(AT),
    ...(payload && { payload: { ...(example as object), ...payload } }),
  };
  const { content } = prepare(source, order, random);
  return mistakes.reduce(
    (bytes, mistake) => (mistake.content ? Buffer.from(mistake.content(bytes.toString())) : bytes),
    content,
  );
}

/** What an endpoint's secret is read from. */
export function variableOf(lane: Lane): string {
  const { source, kind, path } = lanes[lane];
  return `${variablePrefix({ source: source.name, type: undefined, path })}_${kind}`;
}

// The sender's half, as it should be

function usualProof(plan: Plan): string {
  switch (plan.lane) {
    case 'H':
      return createHmac('sha256', plan.key).update(plan.content).digest('hex');
    case 'J':
    case 'W':
      return tokenOf(plan.content, plan.key);
    case 'T':
      return plan.key.toString('latin1'); // one character a byte, as a header has it
  }
}

const HEADER = '{"alg":"HS256","typ":"JWT"}';

export function tokenOf(content: Buffer | string, key: Buffer, header = HEADER, hash = 'sha256'): string {
  const input = `${base64url(header)}.${base64url(content)}`;
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
}

export function base64url(content: Buffer | string): string {
  return Buffer.from(content).toString('base64url');
}

function usualPlace(proof: string, plan: Plan): Wire {
  const { method, path: target, content } = plan;
  const json: Pairs = [['Content-Type', 'application/json']];
  switch (plan.lane) {
    case 'H':
      return { method, target, headers: [...json, ['X-Signature', proof]], body: content };
    case 'T':
      return { method, target, headers: [...json, ['Authorization', proof]], body: content };
    case 'W':
      return { method, target, headers: [['Content-Type', 'application/jose']], body: Buffer.from(proof) };
    case 'J':
      return placeToken(proof, plan);
  }
}

function placeToken(token: string, { method, path, carrier }: Plan): Wire {
  const none = Buffer.alloc(0);
  switch (carrier) {
    case 'form':
      return {
        method,
        target: path,
        headers: [FORM],
        body: Buffer.from(`token=${encodeURIComponent(token)}`),
      };
    case 'query':
      return { method: 'GET', target: `${path}?token=${encodeURIComponent(token)}`, headers: [], body: none };
    case 'header':
      return { method, target: path, headers: [['Authorization', `Bearer ${token}`]], body: none };
  }
}

export const FORM = ['Content-Type', 'application/x-www-form-urlencoded'] as const;

/** The value of one header, changed. */
export function header(name: string, change: (value: string) => string): (wire: Wire) => void {
  return (wire) => {
    wire.headers = wire.headers.map(([each, value]) => [each, each === name ? change(value) : value]);
  };
}
