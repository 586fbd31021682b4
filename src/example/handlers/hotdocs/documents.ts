import { z } from 'zod';
import { DeadLetter, defineStep, type HotdocsApi, type Occurrence } from '../../../kit/index.ts';
import type { Archive, Archived, DocumentKey } from '../../records/archive.ts';
import type { VersionPayload } from './work-items.ts';

export type VersionEvent = Occurrence<string, VersionPayload>;

/** One document of a version is put into the archive: what the others come to does not hold it up. */
export const archiving = defineStep(
  'hotdocs.archive-document',
  z.object({
    workItemId: z.string(),
    workItemVersionId: z.string(),
    document: z.object({
      id: z.string(),
      name: z.string(),
      url: z.string(),
      fileName: z.string().optional(),
      mimeType: z.string().optional(),
    }),
  }),
);

type DocumentOf = z.output<typeof archiving.schema>;

/** Every document once: the sender keeps the last five versions only. */
export function archiveLater({ payload, followUp }: VersionEvent): void {
  const { workItemId, workItemVersionId, documents } = payload;
  for (const { id, name, url, fileName, mimeType } of documents) {
    const data = { workItemId, workItemVersionId, document: { id, name, url, fileName, mimeType } };
    followUp(archiving, data, { subject: `document:${workItemVersionId} ${id}` });
  }
}

/** `stage` tells a document from what it becomes later under the same id. */
export function archiveDocument(
  archive: Archive,
  api: HotdocsApi,
  { workItemId, workItemVersionId, document }: DocumentOf,
  signal: AbortSignal,
  ...stage: DocumentKey
): Promise<Archived> {
  const { id, name, url, fileName, mimeType } = document;
  const announced = { fileName, contentType: mimeType };
  const key = ['hotdocs', workItemId, workItemVersionId, id, ...stage];
  return archive.keep(key, name, (directory) =>
    api.documentContent(addressOf(url), directory, signal, announced),
  );
}

/** The client refuses hosts that are not listed. */
function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new DeadLetter('handler_gave_up', 'The address of a document is none.');
  return url;
}
