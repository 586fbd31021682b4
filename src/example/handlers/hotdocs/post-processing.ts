import { hash } from 'node:crypto';
import { DeadLetter, HandlerLate } from '../../../kit/errors.ts';
import { CallFailed } from '../../../kit/outgoing/errors.ts';
import type { Archive } from '../../records/archive.ts';
import type { HotdocsApi, Upload } from '../../../kit/sources/hotdocs/api/api.ts';
import { orGiveUp } from '../give-up.ts';
import { coverSheet, isPdf, withFooter } from '../pdf.ts';
import { archiveDocument, type VersionEvent } from './documents.ts';
import type { DocumentPayload } from './work-items.ts';

/** Changes the documents of a version and lets the user have them. He waits, so a failure for good is reported, too. */
export async function postProcess(
  archive: Archive,
  api: HotdocsApi,
  event: VersionEvent,
  onFailure: 'failed' | 'complete',
): Promise<string> {
  try {
    return await orGiveUp(changeDocuments(archive, api, event));
  } catch (error) {
    // Should this fail as well, its error goes on instead: one that may be over soon is tried again.
    if (isFinal(event, error)) await endAnyway(api, versionOf(event), onFailure);
    throw error;
  }
}

async function changeDocuments(archive: Archive, api: HotdocsApi, event: VersionEvent): Promise<string> {
  const version = versionOf(event);
  const { signal } = event;
  const ended = event.attempt > 1 && (await hasEnded(api, event));
  if (ended) return 'version is not in post-processing any more';
  // All are made before the first is uploaded: what fails here leaves the originals untouched.
  const uploads = await makeUploads(archive, api, event);
  for (const upload of uploads) await api.uploadDocument({ ...version, ...upload }, signal);
  await api.setPostProcessingStatus({ ...version, status: 'Complete' }, signal);
  return `${uploads.length} document${uploads.length === 1 ? '' : 's'} uploaded, status set to Complete`;
}

/** An attempt that was cut short may have come to the end. That path is not documented: unanswered, it says nothing. */
async function hasEnded(api: HotdocsApi, event: VersionEvent): Promise<boolean> {
  const status = await api.versionStatus(versionOf(event), event.signal).catch(() => '');
  return /^(completed|postprocessingfailed)$/i.test(status);
}

type Change = Omit<Upload, 'workItemId' | 'versionId'>;

/** A PDF gets a footer; what else there is gets a cover sheet, which is a document of its own. */
async function makeUploads(archive: Archive, api: HotdocsApi, event: VersionEvent): Promise<Change[]> {
  const { workItemId, workItemVersionId, workItemName = workItemId, documents } = event.payload;
  const { signal } = event;
  const changes: Change[] = [];
  const others: string[] = [];
  for (const document of documents) {
    // By the next attempt, what the address leads to may have been changed by this one: the original is kept.
    const which = { workItemId, workItemVersionId, document };
    const original = await archiveDocument(archive, api, which, signal, 'original');
    const body = await archive.read(original);
    if (isPdf(body))
      changes.push(pdf(document.id, fileNameOf(document), await withFooter(body, workItemName)));
    else others.push(document.name);
  }
  if (others.length === 0) return changes;
  const id = nameBasedId(workItemVersionId, 'cover sheet');
  const body = await coverSheet(workItemName, others);
  return [...changes, { ...pdf(id, 'Cover Sheet.pdf', body), name: 'Cover Sheet', assembledOrder: 0 }];
}

function pdf(documentId: string, fileName: string, body: Buffer): Change {
  return { documentId, fileName, contentType: 'application/pdf', body };
}

function fileNameOf({ name, fileName = `${name}.pdf` }: DocumentPayload): string {
  return fileName.replace(/[/\\\p{Cc}]/gu, '_');
}

function versionOf({ payload: { workItemId, workItemVersionId } }: VersionEvent) {
  return { workItemId, versionId: workItemVersionId };
}

/** A UUID that the same words give again, so that a repeated attempt replaces what an earlier one uploaded. */
function nameBasedId(...words: readonly string[]): string {
  const bytes = hash('sha256', JSON.stringify(words), 'buffer').subarray(0, 16);
  // https://www.rfc-editor.org/rfc/rfc9562#section-5.8
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** An attempt that a shutdown cuts short is not lost: it is given back, and comes again. */
function isFinal({ lastAttempt, signal }: VersionEvent, error: unknown): boolean {
  if (signal.aborted && !(signal.reason instanceof HandlerLate)) return false;
  return lastAttempt || error instanceof DeadLetter;
}

/** Without the event's signal: its time may be over. Whether a failure can be reported at all is not documented. */
async function endAnyway(
  api: HotdocsApi,
  version: ReturnType<typeof versionOf>,
  onFailure: 'failed' | 'complete',
): Promise<void> {
  if (onFailure === 'failed') {
    try {
      await api.setPostProcessingStatus({ ...version, status: 'Failed' });
      return;
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }
  await api.setPostProcessingStatus({ ...version, status: 'Complete' });
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof CallFailed)) return false;
  const { status = 0 } = error;
  return status >= 400 && status <= 499;
}
