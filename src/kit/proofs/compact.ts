import { createHmac, webcrypto } from 'node:crypto';
import { compactVerify, errors } from 'jose';
import { DeadLetter, DeliveryRejected } from '../errors.ts';
import { isObject, readJson, strictJson, type JsonObject } from '../reading/json.ts';
import { cameInstead, causeOfLength, otherAlgorithm, shapeOf } from './likely-cause.ts';
import type { Proven } from './proof.ts';
import { liveSecrets, type Secret } from './secrets.ts';

/** What a sender's tokens must say of themselves, besides being signed. */
export interface CompactRules {
  /** Accepted `typ` header values, in any letter case; a token without `typ` passes. When not given, `typ` is ignored. */
  readonly types?: readonly string[] | undefined;
  /** `strict`: a JWT, its registered claims must be well-formed. `lenient`: business data that may happen to have them. */
  readonly claims: 'strict' | 'lenient';
  readonly clockToleranceS: number;
  /** From the claim `iat`, or `nbf` where there is none. */
  readonly maxAgeS?: number | undefined;
  /** Refuses tokens that have neither. */
  readonly ageNeeded?: boolean;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** Milliseconds since 1970; of a delivery, when it was received. */
  readonly now?: (() => number) | undefined;
}

/**
 * How long after it was made a token is taken, where nothing else is set. Nobody documents how old a genuine one can be
 * (HD-17); those that say so are made for the very request, and commonly expire after five minutes.
 */
const USUAL_MAX_AGE_S = 300;

/** The rules for `…_MAX_AGE_S`: whoever sets a number himself knows that his sender says when a token was made. */
export function ageLimit(setting: number | 'usual'): Pick<CompactRules, 'maxAgeS' | 'ageNeeded'> {
  if (setting === 'usual') return { maxAgeS: USUAL_MAX_AGE_S };
  return setting === 0 ? {} : { maxAgeS: setting, ageNeeded: true };
}

/**
 * Verifies a JWS in compact form, HS256 and nothing else, with every live secret, newest first. The content is the
 * payload's bytes, and they are a JSON object.
 *
 * jose alone accepts several spellings of one token (RFC 7515 allows a decoder to be lenient), duplicate header members
 * and tokens that name their own keys: those are refused before it sees them.
 * @throws DeliveryRejected with a `proof_…` code
 */
export async function verifyCompact(
  token: string,
  secrets: readonly Secret[],
  rules: CompactRules,
): Promise<Proven> {
  const parts = split(token);
  const header = readHeader(parts.header);
  checkPayloadPart(parts.payload);
  checkSignaturePart(parts.signature);
  const proven = await findSecret(token, secrets, header);
  checkType(header, rules);
  const value = readClaims(proven.content);
  checkClaims(value, rules);
  return { ...proven, value };
}

