import { openDatabase, type Row } from '../inbox/postgres/database.ts';
import { readServer } from '../inbox/postgres/server.ts';
import { isOutcome, type Stored, type StoredBytes, type TapeStore } from './tape.ts';

const described = 'number, endpoint, outcome, at, size';

/** A table beside the inbox, so that several receivers write one tape. @throws InboxUnavailable */
export async function openPostgresTapeStore(url: string): Promise<TapeStore> {
  const database = await openDatabase(readServer(url));
  const { query } = database;
  return {
    async write({ endpoint, outcome }, at, bytes) {
      const values = [endpoint, outcome, new Date(at), bytes.length, bytes];
      const [row] = await query(
        'INSERT INTO inbox.tape (endpoint, outcome, at, size, bytes) VALUES ($1, $2, $3, $4, $5) RETURNING number',
        values,
      );
      return Number(row?.['number']);
    },
    list: async () => (await query(`SELECT ${described} FROM inbox.tape ORDER BY number`)).flatMap(toStored),
    async read(number) {
      const [row] = await query(`SELECT ${described}, bytes FROM inbox.tape WHERE number = $1`, [number]);
      return row && toStored(row).map((stored): StoredBytes => ({ ...stored, bytes: bytesOf(row) }))[0];
    },
    async replace({ number }, bytes) {
      await query('UPDATE inbox.tape SET bytes = $2, size = $3 WHERE number = $1', [
        number,
        bytes,
        bytes.length,
      ]);
    },
    async remove(numbers) {
      await query('DELETE FROM inbox.tape WHERE number = ANY ($1)', [numbers]);
    },
    close: () => database.close(),
  };
}

function toStored({ number, endpoint, outcome, at, size }: Row): Stored[] {
  if (!isOutcome(outcome)) return [];
  const group = { endpoint: typeof endpoint === 'string' ? endpoint : undefined, outcome };
  return [{ number: Number(number), group, at: Number(at), size: Number(size) }];
}

function bytesOf({ bytes }: Row): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0);
}
