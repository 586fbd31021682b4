import { z } from 'zod';
import { misfits } from '../../kit/reading/json.ts';
import { UsageError } from '../usage.ts';
import type { RawRequest } from '../raw-request.ts';
import { plainHead, withoutOrigin } from './read-http.ts';

const named = z.object({ name: z.string(), value: z.string() });
const posted = z.object({
  mimeType: z.string().default(''),
  text: absent(z.string()),
  encoding: absent(z.string()),
  params: absent(z.array(z.object({ name: z.string(), value: z.string().default('') }))),
});
const recorded = z.object({
  startedDateTime: z.string().optional(),
  request: z.object({
    method: z.string().min(1),
    url: z.string().min(1),
    httpVersion: z.string().default(''),
    headers: z.array(named),
    bodySize: z.number().optional(),
    postData: absent(posted),
  }),
});
const har = z.object({ log: z.object({ entries: z.array(recorded) }) });

/** Some write what is not there as null. */
function absent<Value>(schema: z.ZodType<Value>) {
  return schema.nullish().transform((value) => value ?? undefined);
}

type Recorded = z.output<typeof recorded>;
type Posted = z.output<typeof posted>;

/**
 * The requests in a HAR file (1.2), as browsers, mitmproxy and services that catch webhooks export it.
 * @throws UsageError in one sentence
 */
export function readHar(text: string): readonly RawRequest[] {
  const result = har.safeParse(parsed(text));
  if (!result.success)
    throw new UsageError(`The file is JSON, but no HAR file: ${misfits(first(result.error))}.`);
  const { entries } = result.data.log;
  if (entries.length === 0) throw new UsageError('The HAR file holds no request.');
  return entries.map(requestOf);
}

/** What is wrong once is wrong in every entry. */
function first({ issues }: z.ZodError): z.ZodError {
  return new z.ZodError(issues.slice(0, 1));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    throw new UsageError('The file is not JSON, so it is no HAR file: an HTTP message is read with --file.');
  }
}

function requestOf({ request, startedDateTime }: Recorded): RawRequest {
  const { method, url, httpVersion } = request;
  const headers = request.headers.map(({ name, value }) => [name, value] as const);
  const special = headers.filter(([name]) => !name.startsWith(':'));
  const version = httpVersion.endsWith('1.0') ? '1.0' : '1.1';
  const authority = headers.filter(([name]) => name === ':authority');
  const { body, doubt } = bodyOf(request);
  const at = Date.parse(startedDateTime ?? '');
  return {
    ...plainHead([[':method', method], [':path', withoutOrigin(url)], ...authority, ...special], version),
    body,
    ...(Number.isNaN(at) ? {} : { at }),
    ...(doubt === undefined ? {} : { doubts: [doubt] }),
  };
}

interface Body {
  readonly body: Buffer;
  readonly doubt?: string;
}

function bodyOf({ postData, bodySize = 0 }: Recorded['request']): Body {
  if (postData === undefined) {
    const body = Buffer.alloc(0);
    return bodySize > 0 ? { body, doubt: 'The HAR file does not hold the body of this request.' } : { body };
  }
  const { body, doubt } = bodyIn(postData);
  if (doubt !== undefined || bodySize <= 0 || body.length === bodySize)
    return { body, ...(doubt !== undefined && { doubt }) };
  return {
    body,
    doubt: `The HAR file says ${bodySize} bytes for the body, and holds ${body.length}: they may not be the ones that came.`,
  };
}

function bodyIn({ text, encoding, params, mimeType }: Posted): Body {
  if (text !== undefined && encoding?.toLowerCase() === 'base64')
    return { body: Buffer.from(text, 'base64') };
  if (text !== undefined && (text !== '' || !params?.length)) {
    const body = Buffer.from(text);
    return text.includes('\ufffd') || !text.isWellFormed() ? { body, doubt: NOT_TEXT } : { body };
  }
  if (/^multipart\//i.test(mimeType)) return { body: Buffer.alloc(0), doubt: NO_TEXT };
  const fields = (params ?? []).map(({ name, value }): [string, string] => [name, value]);
  return { body: Buffer.from(new URLSearchParams(fields).toString()), doubt: REBUILT };
}

const NOT_TEXT =
  'The body was no text in UTF-8, and the HAR file holds it as such: some of its bytes are lost.';
const NO_TEXT =
  'The HAR file holds only the fields of this form, and not how it was written: its body is missing.';
const REBUILT =
  'The HAR file holds only the fields of this form: its body was written anew from them, and may differ from what came.';
