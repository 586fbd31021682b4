import { CallRefused, nameOf, shown } from './errors.ts';

interface Redirecting {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Where a reply wants its call to be made again, or `undefined` if it does not, or if that would turn a call that
 * changes something into a GET.
 * @throws CallRefused if it is another origin (what we send is meant for this one, credentials above all), or if none of
 * the redirects that may be followed is `left`
 */
export function redirectOf(
  call: { readonly method: string; readonly url: URL },
  { statusCode, headers }: Redirecting,
  left: number,
): URL | undefined {
  const location = headers['location'];
  if (location === undefined || !keepsMethod(statusCode, call.method)) return undefined;
  const target = typeof location === 'string' ? URL.parse(location, call.url) : null;
  if (target?.origin !== call.url.origin) throw refused(call, `to ${originText(target)}, another origin`);
  if (left === 0) throw refused(call, 'once more after several times');
  return target;
}

function refused(call: { readonly method: string; readonly url: URL }, how: string): CallRefused {
  return new CallRefused('redirect_refused', `${nameOf(call)} was redirected ${how}; that is not followed.`);
}

function originText(target: URL | null): string {
  return target === null ? 'an unreadable address' : shown(`${target.protocol}//${target.host}`);
}

function keepsMethod(status: number, method: string): boolean {
  if (status === 307 || status === 308) return true;
  return (status === 301 || status === 302 || status === 303) && (method === 'GET' || method === 'HEAD');
}
