import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { isObject, tryJson } from '../reading/json.ts';
import { addTo, type Count, type FactStore } from './store.ts';

/** Of an inbox in a file, where its counts are kept. */
export function factsFile(inboxFile: string): string {
  return `${inboxFile}.facts.json`;
}

const text = z.string().max(1_000);
const time = z.number().nonnegative();
const row = z.tuple([text, text, text, text, z.int().positive(), time, time]);
const written = z.object({ version: z.literal(1), counts: z.array(row).max(100_000) });

/**
 * Counts in a small file, which is written anew as a whole and then put in the place of the old one. Only the receiver
 * that owns the inbox writes it.
 */
export async function openFactsFile(
  file: string,
  onBroken: (putAside: string) => void = () => undefined,
): Promise<FactStore> {
  let kept = new Map<string, Count>();

  async function write(all: ReadonlyMap<string, Count>): Promise<void> {
    const counts = [...all.values()].map(({ source, endpoint, fact, variant, count, first, last }) => [
      ...[source, endpoint, fact, variant],
      ...[count, first, last],
    ]);
    const next = `${file}.next`;
    await writeFile(next, JSON.stringify({ version: 1, counts }), { mode: 0o600 });
    await chmod(next, 0o600); // one that was left there keeps its mode when it is written
    await rename(next, file);
  }

  try {
    addTo(kept, await readFactsFile(file));
  } catch {
    const aside = `${file}.broken`;
    await rename(file, aside);
    onBroken(aside);
  }
  return {
    async add(counts) {
      const all = new Map(kept);
      addTo(all, counts);
      await write(all);
      kept = all;
    },
    read: async () => [...kept.values()],
    close: async () => undefined,
  };
}

/** What is kept in a file; nothing where there is none. @throws if it is not as it was written */
export async function readFactsFile(file: string): Promise<Count[]> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if (isObject(error) && error['code'] === 'ENOENT') return [];
    throw error;
  }
  const { data } = written.safeParse(tryJson(content));
  if (data === undefined)
    throw new Error(
      `${file} is not as it was written. The next start of the receiver puts it aside and counts anew.`,
    );
  return data.counts.map(([source, endpoint, fact, variant, count, first, last]) => ({
    ...{ source, endpoint, fact, variant },
    ...{ count, first, last },
  }));
}
