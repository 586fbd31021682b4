import { hash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import type { ArchivedFile, Finding } from './scenario.ts';

/** A file as its product has it. */
export interface Original {
  readonly id: string;
  readonly body: Buffer;
}

/** Whether exactly these files are archived of an owner, each once and byte for byte. */
export function findArchived(
  archived: readonly ArchivedFile[],
  owner: string,
  originals: readonly Original[],
): Finding {
  const kept = archived.filter((file) => file.owner === owner);
  const wanted = originals.map(({ id, body }) => ({ id, sha256: hash('sha256', body) }));
  const missing = wanted.flatMap(({ id, sha256 }) => {
    const copies = kept.filter((file) => file.document === id);
    const [copy] = copies;
    if (copy === undefined) return [`${id} is not archived`];
    if (copies.length > 1) return [`${id} is archived ${copies.length} times`];
    return copy.sha256 === sha256
      ? []
      : [`${id} is archived with ${short(copy.sha256)}, not ${short(sha256)}`];
  });
  if (kept.length > wanted.length) missing.push(`${kept.length} files are archived, not ${wanted.length}`);
  if (missing.length > 0) return { missing: missing.join('; ') };
  return { found: `SHA-256 ${wanted.map(({ sha256 }) => short(sha256)).join(', ')}` };
}

function short(sha256: string): string {
  return `${sha256.slice(0, 8)}…`;
}

/** How often a text is drawn in a PDF, in whichever way its strings are written. */
export function countInPdf(pdf: Buffer, text: string): number {
  const written = Buffer.from(text, 'latin1');
  const hexadecimal = written.toString('hex').toUpperCase();
  const literal = written.toString('latin1');
  return contentsOf(pdf).reduce(
    (count, content) =>
      count + occurrences(content.toUpperCase(), hexadecimal) + occurrences(content, literal),
    0,
  );
}

function occurrences(content: string, text: string): number {
  return content.split(text).length - 1;
}

/** Its streams, inflated where they are deflated. */
function contentsOf(pdf: Buffer): string[] {
  const bytes = pdf.toString('latin1');
  return [...bytes.matchAll(/stream\r?\n([^]*?)\r?\nendstream/g)].map(([, content = '']) => {
    try {
      return inflateSync(Buffer.from(content, 'latin1')).toString('latin1');
    } catch {
      return content;
    }
  });
}
