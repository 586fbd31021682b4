import { readAddress } from '../inbox/address.ts';
import { factsFile, openFactsFile, readFactsFile } from './file.ts';
import { createMemoryStore, type Count, type FactStore } from './store.ts';

/** Opens the counts beside the inbox that INBOX_URL names, for a receiver. @throws if they cannot be read */
export async function openFactStore(url: string, onBroken: (putAside: string) => void): Promise<FactStore> {
  const address = readAddress(url);
  if (address?.engine === 'sqlite') return openFactsFile(factsFile(address.file), onBroken);
  return address?.engine === 'postgres' ? openPostgres(url) : createMemoryStore();
}

/** Looks at them from outside, and changes nothing. @throws if they cannot be read */
export async function readFacts(url: string): Promise<readonly Count[]> {
  const address = readAddress(url);
  if (address?.engine === 'sqlite') return readFactsFile(factsFile(address.file));
  if (address?.engine !== 'postgres') return [];
  const store = await openPostgres(url);
  try {
    return await store.read();
  } finally {
    await store.close();
  }
}

/** Loaded only when it is asked for, as the inbox there. */
async function openPostgres(url: string): Promise<FactStore> {
  const { openFactsTable } = await import('./postgres.ts');
  return openFactsTable(url);
}
