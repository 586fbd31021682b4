import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Saved } from '../../kit/index.ts';
import type { OwnRecords, Records } from './records.ts';

/** A document that was put away. */
export interface Archived {
  /** In hex; also the name of its file. */
  readonly sha256: string;
  readonly bytes: number;
  /** What its source calls it: data, and never part of a path. */
  readonly name: string;
}

/** What says which document is meant: work item, version and document; or task and file. */
export type DocumentKey = readonly string[];

/** A stand-in for your own archive: each document in a file named by its content. */
export interface Archive {
  /** What is in it of one installation. */
  of(installation: string | undefined): Archive;
  /** Puts a document away, once: what is there under its key already is not fetched again. */
  keep(key: DocumentKey, name: string, fetch: (directory: string) => Promise<Saved>): Promise<Archived>;
  find(key: DocumentKey): Archived | undefined;
  fileOf(document: Archived): string;
}

/** Files in `directory`, which is made; their keys in `records`. @throws if no file could be written there */
export function openArchive(records: Records, directory: string): Archive {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  accessSync(directory, constants.W_OK | constants.X_OK);
  const of = (installation: string | undefined) => archiveIn(directory, records.of(installation), of);
  return of(undefined);
}

function archiveIn(directory: string, records: OwnRecords, of: Archive['of']): Archive {
  const fileOf = ({ sha256 }: Archived) => join(directory, sha256);

  function find(key: DocumentKey): Archived | undefined {
    const known = records.find('document', idOf(key));
    return known === undefined ? undefined : archived.parse(known);
  }

  return {
    of,
    find,
    async keep(key, name, fetch) {
      const known = find(key);
      if (known !== undefined && existsSync(fileOf(known))) return known;
      const { sha256, bytes } = await fetch(directory);
      const kept = { sha256, bytes, name };
      records.put('document', idOf(key), kept);
      return kept;
    },
    fileOf,
  };
}

const archived = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number(),
  name: z.string(),
});

/** Parts may hold any character, and two keys are never one id. */
function idOf(key: DocumentKey): string {
  return key.map(encodeURIComponent).join('/');
}
