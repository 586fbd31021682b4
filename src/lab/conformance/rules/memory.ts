import { proofKindOf } from '../endpoints.ts';
import { DoesNotApply, type EndpointUnderTest, type Rule, type Trial } from '../rule.ts';
import type { Genuine, Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';
import { bytesOf, type Observation, type WireRequest } from '../wire.ts';
import { parseReply, valuesOf } from '../reply.ts';
import { withHeader } from '../making/edit.ts';
import { byStranger, forgeriesOf, STRANGE_SECRET } from '../making/forgery.ts';
import { ownContent, withMembers } from '../making/own-content.ts';
import { signatureIn, signed } from '../making/signature.ts';
import { encode, signParts, tokenIn, withToken } from '../making/token.ts';
import { shut, type Way } from '../making/ways.ts';

/** Group L, fourth part: what was right once must not make anything else right. */
export const memoryRules: readonly Rule[] = [
  {
    id: 'L8-used-again',
    group: 'L',
    title: 'lets a proof that it has accepted prove nothing else',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'A receiver that remembers which signatures were right, to save work or to recognise repeats, and then asks its memory, believes any content that comes with one of them.',
    fix: 'Compute the signature anew for every delivery, over the bytes of that delivery. If you must remember, remember all of them: a hash of the endpoint, the whole content and the proof.',
    trials: (at, others) => [
      ...(proofKindOf(at) === 'access token' ? [] : [usedAgain()]),
      ...others
        .filter((other) => isNeighbour(at, other))
        .slice(0, 1)
        .map((other) => usedElsewhere(other)),
    ],
  },
  {
    id: 'L9-known-event',
    group: 'L',
    title: 'verifies a delivery of an event that it knows like any other',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'Where a repeat is recognised before its proof is checked, everybody can ask which events there were, and what is skipped for a repeat, such as a newer state, is skipped for a forgery too.',
    fix: 'Verify first; only then look whether the event is known.',
    trials: () => [knownEvent()],
  },
  {
    id: 'L10-each-for-itself',
    group: 'L',
    title: 'believes nobody for what came before',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'Many senders may share a connection, an address or a proxy, and a cookie can be kept by anybody. A delivery that follows a genuine one, or comes again and again, is not genuine for that.',
    fix: 'Keep no state of who has proven himself: no session, no mark on the connection, no list of trusted addresses, no count of tries after which a refusal is given up.',
    trials: () => [onSameConnection(), withItsCookie(), insisting()],
  },
];

/** A trial between two genuine ones, with one more of them accepted right before. */
function afterAccepted(
  name: string,
  waysOf: (stage: Stage, genuine: Genuine) => Promise<readonly Way[]>,
): Trial {
  return shut(name, async (stage) => {
    const genuine = await stage.genuine();
    await accept(stage, genuine);
    return waysOf(stage, genuine);
  });
}

async function accept(stage: Stage, request: WireRequest): Promise<Observation> {
  const observation = await stage.send(request, 'positive');
  if (!isAccepted(observation))
    throw new DoesNotApply(`a genuine request was not accepted: ${describe(observation)}`);
  return observation;
}

function usedAgain(): Trial {
  return afterAccepted('its proof, with other content', async ({ endpoint, ...stage }, genuine) => {
    const { json } = ownContent({ endpoint, ...stage });
    if (proofKindOf(endpoint) === 'signature header') {
      const request = { ...genuine, body: Buffer.from(json) };
      return [{ says: 'other content with a signature that it has accepted before', request }];
    }
    const token = tokenIn(genuine, endpoint);
    const headers = [token.header, encode('{"alg":"HS256"}'), encode('{"alg":"none"}')];
    return headers.map((header) => ({
      says: 'other content with the signature of a token that it has accepted before',
      request: withToken(genuine, token, `${header}.${encode(json)}.${token.signature}`),
    }));
  });
}

/** Reached over the same connection, with a secret of its own, by the same kind of proof. */
function isNeighbour(at: EndpointUnderTest, other: EndpointUnderTest): boolean {
  const kind = proofKindOf(at);
  return (
    other.url.origin === at.url.origin &&
    other.credential.text !== at.credential.text &&
    kind !== 'access token' &&
    proofKindOf(other) === kind
  );
}

function usedElsewhere(other: EndpointUnderTest): Trial {
  return shut('a proof that another endpoint has accepted', async (stage) => {
    const { endpoint } = stage;
    const foreign = await stage.genuine({ of: other });
    await accept(stage, foreign);
    const own = await stage.genuine();
    const request =
      proofKindOf(endpoint) === 'token'
        ? withToken(own, tokenIn(own, endpoint), tokenIn(foreign, other).whole)
        : { ...foreign, target: own.target };
    return [{ says: `a delivery for ${other.name}, which has accepted it before`, request }];
  });
}

function knownEvent(): Trial {
  return afterAccepted('a forged delivery of an event that it has accepted', async (stage, genuine) => {
    const { endpoint } = stage;
    const says = 'a forged delivery of an event that it knows: it looks for repeats before it verifies';
    if (proofKindOf(endpoint) === 'token') {
      const token = tokenIn(genuine, endpoint);
      const contents = [token.payloadJson, withMembers(token.payloadJson, ',"changed":true')];
      return contents.map((content) => {
        const forged = signParts(token.header, encode(content), STRANGE_SECRET);
        return { says, request: withToken(genuine, token, forged) };
      });
    }
    if (proofKindOf(endpoint) === 'access token') {
      return [{ says, request: withHeader(genuine, 'Authorization', STRANGE_SECRET) }];
    }
    const signature = signatureIn(genuine, endpoint);
    return [
      { says, request: signed(genuine, signature, signature.spell(Buffer.alloc(32, 7))) },
      { says, request: signed(genuine, signature) },
    ];
  });
}

/** As long as a second reply may take. It is not waited for where the receiver ends the connection. */
const SECOND_REPLY_MS = 1_000;

function onSameConnection(): Trial {
  return tried('on the connection of a genuine one', async (stage) => {
    const { url } = stage.endpoint;
    for (const { lack, request } of await forgeriesOf(stage.endpoint, ownContent(stage).json)) {
      const first = withHeader(await stage.genuine(), 'Connection', 'keep-alive');
      const bytes = Buffer.concat([bytesOf(first, url), bytesOf(request, url)]);
      const observation = await stage.send(bytes, 'two on one connection', {
        manner: { lingerMs: SECOND_REPLY_MS },
      });
      const second = parseReply(observation.rest, observation.closed, request.method);
      if (isAccepted(observation) && second.status >= 200 && second.status < 300) {
        const says = `status ${second.status}: it accepts a delivery ${lack} because one before it on the same connection was genuine`;
        return failed('a refusal', says);
      }
    }
    return passed('a refusal', 'refused, or the connection ended');
  });
}

function withItsCookie(): Trial {
  return shut('with the cookie of its reply to a genuine one', async (stage) => {
    const reply = await accept(stage, await stage.genuine());
    const cookies = valuesOf(reply, 'set-cookie').map((cookie) => cookie.split(';')[0] ?? '');
    if (cookies.length === 0) return [];
    const forgeries = await forgeriesOf(stage.endpoint, ownContent(stage).json);
    return forgeries.map(({ lack, request }) => ({
      says: `a delivery ${lack} because of the cookie that it set in its reply to a genuine one`,
      request: withHeader(request, 'Cookie', cookies.join('; ')),
    }));
  });
}

function insisting(): Trial {
  return shut('for the third time', async (stage) => {
    const request = await byStranger(stage.endpoint, ownContent(stage).json);
    const says = ['once', 'for the second time', 'for the third time', 'for the fourth time'];
    return says.map((time) => ({ says: `a delivery with a wrong proof when it is sent ${time}`, request }));
  });
}
