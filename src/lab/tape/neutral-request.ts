import { pathOf } from '../../kit/http/router.ts';
import { queryOf } from '../../kit/tape/raw.ts';
import type { Neutral } from './neutral.ts';
import type { TextRequest } from './request.ts';

/** A request with neutral values wherever a value stands, and of its headers those that it is read by. */
export function neutralRequest(request: TextRequest, neutral: Neutral, headers: ReadBy): TextRequest {
  const { target, body } = request;
  const query = queryOf(target);
  return {
    ...request,
    target: pathOf(target) + (query === '' ? '' : `?${neutralFields(query, neutral)}`),
    headers: request.headers.flatMap(([name, value]) => {
      const lower = name.toLowerCase();
      if (headers.content.includes(lower)) return [[name, neutral.text(value)] as const];
      const isNeeded = OF_THE_BODY.includes(lower) || headers.proof.includes(lower);
      return isNeeded || (lower === 'authorization' && MARK.test(value)) ? [[name, value] as const] : [];
    }),
    body: neutralBody(body, neutral),
  };
}

/** Names of headers, in lower case. */
interface ReadBy {
  readonly proof: readonly string[];
  /** What they hold is part of the event. */
  readonly content: readonly string[];
}

const OF_THE_BODY = ['content-type', 'content-encoding'];

/** Of a token: see `provenAgain`. */
const MARK = /[\ue000-\uf8ff]/;

function neutralBody(body: string, neutral: Neutral): string {
  if (/^\s*[{["]/.test(body)) return neutral.json(body);
  if (body.startsWith('--')) return neutralParts(body, neutral);
  if (/^[\w.*+%[\]~&-]+=/.test(body)) return neutralFields(body, neutral);
  return neutral.text(body);
}

/** A multipart form: the names in its heads, and each value up to the next boundary. */
function neutralParts(body: string, neutral: Neutral): string {
  const [boundary = ''] = /^[^\r\n]*/.exec(body) ?? [];
  return body
    .split(boundary)
    .map((part) => {
      const [, head = part, value, end = ''] = /^(.*?\r\n\r\n)(.*?)(\r\n)?$/s.exec(part) ?? [];
      const named = head.replace(
        /((?:^|[; ])(?:file)?name=")([^"]*)"/g,
        (_, before: string, name: string) => {
          return `${before}${before.includes('file') ? neutral.text(name) : neutral.name(name)}"`;
        },
      );
      return value === undefined ? part : named + neutral.text(value) + end;
    })
    .join(boundary);
}

/** A query or a form. */
function neutralFields(text: string, neutral: Neutral): string {
  return text
    .split('&')
    .map((pair) => {
      const [name = '', ...rest] = pair.split('=');
      const value = rest.join('=');
      const named = again(name, (plain) => neutral.name(plain));
      return rest.length === 0 ? named : `${named}=${again(value, (plain) => neutral.text(plain))}`;
    })
    .join('&');
}

/** Percent-encoded as it was. */
function again(written: string, change: (plain: string) => string): string {
  const plain = new URLSearchParams(`x=${written}`).get('x') ?? '';
  const changed = change(plain);
  if (changed === plain) return written;
  const encoded = encodeURIComponent(changed);
  const blanks = written.includes('+') ? encoded.replaceAll('%20', '+') : encoded;
  return /%[\da-f]?[a-f]/.test(written) ? blanks.replace(/%../g, (code) => code.toLowerCase()) : blanks;
}
