import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Tools } from './tools.ts';

/** Looks into what the handlers of a receiver in this process have kept. */
export function viewOf({ records, archive }: Pick<Tools, 'records' | 'archive'>) {
  return {
    archived: () => records.list('document').flatMap(({ id, value }) => archivedAs(id, value, archive)),
    taskState: (id: string) => task.parse(records.find('task', id) ?? {}).state,
    booking(id: string) {
      const kept = records.find('booking', id);
      if (kept === undefined) return undefined;
      const { rev, state } = booking.parse(kept);
      return { rev, state: state.name };
    },
  };
}

const task = z.object({ state: z.string().optional() });
const booking = z.object({ rev: z.string(), state: z.object({ name: z.string() }) });
const document = z.object({ sha256: z.string(), bytes: z.number(), name: z.string() });

/** Nothing for an original that is kept only until post-processing has changed it. */
function archivedAs(id: string, value: unknown, archive: Tools['archive']) {
  const [source, ...key] = id.split('/').map(decodeURIComponent);
  const [owner, file, stage] = source === 'hotdocs' ? key.slice(1) : key;
  if (owner === undefined || file === undefined || stage !== undefined) return [];
  // By its content, and not by what is said of it.
  const sha256 = hash('sha256', archive.read(document.parse(value)));
  return [{ owner, document: file, sha256 }];
}
