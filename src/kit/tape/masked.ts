import { isUtf8 } from 'node:buffer';
import { pathOf } from '../http/router.ts';
import { contentsOf, pairsOf, queryOf, type Header } from './raw.ts';
import type { Kept } from './tape.ts';

/** A delivery as it may be shown: in the place of each credential its length. */
export interface Masked {
  readonly target: string;
  readonly headers: readonly Header[];
  /** With its content only. */
  readonly body: string | undefined;
  /** What the tokens in it say, with its content only. */
  readonly claims: readonly string[];
}

/** Without its content, the values of the query are left out, too: on a GET they are the event. */
export function maskedRequest(kept: Kept, { content }: { readonly content: boolean }): Masked {
  const { target } = kept;
  const headers = pairsOf(kept);
  const body = kept.body.toString(isUtf8(kept.body) ? 'utf8' : 'latin1');
  const query = queryOf(target);
  const texts = [target, ...headers.map(([, value]) => value), body];
  return {
    target:
      maskedPath(target) +
      (query === '' ? '' : `?${content ? maskedFields(query) : maskedFields(query, /^/)}`),
    headers: headers.map(([name, value]) => [
      name,
      CREDENTIAL.test(name) ? hidden(value) : withoutTokens(value),
    ]),
    body: content ? maskedBody(body) : undefined,
    claims: content
      ? texts.flatMap((text) => text.match(TOKEN) ?? []).map((token) => contentsOf(token)[1].toString())
      : [],
  };
}

/** Somebody may have put a token there. */
export function maskedPath(target: string): string {
  return withoutTokens(pathOf(target));
}

/** Of a header, a field, a member. */
const CREDENTIAL = /auth|token|secret|sign|cookie|passw|credential|session|jwt|^key$|api-?key/i;

/** Of a JWT or JWS, whole or cut off: its header and what it says are JSON objects, and so begin with these letters. */
const TOKEN = /(?<![\w-])(?:eyJ[\w-]{16,}|e[w-z][\w-]+\.e[w-z][\w-]+)(?:\.[\w-]*)*/g;

function hidden(value: string): string {
  return `<${value.length} characters>`;
}

function withoutTokens(text: string): string {
  return text.replace(TOKEN, hidden);
}

const BOUNDARY = '\r\n--';

/**
 * A text of JSON, and what stands behind its colon, if that is one, too. Whole, or to the end where it is not closed: begun again
 * inside it, a body full of escaped quotation marks would take the square of its length.
 */
const MEMBER = /("(?:[^"\\]|\\[^]?)*(?:"|$))(?:(\s*:\s*)("(?:[^"\\]|\\[^]?)*(?:"|$)))?/g;

/** Of a multipart form, from one boundary to the next. */
function maskedPart(part: string): string {
  const at = part.indexOf('\r\n\r\n');
  const [, name = ''] = /name="([^"\r\n]*)"/.exec(at === -1 ? '' : part.slice(0, at)) ?? [];
  return CREDENTIAL.test(name) ? `${part.slice(0, at + 4)}${hidden(part.slice(at + 4))}` : part;
}

function maskedBody(body: string): string {
  if (/^[\w.*+%[\]~&-]+=/.test(body)) return maskedFields(body);
  const parts = body.split(BOUNDARY).map(maskedPart).join(BOUNDARY);
  const members = parts.replace(MEMBER, (text, name: string, colon?: string, value?: string) =>
    colon !== undefined && value !== undefined && CREDENTIAL.test(name)
      ? `${name}${colon}"${hidden(value.slice(1, -1))}"`
      : text,
  );
  return withoutTokens(members);
}

/** A query or a form. */
function maskedFields(text: string, credential = CREDENTIAL): string {
  const fields = text.split('&').map((pair) => {
    const at = pair.indexOf('=');
    const [name, value] = at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    return credential.test(name) && value !== '' ? `${name}=${hidden(value)}` : pair;
  });
  return withoutTokens(fields.join('&'));
}
