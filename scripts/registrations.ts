import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Registration } from '../src/kit/sources/risr/api/registrations.ts';

const notes = z.record(z.string(), z.object({ rev: z.string(), topic: z.string(), url: z.string() }));

/** What was registered from here, in a file: the API may not be able to list it. */
export interface Registrations {
  list(): Registration[];
  note(registration: Registration): void;
  forget(id: string): void;
}

/** @throws if the file is there and is not what this has written */
export function openRegistrations(file: string): Registrations {
  let known = notes.parse(JSON.parse(textIn(file)));
  const keep = (changed: typeof known) => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${JSON.stringify(changed, undefined, 2)}\n`, { mode: 0o600 });
    known = changed;
  };
  return {
    list: () => Object.entries(known).map(([id, noted]) => ({ id, ...noted })),
    note: ({ id, rev, topic, url }) => keep({ ...known, [id]: { rev, topic, url } }),
    forget: (id) => keep(Object.fromEntries(Object.entries(known).filter(([other]) => other !== id))),
  };
}

function textIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '{}';
    throw error;
  }
}
