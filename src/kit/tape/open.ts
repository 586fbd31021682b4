import { readAddress } from '../inbox/address.ts';
import type { InboxKey } from '../inbox/sealed/keys.ts';
import { fromBytes, toBytes } from './bytes.ts';
import { createFolderTapeStore } from './folder.ts';
import { createMemoryTapeStore } from './memory.ts';
import type { Tape, TapeStore } from './tape.ts';

/** The tape that belongs to an inbox. @throws InboxUnavailable, or if the address is none that is known */
export async function openTapeStore(inboxUrl: string): Promise<TapeStore> {
  const address = readAddress(inboxUrl);
  if (address?.engine === 'sqlite') return createFolderTapeStore(`${address.file}.tape`);
  if (address?.engine !== 'postgres') return createMemoryTapeStore();
  const { openPostgresTapeStore } = await import('./postgres.ts');
  return openPostgresTapeStore(inboxUrl);
}

/** Opens the tape of an inbox to look into it, whether its receiver is running or not. @throws as openTapeStore */
export async function openTape(inboxUrl: string, keys: readonly InboxKey[]): Promise<Tape> {
  return tapeIn(await openTapeStore(inboxUrl), keys);
}

/** Looks into a store. The first key encrypts, all decrypt. */
export function tapeIn(store: TapeStore, keys: readonly InboxKey[]): Tape {
  const read: Tape['read'] = async (number) => {
    const stored = await store.read(number);
    return stored && fromBytes(stored, keys);
  };
  return {
    async list() {
      const all = await store.list();
      const kept = await Promise.all(all.map(({ number }) => read(number)));
      return kept.filter((one) => one !== undefined);
    },
    heads: () => store.list(),
    read,
    async accepted(kept, seq) {
      const stored = await store.read(kept.number);
      // Its age may have come over it meanwhile.
      if (stored !== undefined) await store.replace(stored, toBytes({ ...kept, seq }, keys[0]));
    },
    forget: (numbers) => store.remove(numbers),
    close: () => store.close(),
  };
}
