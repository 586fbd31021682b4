import { isUtf8 } from 'node:buffer';
import { rejections } from '../../kit/errors.ts';
import { kitVersion } from '../../kit/program/version.ts';
import type { Kept } from '../../kit/tape/tape.ts';
import { pairsOf, queryOf } from '../../kit/tape/raw.ts';

/** Deliveries as an HTTP archive, http://www.softwareishard.com/blog/har-12-spec/. It has all that came, credentials included. */
export function harOf(kept: readonly Kept[]): object {
  return {
    log: {
      version: '1.2',
      creator: { name: 'advance-receiver-kit', version: kitVersion() },
      entries: kept.map((one) => entryOf(one)),
    },
  };
}

function entryOf(kept: Kept): object {
  const { number, at, outcome, why = '', whole } = kept;
  const cut = whole ? '' : ' Its body was not read to its end.';
  return {
    startedDateTime: new Date(at).toISOString(),
    time: 0,
    request: requestOf(kept),
    response: responseTo(kept),
    cache: {},
    timings: { send: 0, wait: 0, receive: 0 },
    comment: `#${number} ${outcome}. ${why}${cut}`.trim(),
  };
}

function requestOf({ method, target, httpVersion, headers, body }: Kept): object {
  const pairs = pairsOf({ headers });
  const valueOf = (wanted: string) => pairs.find(([name]) => name.toLowerCase() === wanted)?.[1];
  return {
    method,
    url: target.startsWith('/') ? `http://${valueOf('host') ?? 'unknown.invalid'}${target}` : target,
    httpVersion: `HTTP/${httpVersion}`,
    cookies: [],
    headers: pairs.map(named),
    queryString: [...new URLSearchParams(queryOf(target))].map(named),
    headersSize: -1,
    bodySize: body.length,
    ...(body.length > 0 && {
      postData: { mimeType: valueOf('content-type') ?? '', params: [], ...textOf(body) },
    }),
  };
}

/** For requests the format has no word for bytes that are no text: `encoding` is that of replies, as others write it, too. */
function textOf(body: Buffer): object {
  return isUtf8(body) ? { text: body.toString() } : { text: body.toString('base64'), encoding: 'base64' };
}

/** What is kept of a reply: its status, where the delivery was refused. 0 is none that is known. */
function responseTo({ outcome }: Kept): object {
  const refusal = new Map<string, readonly [number, string]>(Object.entries(rejections)).get(outcome);
  return {
    status: refusal?.[0] ?? 0,
    statusText: outcome,
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: [],
    content: { size: 0, mimeType: '' },
    redirectURL: '',
    headersSize: -1,
    bodySize: -1,
  };
}

function named([name, value]: readonly [string, string]): object {
  return { name, value };
}
