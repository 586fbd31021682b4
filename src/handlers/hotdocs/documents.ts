import { DeadLetter } from '../../errors.ts';
import type { Archive, Archived, DocumentKey } from '../../records/archive.ts';
import type { Occurrence } from '../../source.ts';
import type { HotdocsApi } from '../../sources/hotdocs/api.ts';
import type { DocumentPayload, VersionPayload } from './work-items.ts';

export type VersionEvent = Occurrence<string, VersionPayload>;

/** Every document once: the sender keeps the last five versions only. */
export async function archiveDocuments(
  archive: Archive,
  api: HotdocsApi,
  event: VersionEvent,
): Promise<void> {
  for (const document of event.payload.documents) await archiveDocument(archive, api, event, document);
}

/** `stage` tells a document from what it becomes later under the same id. */
export function archiveDocument(
  archive: Archive,
  api: HotdocsApi,
  { payload: { workItemId, workItemVersionId }, signal }: VersionEvent,
  { id, name, url }: DocumentPayload,
  ...stage: DocumentKey
): Promise<Archived> {
  const key = ['hotdocs', workItemId, workItemVersionId, id, ...stage];
  return archive.keep(key, name, (directory) => api.documentContent(addressOf(url), directory, signal));
}

/** The client refuses hosts that are not listed. */
function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new DeadLetter('handler_gave_up', 'The address of a document is none.');
  return url;
}
