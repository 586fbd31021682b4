import { hash } from 'node:crypto';
import type { DocumentChange, HotdocsApi } from '../../../kit/index.ts';
import type { Archive } from '../../records/archive.ts';
import { coverSheet, isPdf, withFooter } from '../pdf.ts';
import { archiveDocument, type VersionEvent } from './documents.ts';
import type { DocumentPayload } from './work-items.ts';

/** A PDF gets a footer; what else there is, and what is signed, gets a cover sheet, which is a document of its own. */
export async function markDocuments(
  archive: Archive,
  api: HotdocsApi,
  event: VersionEvent,
): Promise<DocumentChange[]> {
  const { workItemId, workItemVersionId, workItemName = workItemId, documents } = event.payload;
  const { signal } = event;
  const changes: DocumentChange[] = [];
  const others: string[] = [];
  for (const document of documents) {
    // By the next attempt, what the address leads to may have been changed by this one: the original is kept.
    const which = { workItemId, workItemVersionId, document };
    const original = await archiveDocument(archive, api, which, signal, 'original');
    const pages = await archive.withFile(original, async (file) =>
      (await isPdf(file)) ? withFooter({ file, bytes: original.bytes }, workItemName, signal) : undefined,
    );
    if (pages === undefined) others.push(document.name);
    else changes.push(pdf(document.id, fileNameOf(document), pages));
  }
  if (others.length === 0) return changes;
  const id = nameBasedId(workItemVersionId, 'cover sheet');
  const body = await coverSheet(workItemName, others, signal);
  return [...changes, { ...pdf(id, 'Cover Sheet.pdf', body), name: 'Cover Sheet', assembledOrder: 0 }];
}

function pdf(documentId: string, fileName: string, body: Buffer): DocumentChange {
  return { documentId, fileName, contentType: 'application/pdf', body };
}

function fileNameOf({ name, fileName = `${name}.pdf` }: DocumentPayload): string {
  return fileName.replace(/[/\\\p{Cc}]/gu, '_');
}

/** A UUID that the same words give again, so that a repeated attempt replaces what an earlier one uploaded. */
function nameBasedId(...words: readonly string[]): string {
  const bytes = hash('sha256', JSON.stringify(words), 'buffer').subarray(0, 16);
  // https://www.rfc-editor.org/rfc/rfc9562#section-5.8
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
