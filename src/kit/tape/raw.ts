import type { Taped } from './tape.ts';

export type Header = readonly [name: string, value: string];

/** The headers of a request, each with its value. */
export function pairsOf({ headers }: Pick<Taped, 'headers'>): Header[] {
  return headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? ''] as const] : []));
}

/** What stands behind the question mark. */
export function queryOf(target: string): string {
  const at = target.indexOf('?');
  return at === -1 ? '' : target.slice(at + 1);
}

/** What a token says, in its header and in its payload: read, though nobody has verified it. */
export function contentsOf(token: string): readonly [header: Buffer, payload: Buffer] {
  const [header = '', payload = ''] = token.split('.');
  return [Buffer.from(header, 'base64url'), Buffer.from(payload, 'base64url')];
}
