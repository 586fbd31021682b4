import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { isSealed, seal, unseal } from '../inbox/sealed/bytes.ts';
import type { InboxKey } from '../inbox/sealed/keys.ts';
import { groupName, type Group, type Kept, type Lost, type StoredBytes, type Taped } from './tape.ts';

/** All of a taped delivery but its body, which follows behind a line end. */
const headSchema = z.object({
  at: z.number(),
  from: z.string().optional(),
  method: z.string(),
  target: z.string(),
  httpVersion: z.string(),
  headers: z.array(z.string()),
  whole: z.boolean(),
  request: z.string().optional(),
  seq: z.number().optional(),
  why: z.string().optional(),
});

const LINE_END = 0x0a;

/** What is kept of a taped delivery: encrypted, where there is a key. */
export function toBytes({ body, endpoint, outcome, ...head }: Taped, key: InboxKey | undefined): Buffer {
  const plain = Buffer.concat([Buffer.from(JSON.stringify(head)), Buffer.of(LINE_END), body]);
  return key === undefined ? plain : seal(plain, key, boundTo({ endpoint, outcome }));
}

export function fromBytes({ number, group, bytes }: StoredBytes, keys: readonly InboxKey[]): Kept | Lost {
  try {
    const plain = isSealed(bytes) ? unseal(bytes, keys, boundTo(group)) : bytes;
    const end = plain.indexOf(LINE_END);
    const head = headSchema.parse(JSON.parse(plain.toString('utf8', 0, end)));
    const { from, seq, why } = head;
    return { ...head, ...group, number, from, seq, why, body: plain.subarray(end + 1) };
  } catch (error) {
    const why =
      error instanceof SyntaxError || error instanceof z.ZodError
        ? 'its bytes are damaged'
        : messageOf(error);
    return { number, unreadable: why };
  }
}

/** What encrypted bytes belong to: they cannot be shown as what came to another endpoint, or became of it. */
function boundTo(group: Group): Buffer {
  return Buffer.from(`tape ${groupName(group)}`);
}
