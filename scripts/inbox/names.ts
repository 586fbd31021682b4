import type { Inbox } from '../../src/kit/inbox/inbox.ts';
import { sources as products } from '../../src/kit/sources/index.ts';
import { pickOne } from '../../src/lab/usage.ts';
import type { Chosen } from './command.ts';

/**
 * A misspelt source or event type would look like one of which nothing has come. What entries have is right, whatever it
 * is: a source may have gone since.
 * @throws UsageError that lists the names there are
 */
export async function checkNames(inbox: Inbox, { source, type }: Chosen['filter']): Promise<void> {
  const isThere = async (filter: Chosen['filter']) => (await inbox.list({ ...filter, limit: 1 })).length > 0;
  if (source !== undefined && !(await isThere({ source }))) {
    const names = (await sources()).map(({ name }) => name);
    pickOne('--source', source, names);
  }
  if (type === undefined || (await isThere({ type }))) return;
  const asked = (await sources()).filter(({ name }) => source === undefined || name === source);
  pickOne('--type', type, [...new Set(asked.flatMap(({ events }) => Object.keys(events)))]);
}

/** The app's and the kit's. Only now: the inbox can be looked at while the app does not compile. */
async function sources() {
  const { app } = await import('../the-app.ts');
  return [...new Set([...app.sources, ...products])];
}
