import { z } from 'zod';
import { randomUuid, type Random } from '../../random.ts';
import { createPdf } from '../documents.ts';
import type { Archive } from './archive.ts';
import { createTask, signTask, taskFields, taskStates, type TaskFields } from './tasks.ts';

const SIGNERS = [
  { identifier: 'k.ek' },
  {
    source: 'EXTERNAL' as const,
    identifier: '000000000000',
    attributes: { mail: { value: 'p@example.net' }, mobile: { value: '+46700000001' } },
  },
];

/** A task as its owner makes it: what is left out is an example, and a PDF is made where no file is named. */
export const newTask = taskFields
  .extend({
    id: z.guid().optional(),
    title: taskFields.shape.title.default('Rental agreement 2031-118'),
    signers: taskFields.shape.signers.prefault(SIGNERS),
    files: taskFields.shape.files.optional(),
    documents: z
      .array(z.strictObject({ fileName: z.string().min(1), lines: z.array(z.string()) }))
      .min(1)
      .optional(),
  })
  .strict();

type NewTask = z.output<typeof newTask>;

const placedTask = newTask
  .extend({
    /** Identifiers of the signers who have signed. */
    signedBy: z.array(z.string()).default([]),
    state: z.enum(taskStates).optional(),
  })
  .strict();

/** What there is at the start; nothing is sent for it. */
export const phenixidSeed = z.strictObject({ tasks: z.array(placedTask).default([]) });

/** Puts a task there as if it had been made before. */
export function placeTask(
  { state, signedBy, ...input }: z.output<typeof placedTask>,
  archive: Archive,
  random: Random,
  now: Date,
): void {
  let { task } = createTask(input.id ?? randomUuid(random), fieldsOf(input, archive));
  for (const signer of signedBy) ({ task } = signTask(task, signer, now));
  archive.save(state === undefined ? task : { ...task, state });
}

export function fieldsOf({ documents, ...wanted }: NewTask, archive: Archive): TaskFields {
  const { title, description, dueDate, solicitor, signers, tags, files } = wanted;
  const fields = { title, description, dueDate, solicitor, signers, tags };
  if (files !== undefined) return { ...fields, files };
  const drafts = documents ?? [{ fileName: `${title}.pdf`, lines: [title, description] }];
  return {
    ...fields,
    files: drafts.map(({ fileName, lines }) => archive.addFile(fileName, createPdf(lines)).id),
  };
}
