import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Saved, Sealing } from '../../kit/index.ts';
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
  /** Its bytes, as they were fetched. */
  read(document: Archived): Buffer;
  /** Works with a file that has these bytes, and is there for as long as the work lasts. */
  withFile<Result>(document: Archived, work: (file: string) => Promise<Result>): Promise<Result>;
}

/**
 * Files in `directory`, which is made; their keys in `records`. Where there are keys to seal with, files are sealed as soon as they are
 * fetched, and have `.sealed` behind their name. @throws if no file could be written there
 */
export function openArchive(records: Records, directory: string, sealing?: Sealing): Archive {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  accessSync(directory, constants.W_OK | constants.X_OK);
  const files = filesIn(directory, sealing);
  const of = (installation: string | undefined) => archiveIn(files, records.of(installation), of);
  return of(undefined);
}

function archiveIn(files: Files, records: OwnRecords, of: Archive['of']): Archive {
  function find(key: DocumentKey): Archived | undefined {
    const known = records.find('document', idOf(key));
    return known === undefined ? undefined : archived.parse(known);
  }

  return {
    of,
    find,
    async keep(key, name, fetch) {
      const known = find(key);
      if (known !== undefined && files.has(known.sha256)) return known;
      const { sha256, bytes } = await fetch(files.directory);
      await files.sealFetched(sha256);
      const kept = { sha256, bytes, name };
      records.put('document', idOf(key), kept);
      return kept;
    },
    read: ({ sha256 }) => files.read(sha256),
    withFile: ({ sha256 }, work) => files.withFile(sha256, work),
  };
}

/** The documents by their SHA-256, in hex. */
interface Files {
  readonly directory: string;
  has(sha256: string): boolean;
  read(sha256: string): Buffer;
  withFile<Result>(sha256: string, work: (file: string) => Promise<Result>): Promise<Result>;
  sealFetched(sha256: string): Promise<void>;
}

function filesIn(directory: string, sealing: Sealing | undefined): Files {
  const plain = (sha256: string) => join(directory, sha256);
  const sealed = (sha256: string) => `${plain(sha256)}.sealed`;
  const owner = (sha256: string) => `document ${sha256}`;

  function read(sha256: string): Buffer {
    if (!existsSync(sealed(sha256))) return readFileSync(plain(sha256));
    if (sealing === undefined) throw new Error('The archive is sealed, and there are no keys.');
    return sealing.open(readFileSync(sealed(sha256)), owner(sha256));
  }

  return {
    directory,
    has: (sha256) => existsSync(sealed(sha256)) || existsSync(plain(sha256)),
    read,
    async withFile(sha256, work) {
      if (!existsSync(sealed(sha256))) return work(plain(sha256));
      const folder = await mkdtemp(join(directory, '.open-'));
      try {
        const file = join(folder, sha256);
        await writeFile(file, read(sha256), { mode: 0o600 });
        return await work(file);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async sealFetched(sha256) {
      if (sealing?.isOn() !== true) return;
      const begun = `${sealed(sha256)}.begun`;
      const bytes = sealing.seal(readFileSync(plain(sha256)), owner(sha256));
      await writeFile(begun, bytes, { mode: 0o600, flush: true });
      renameSync(begun, sealed(sha256));
      rmSync(plain(sha256));
    },
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
