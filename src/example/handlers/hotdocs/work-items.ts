import { z } from 'zod';
import type { OwnRecords } from '../../records/records.ts';

/** What an event tells of a version of a work item. */
export interface VersionPayload {
  readonly workItemId: string;
  readonly workItemVersionId: string;
  readonly workItemName?: string | undefined;
  readonly documents: readonly DocumentPayload[];
}

export interface DocumentPayload {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly fileName?: string | undefined;
  readonly mimeType?: string | undefined;
}

const workItem = z.object({
  name: z.string(),
  versions: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      documents: z.array(z.object({ id: z.string(), name: z.string() })),
    }),
  ),
});

export type WorkItem = z.output<typeof workItem>;

export function findWorkItem(records: OwnRecords, id: string): WorkItem | undefined {
  const known = records.find('work item', id);
  return known === undefined ? undefined : workItem.parse(known);
}

/**
 * Keeps the list of a version's documents; they keep their ids from version to version, so versions are told apart.
 * Nothing is kept, or returned, of a version that is complete already: processing comes before completion, whatever the
 * order in which the two arrive.
 */
export function listDocuments(
  records: OwnRecords,
  { workItemId, workItemVersionId, workItemName, documents }: VersionPayload,
  state: 'complete' | 'being processed',
): string | undefined {
  const versions = findWorkItem(records, workItemId)?.versions ?? [];
  const known = versions.find(({ id }) => id === workItemVersionId);
  if (known?.state === 'complete' && state !== 'complete') return undefined;
  const version = {
    id: workItemVersionId,
    state,
    documents: documents.map(({ id, name }) => ({ id, name })),
  };
  records.put('work item', workItemId, {
    name: workItemName ?? workItemId,
    versions: [...versions.filter((other) => other !== known), version],
  });
  return `${documents.length} document${documents.length === 1 ? '' : 's'} listed, version ${state}`;
}
