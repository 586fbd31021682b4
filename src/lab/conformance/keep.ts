import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Exchange } from './exchange.ts';

/** Files with the bytes of one request. */
interface Kept {
  /** All of them, as they went over the wire. */
  readonly request: string;
  readonly body: string | undefined;
}

/** Writes the bytes of every request of a case into a folder, readable by their owner only: they hold proofs. */
export function keepBytes(folder: string, caseId: string, exchanges: readonly Exchange[]): Kept[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return exchanges.map(({ bytes, request }, index) => {
    const stem = join(folder, `${caseId.replaceAll('/', '.')}-${index + 1}`);
    const body = request && request.body.length > 0 ? `${stem}.body` : undefined;
    writeFileSync(`${stem}.http`, bytes, { mode: 0o600 });
    if (request && body !== undefined) writeFileSync(body, request.body, { mode: 0o600 });
    return { request: `${stem}.http`, body };
  });
}
