import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

export const WATCHERS = 5;
export const WATCHER_TOKEN = 'only-for-this-measurement';

/** Opens the list of deliveries in as many consoles, which read whatever comes until the receiver is gone. */
export async function watch(url: string): Promise<void> {
  const login = await fetch(`${url}/login`, {
    method: 'POST',
    headers: { Origin: url },
    body: new URLSearchParams({ token: WATCHER_TOKEN }),
    redirect: 'manual',
  });
  const [cookie = ''] = login.headers.getSetCookie();
  for (let count = 0; count < WATCHERS; count += 1) {
    const asking = get(`${url}/stream`, { headers: { Cookie: cookie.split(';')[0] }, agent: false });
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`The console answered ${response.statusCode ?? 0}.`);
    response.on('error', () => undefined).resume();
  }
}
