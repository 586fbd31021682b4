import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Exchange } from './exchange.ts';
import type { WireRequest } from './wire.ts';

/** Files with the bytes of one request. */
export interface Kept {
  /** All of them, as they went over the wire. */
  readonly request: string;
  readonly headers: string;
  readonly body: string;
}

/** Writes the bytes of every request of a case into a folder, readable by their owner only: they hold proofs. */
export function keepBytes(folder: string, caseId: string, exchanges: readonly Exchange[]): Kept[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return exchanges.map(({ bytes, request }, index) => {
    const stem = join(folder, `${caseId.replaceAll('/', '.')}-${index + 1}`);
    const kept = { request: `${stem}.http`, headers: `${stem}.headers`, body: `${stem}.body` };
    const write = (file: string, text: string | Buffer) => writeFileSync(file, text, { mode: 0o600 });
    write(kept.request, bytes);
    if (request !== undefined) {
      write(kept.headers, Buffer.from(headerLines(request).join('\r\n'), 'latin1'));
      write(kept.body, request.body);
    }
    return kept;
  });
}

function headerLines({ headers }: WireRequest): string[] {
  return headers.map(([name, value]) => `${name}: ${value}`);
}
