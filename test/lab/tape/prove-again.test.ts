import { describe, expect, it } from '@jest/globals';
import { example } from '../../../src/example/index.ts';
import { bytesOf, exchange } from '../../../src/lab/conformance/wire.ts';
import { placeOf } from '../../../src/lab/tape/place.ts';
import { proofIn, provenAgain, timesMoved } from '../../../src/lab/tape/prove-again.ts';
import { requestOf } from '../../../src/lab/tape/request.ts';
import { startExpress } from '../../villains/express.ts';
import type { Credentials } from '../../villains/parts.ts';
import { requirePython, startPython } from '../../villains/python.ts';
import { createReceiver, type Running } from '../../villains/receiver.ts';
import { right } from '../../villains/right.ts';
import { later } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { secretsFor } from '../../support/receiver.ts';
import { endpointsOf, variablePrefix } from '../../../src/kit/endpoint/definition.ts';
import { elsewhere, signed, tapedAll, withToken } from './taped.ts';

type Kind = 'SECRET' | 'TOKEN';

const makes: readonly (readonly [string, (credentials: Credentials) => Promise<Running>])[] = [
  ['on node:http', createReceiver(right)],
  ['on Express', startExpress],
  ...(requirePython('the tape played to a receiver in Python') ? [['in Python', startPython] as const] : []),
  ['of this kit', startKit],
];

async function startKit(credentials: Credentials): Promise<Running> {
  const env = Object.fromEntries(
    [...credentials].flatMap(([path, { kind, text }]) => {
      const prefix = path
        .slice(1)
        .replace('/', '_')
        .replace(/([a-z])([A-Z])/g, '$1_$2')
        .toUpperCase();
      return [[`${prefix}_SECRET`, undefined] as const, [`${prefix}_${kind}`, text] as const];
    }),
  );
  const { receiver } = await newReceiver({ env });
  return { url: new URL(receiver.url), stop: async () => undefined };
}

/** Of all endpoints; only HotDocs knows tokens. */
function credentialsOf(kind: Kind): Credentials {
  const secrets = secretsFor(example.sources);
  const definitions = example.sources.flatMap((source) => endpointsOf(source));
  return new Map(
    definitions.map((definition) => {
      const text = secrets[`${variablePrefix(definition)}_SECRET`] ?? '';
      return [definition.path, { kind: definition.source === 'hotdocs' ? kind : 'SECRET', text }];
    }),
  );
}

describe.each(makes)('sent to a receiver %s', (_, start) => {
  it.each([
    ['signed', 'SECRET', signed],
    ['proven by an access token', 'TOKEN', withToken],
  ] as const)('is accepted, what was refused an hour ago and is %s', async (_word, kind, variants) => {
    const credentials = credentialsOf(kind);
    const receiver = await start(credentials);
    later(() => receiver.stop());
    const { url } = receiver;
    const known = start === startKit && kind === 'SECRET' ? [...variants, ...elsewhere] : variants;
    for (const kept of await tapedAll(known)) {
      const asItCame = await exchange(bytesOf(requestOf(kept), url), { url, timeoutMs: 10_000 });
      expect({ ...kept, status: asItCame.status }).toMatchObject({ target: kept.target, status: 401 });
      const place = placeOf(kept, example, {});
      const proof = place && (await proofIn(requestOf(kept), place, [kind, 'SECRET']));
      if (place === undefined || proof === undefined) throw new Error(`${kept.target} has no proof.`);
      const secret = credentials.get(kept.endpoint ?? '')?.text ?? '';
      const content = (json: string) => timesMoved(json, Date.now() - kept.at);
      const again = await provenAgain(requestOf(kept), place, proof, secret, { content });
      const { status } = await exchange(bytesOf(again, url), { url, timeoutMs: 10_000 });
      expect({ target: kept.target, status }).toEqual({ target: kept.target, status: 200 });
    }
  });
});

it('moves times and leaves all else, byte for byte', () => {
  const said =
    '{ "exp":1900000300.5, "data":{"iat":5}, "iat" : 1900000000, "nbf":"soon", "n":1.0, "t":"\\u00e5" }';
  expect(timesMoved(said, 60_000)).toBe(
    '{ "exp":1900000360.5, "data":{"iat":5}, "iat" : 1900000060, "nbf":"soon", "n":1.0, "t":"\\u00e5" }',
  );
});
