import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { tryJson } from '../reading/json.ts';
import { isOutcome, type Stored, type StoredBytes, type TapedOutcome, type TapeStore } from './tape.ts';

/**
 * A folder with a file for each delivery. It appears under its name only when it is whole, so a process that is killed
 * leaves nothing half written behind, and a damaged one costs no other. Nothing here blocks the process: Node writes
 * files in threads of its own.
 */
export function createFolderTapeStore(folder: string): TapeStore {
  let known: Promise<Map<number, Stored>> | undefined;

  /** Read once: whoever writes here is the only one. */
  const index = () => (known ??= readIndex(folder));

  async function put(
    { number, group, at }: Pick<Stored, 'number' | 'group' | 'at'>,
    bytes: Buffer,
  ): Promise<void> {
    const [whole, begun] = [fileOf(folder, number), join(folder, `${number}.begun`)];
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(begun, Buffer.concat([Buffer.from(`${JSON.stringify({ ...group, at })}\n`), bytes]), {
      mode: 0o600,
    });
    await rename(begun, whole);
  }

  return {
    async write(group, at, bytes) {
      const all = await index();
      const number = 1 + Math.max(0, ...all.keys());
      const stored = { number, group, at, size: bytes.length };
      await put(stored, bytes);
      all.set(number, stored);
      return number;
    },
    list: async () => [...(await index()).values()],
    async read(number) {
      const file = await readFile(fileOf(folder, number)).catch(() => undefined);
      return file && whatIsIn(file, number);
    },
    replace: put,
    async remove(numbers) {
      const all = await index();
      for (const number of numbers) {
        await rm(fileOf(folder, number), { force: true });
        all.delete(number);
      }
    },
    close: () => Promise.resolve(),
  };
}

const fileOf = (folder: string, number: number) => join(folder, `${number}.tape`);

/** Longer than the first line of any. */
const HEAD_BYTES = 4_096;

async function readIndex(folder: string): Promise<Map<number, Stored>> {
  const names = await readdir(folder).catch(() => []);
  const numbers = names.filter((name) => name.endsWith('.tape')).map((name) => Number.parseInt(name, 10));
  const found = await Promise.all(numbers.sort((a, b) => a - b).map((number) => readHead(folder, number)));
  return new Map(found.flatMap((stored) => (stored ? [[stored.number, stored]] : [])));
}

async function readHead(folder: string, number: number): Promise<Stored | undefined> {
  await using file = await open(fileOf(folder, number)).catch(() => undefined);
  // What somebody else has put there is no file, or is gone by now.
  if (file === undefined || !(await file.stat()).isFile()) return undefined;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  const { size } = await file.stat();
  return { ...whatIsIn(buffer.subarray(0, bytesRead), number), size };
}

const head = z.object({
  endpoint: z.string().optional(),
  outcome: z.custom<TapedOutcome>(isOutcome),
  at: z.number(),
});

function whatIsIn(file: Buffer, number: number): StoredBytes {
  const end = Math.max(0, file.indexOf('\n'));
  const { endpoint, outcome, at } = head.safeParse(tryJson(file.toString('utf8', 0, end))).data ?? damaged();
  const bytes = file.subarray(end + 1);
  return { number, group: { endpoint, outcome }, at, size: bytes.length, bytes };
}

/** Kept for as long as one that came now: whoever looks is told that it cannot be read. */
function damaged(): z.output<typeof head> {
  return { endpoint: undefined, outcome: 'internal_error', at: Date.now() };
}
