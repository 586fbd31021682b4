import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { forged, onTokens } from '../../../src/lab/conformance/making/forged.ts';
import { encode, signParts, type Token } from '../../../src/lab/conformance/making/token.ts';
import type { Trial } from '../../../src/lab/conformance/rule.ts';
import { own, type Own } from './own.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');

/** A signature that is right for a key of the attacker's own. */
function asymmetric(algorithm: string, digest: string | null, key: KeyObject): Trial {
  return forged(`alg ${algorithm}, rightly signed with a key of the attacker's`, ({ payload }) => {
    const input = `${encode(`{"alg":"${algorithm}","typ":"JWT"}`)}.${payload}`;
    return `${input}.${sign(digest, Buffer.from(input), key).toString('base64url')}`;
  });
}

function signedWith(name: string, key: (token: Token) => string | Buffer): Trial {
  return forged(`signed with ${name}`, (token) => signParts(token.header, token.payload, key(token)));
}

/** A payload that would be a megabyte, were it inflated. */
function inflated({ secret }: Token): string {
  const bomb = encode(deflateRawSync(Buffer.alloc(1_000_000, ' ')));
  return signParts(encode('{"alg":"HS256","zip":"DEF"}'), bomb, secret);
}

/** Group A, first part: what stands in a token. */
export const ownTokens: readonly Own[] = [
  own(
    'A2',
    'refuses public keys, as such and as a secret',
    { '*: signed with *': 'proof_mismatch', '*': 'proof_header_refused' },
    onTokens([
      asymmetric('RS256', 'sha256', rsa.privateKey),
      asymmetric('EdDSA', null, ed.privateKey),
      signedWith('an RSA public key in PEM', () => rsa.publicKey.export({ type: 'spki', format: 'pem' })),
      signedWith('an EC public key in DER', () => ec.publicKey.export({ type: 'spki', format: 'der' })),
      signedWith('a public JWK', () => JSON.stringify(ed.publicKey.export({ format: 'jwk' }))),
    ]),
  ),
  own(
    'A7',
    'refuses other readings of the right secret',
    'proof_mismatch',
    onTokens([
      signedWith('the right key with a line end', ({ secret }) => `${secret}\n`),
      signedWith('the right key in capitals', ({ secret }) => secret.toUpperCase()),
      signedWith('the right key decoded from base64', ({ secret }) => Buffer.from(secret, 'base64')),
      signedWith('the right key decoded from hex', ({ secret }) => Buffer.from(secret, 'hex')),
    ]),
  ),
  own(
    'A18',
    'inflates no payload',
    'proof_header_refused',
    onTokens([forged('zip over a payload that is a bomb', inflated)]),
  ),
];
