import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

export interface Asked {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asking {
  /** What is posted; without it the page is only looked at. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

/** Asks a console as a browser does that shows it, unless headers say otherwise; an empty one is left out. */
export async function ask(
  console: string,
  path: string,
  { form, headers, method }: Asking = {},
): Promise<Asked> {
  const all = {
    ...(form && { Origin: console, 'Content-Type': 'application/x-www-form-urlencoded' }),
    ...headers,
  };
  const asking = request(console + path, {
    method: method ?? (form ? 'POST' : 'GET'),
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
    agent: false,
  });
  asking.end(form && new URLSearchParams(form).toString());
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let body = '';
  for await (const part of response.setEncoding('utf8')) body += String(part);
  return { status: response.statusCode, headers: response.headers, body };
}

export const passes = { act: 'a-token-of-ada-long-enough', look: 'a-token-of-ben-long-enough' };

/** For a receiver whose console two people may look at, and one of them act on. */
export const guarded = {
  ADMIN_PORT: '0',
  CONSOLE_TOKEN: `ada:${passes.act}`,
  CONSOLE_LOOK_TOKEN: `ben:${passes.look}`,
};

/** The cookie of somebody who has logged in. */
export async function logIn(console: string, token: string): Promise<{ readonly Cookie: string }> {
  const { headers } = await ask(console, '/login', { form: { token } });
  return { Cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '' };
}