/** The sender's half. The header is signed as written, so that member order and blanks are the caller's. */
export async function signCompact(content: Buffer, key: Secret, headerJson = HEADER): Promise<string> {
  const input = inputOf(headerJson, content);
  const signature = await webcrypto.subtle.sign('HMAC', key.hs256, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

/** A token that only looks signed: `alg` says none, the third part is empty. */
export function unsignedCompact(content: Buffer): string {
  return `${inputOf(UNSIGNED_HEADER, content)}.`;
}

/** A token signed with the right key, by an algorithm that no endpoint lists. */
export function hs512Compact(content: Buffer, { hmac }: Secret, headerJson = HS512_HEADER): string {
  const input = inputOf(headerJson, content);
  return `${input}.${createHmac('sha512', hmac).update(input).digest('base64url')}`;
}

function inputOf(headerJson: string, content: Buffer): string {
  return `${Buffer.from(headerJson).toString('base64url')}.${content.toString('base64url')}`;
}

const HEADER = '{"alg":"HS256","typ":"JWT"}';
const HS512_HEADER = '{"alg":"HS512","typ":"JWT"}';
const UNSIGNED_HEADER = '{"alg":"none","typ":"JWT"}';

const ALGORITHM = 'HS256';
const HS256_ONLY = { algorithms: [ALGORITHM] };
const SIGNATURE_LENGTH = 43; // 32 bytes in base64url
const MAX_HEADER_LENGTH = 1024;
const KEY_ID = /^[\w.:-]{1,128}$/;
const END_OF_YEAR_9999_S = 253_402_300_800;

/** Members that try to choose the key, the rules or another reading of the payload. */
const REFUSED_MEMBERS = [
  'crit',
  'b64',
  'jku',
  'jwk',
  'x5u',
  'x5c',
  'x5t',
  'x5t#S256',
  'zip',
  'enc',
  'cty',
] as const;

function split(token: string): { header: string; payload: string; signature: string } {
  const parts = token.split('.', 4);
  const [header, payload, signature] = parts;
  if (header === undefined || payload === undefined || signature === undefined || parts.length !== 3) {
    throw new DeliveryRejected('proof_malformed', shapeOf(token));
  }
  return { header, payload, signature };
}

function readHeader(part: string): JsonObject {
  if (part.length > MAX_HEADER_LENGTH) {
    throw new DeliveryRejected(
      'proof_malformed',
      cameInstead(part) ??
        `Expected a token header of at most ${MAX_HEADER_LENGTH} characters, ${part.length} came.`,
    );
  }
  const header = headerObject(decode(part, 'header'));
  checkAlgorithm(header['alg']);
  for (const member of REFUSED_MEMBERS) {
    if (Object.hasOwn(header, member)) throw memberRefused(member);
  }
  checkKeyId(header['kid']);
  return header;
}

function headerObject(bytes: Buffer): JsonObject {
  try {
    const header = strictJson(bytes);
    if (isObject(header)) return header;
  } catch (error) {
    if (!(error instanceof DeadLetter)) throw error; // and no `cause`: its message may name members of the token
  }
  throw new DeliveryRejected(
    'proof_malformed',
    "The token's header is not one JSON object in UTF-8, or has a member twice or one that no header has. " +
      'Is it a token at all? If so, it is not from a library that this sender would use.',
  );
}

function checkAlgorithm(algorithm: unknown): void {
  if (algorithm === ALGORITHM) return;
  throw new DeliveryRejected(
    'proof_header_refused',
    `Expected a token whose header says alg ${ALGORITHM}, ${otherAlgorithm(algorithm, ALGORITHM)}`,
  );
}

function memberRefused(member: string): DeliveryRejected {
  return new DeliveryRejected(
    'proof_header_refused',
    `The token's header has the member ${member}. This sender has no use for it: the key is the endpoint's, not the token's.`,
  );
}

/** Never used to look anything up; still, nothing but a short plain name has a reason to be there. */
function checkKeyId(keyId: unknown): void {
  if (keyId === undefined || (typeof keyId === 'string' && KEY_ID.test(keyId))) return;
  throw new DeliveryRejected(
    'proof_header_refused',
    "The token's header has a kid that is no plain name of at most 128 letters, digits and . _ : - signs.",
  );
}

function checkPayloadPart(part: string): void {
  if (part === '') {
    throw new DeliveryRejected(
      'proof_malformed',
      'The token has no payload between its dots. A detached payload is not what this sender sends.',
    );
  }
  decode(part, 'payload');
}

function checkSignaturePart(part: string): void {
  if (part.length !== SIGNATURE_LENGTH) {
    throw new DeliveryRejected(
      'proof_malformed',
      `Expected a token signature of ${SIGNATURE_LENGTH} characters, ${part.length} came. ${causeOfLength(part, SIGNATURE_LENGTH)}`,
    );
  }
  decode(part, 'signature');
}

/** Bytes have one spelling: anything that encodes differently than it came is refused. */
function decode(part: string, name: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') === part) return bytes;
  throw new DeliveryRejected(
    'proof_malformed',
    (name === 'header' ? cameInstead(part) : undefined) ??
      `The token's ${name} is not plain base64url: it has padding, blanks, foreign characters or bits that nothing uses. ` +
        'Was the token decoded or re-encoded on its way?',
  );
}

async function findSecret(token: string, secrets: readonly Secret[], { kid }: JsonObject): Promise<Proven> {
  for (const secret of secrets) {
    const payload = await payloadSignedWith(token, secret);
    if (payload !== undefined) return { content: payload, secret: secret.position };
  }
  const ofAnother =
    kid === undefined
      ? ''
      : ' It names a key (kid), as tokens of identity providers and gateways do: has one of them put its own there?';
  throw new DeliveryRejected(
    'proof_mismatch',
    `The token is well-formed, but not signed with ${liveSecrets(secrets)}. Compare the secret with the one set at the ` +
      `sender: no blank or line end around it, not the one of another endpoint.${ofAnother}`,
  );
}

async function payloadSignedWith(token: string, secret: Secret): Promise<Buffer | undefined> {
  try {
    const { payload } = await compactVerify(token, secret.hs256, HS256_ONLY);
    return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
    if (!(error instanceof errors.JOSEError)) throw error;
    throw new DeliveryRejected('proof_malformed', `The token is refused: ${error.code}.`, { cause: error });
  }
}

/** Only a genuine token is told that it is of the wrong kind. */
function checkType({ typ }: JsonObject, { types }: CompactRules): void {
  if (types === undefined || typ === undefined) return;
  if (typeof typ === 'string' && types.some((type) => type.toLowerCase() === typ.toLowerCase())) return;
  throw new DeliveryRejected(
    'proof_foreign',
    `The token is genuine, but of another kind: expected typ ${types.join(' or ')}.`,
  );
}

function readClaims(content: Buffer): JsonObject {
  try {
    const claims = readJson(content);
    if (isObject(claims)) return claims;
  } catch (cause) {
    if (!(cause instanceof DeadLetter)) throw cause;
    throw new DeliveryRejected('proof_malformed', `The token's payload: ${cause.message}`, { cause });
  }
  throw new DeliveryRejected('proof_malformed', "The token's payload is JSON, but not an object.");
}

function checkClaims(claims: JsonObject, rules: CompactRules): void {
  const nowS = (rules.now ?? Date.now)() / 1000;
  const expiresAt = timeClaim(claims, 'exp', rules);
  if (expiresAt !== undefined && nowS >= expiresAt + rules.clockToleranceS) {
    throw stale(`expired ${seconds(nowS - expiresAt)} ago`);
  }
  const validFrom = timeClaim(claims, 'nbf', rules);
  if (validFrom !== undefined && nowS < validFrom - rules.clockToleranceS) {
    throw stale(`is not valid for another ${seconds(validFrom - nowS)}`);
  }
  checkAge(claims, rules, nowS);
  checkParties(claims, rules);
}

function checkAge(claims: JsonObject, rules: CompactRules, nowS: number): void {
  if (rules.claims === 'lenient' && rules.maxAgeS === undefined) return;
  const issuedAt = timeClaim(claims, 'iat', rules);
  if (rules.claims === 'strict' && issuedAt !== undefined && issuedAt > nowS + rules.clockToleranceS) {
    throw stale(`was issued ${seconds(issuedAt - nowS)} in the future`);
  }
  if (rules.maxAgeS === undefined) return;
  const madeAt = issuedAt ?? timeClaim(claims, 'nbf', rules);
  if (madeAt === undefined) {
    if (rules.ageNeeded === true) throw stale('does not say when it was issued (iat), and MAX_AGE_S is set');
  } else if (nowS - madeAt > rules.maxAgeS + rules.clockToleranceS) {
    throw stale(`is ${seconds(nowS - madeAt)} old, and after ${rules.maxAgeS} s (MAX_AGE_S) none is taken`);
  }
}

function timeClaim(claims: JsonObject, name: string, rules: CompactRules): number | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = claims[name];
  // JSON has 1e400, which reads as Infinity: never to expire is not a time.
  if (typeof value === 'number' && value >= 0 && value < END_OF_YEAR_9999_S) return value;
  if (rules.claims === 'strict') {
    throw new DeliveryRejected(
      'proof_malformed',
      `The token is genuine, but its ${name} is no time in seconds since 1970.`,
    );
  }
  if (typeof value !== 'number') return undefined;
  throw stale(`has a ${name} outside the years 1970 to 9999`);
}

function checkParties(claims: JsonObject, { issuer, audience }: CompactRules): void {
  if (issuer !== undefined && claims['iss'] !== issuer) throw foreign('issuer (iss)');
  if (audience !== undefined && !namesAudience(claims['aud'], audience)) throw foreign('audience (aud)');
}

function namesAudience(claim: unknown, audience: string): boolean {
  return Array.isArray(claim) ? claim.includes(audience) : claim === audience;
}

function stale(problem: string): DeliveryRejected {
  return new DeliveryRejected(
    'proof_stale',
    `The token is genuine, but ${problem}. Check the clocks of both machines; a recorded delivery cannot be sent again.`,
  );
}

function foreign(claim: string): DeliveryRejected {
  return new DeliveryRejected(
    'proof_foreign',
    `The token is genuine, but its ${claim} is missing or not the one this endpoint expects.`,
  );
}

function seconds(duration: number): string {
  return `${Math.ceil(duration)} s`;
}
