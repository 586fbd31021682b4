import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { ApiRefusal } from '../platform.ts';

const person = z.object({
  source: z.enum(['INTERNAL', 'EXTERNAL', 'EMAIL']).default('INTERNAL'),
  identifier: z.string().min(1),
  attributes: z.record(z.string(), z.object({ value: z.string() })).default({}),
});

const members = z.object({
  title: z.string().min(1),
  description: z.string(),
  /** Local time of the server; this one's is UTC. */
  dueDate: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/, 'expected YYYY-MM-DDThh:mm:ss'),
  /** The owner. */
  solicitor: person,
  signers: z
    .array(person)
    .min(1)
    .refine(
      (all) => new Set(all.map(({ identifier }) => identifier)).size === all.length,
      'same signer twice',
    ),
  /** Ids of files that were uploaded before. */
  files: z.array(z.string()).min(1),
  tags: z.array(z.unknown()),
});

/** A task as the API is given it. */
export const taskFields = members.extend({
  description: members.shape.description.default(''),
  dueDate: members.shape.dueDate.optional(),
  solicitor: members.shape.solicitor.prefault({ identifier: 'b.holm' }),
  tags: members.shape.tags.default([]),
});

export type TaskFields = z.output<typeof taskFields>;

/** What is not named stays. */
export const taskChanges = members.partial();

export type TaskChanges = z.output<typeof taskChanges>;

export const taskStates = ['PENDING', 'ACCEPTED', 'REJECTED', 'CANCELED', 'EXPIRED'] as const;
type TaskState = (typeof taskStates)[number];

interface Signer extends z.output<typeof person> {
  readonly state: 'PENDING' | 'SIGNED' | 'REJECTED';
}

export interface Task extends Omit<TaskFields, 'signers'> {
  readonly id: string;
  readonly state: TaskState;
  readonly signers: readonly Signer[];
  readonly signatures: readonly Signature[];
}

export interface Signature {
  readonly identifier: string;
  readonly at: Date;
}

/** A task after a change, and the types of the events that tell of it. */
export interface Step {
  readonly task: Task;
  readonly events: readonly string[];
}

export function createTask(id: string, fields: TaskFields): Step {
  const signers = fields.signers.map((signer) => ({ ...signer, state: 'PENDING' as const }));
  return { task: { ...fields, id, state: 'PENDING', signers, signatures: [] }, events: ['OrderCreated'] };
}

/** @throws ApiRefusal 400 */
export function signTask(task: Task, identifier: string | undefined, at: Date): Step {
  const signer = waitingSigner(task, identifier);
  const signed = {
    ...withSigner(task, { ...signer, state: 'SIGNED' }),
    signatures: [...task.signatures, { identifier: signer.identifier, at }],
  };
  return accepted({ task: signed, events: ['OrderSigned'] });
}

/** @throws ApiRefusal 400 */
export function rejectTask(task: Task, identifier: string | undefined): Step {
  const signer = waitingSigner(task, identifier);
  const rejected = withSigner(task, { ...signer, state: 'REJECTED' });
  return { task: { ...rejected, state: 'REJECTED' }, events: ['OrderRejected'] };
}

/** @throws ApiRefusal 400 */
export function cancelTask(task: Task): Step {
  demandOpen(task);
  return { task: { ...task, state: 'CANCELED' }, events: ['OrderCanceled'] };
}

/** @throws ApiRefusal 400 */
export function expireTask(task: Task): Step {
  demandOpen(task);
  return { task: { ...task, state: 'EXPIRED' }, events: ['OrderExpired'] };
}

/** @throws ApiRefusal 400 */
export function updateTask(task: Task, changes: TaskChanges, now: Date): Step {
  if (task.state !== 'EXPIRED') demandOpen(task);
  const named = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const signers = changes.signers?.map((signer): Signer => ({
    ...signer,
    state: knownSigner(task, signer.identifier)?.state ?? 'PENDING',
  }));
  const updated: Task = { ...task, ...named, signers: signers ?? task.signers };
  const events = PARTS.filter(([, part]) => !isDeepStrictEqual(task[part], updated[part])).map(
    ([type]) => type,
  );
  const reopened = task.state === 'EXPIRED' && isAhead(updated.dueDate, now);
  return accepted({ task: reopened ? { ...updated, state: 'PENDING' } : updated, events });
}

const PARTS = [
  ['OrderDocumentUpdated', 'files'],
  ['OrderDueDateUpdated', 'dueDate'],
  ['OrderSignersUpdated', 'signers'],
  ['OrderDescriptionUpdated', 'description'],
] as const satisfies readonly (readonly [string, keyof Task])[];

function isAhead(dueDate: string | undefined, now: Date): boolean {
  return dueDate !== undefined && Date.parse(`${dueDate}Z`) > now.getTime();
}

/** A task that everybody has signed is accepted, also when the last one who had not is no longer asked to. */
function accepted({ task, events }: Step): Step {
  const complete = task.state === 'PENDING' && task.signers.every(({ state }) => state === 'SIGNED');
  if (!complete) return { task, events };
  return { task: { ...task, state: 'ACCEPTED' }, events: [...events, 'OrderAccepted'] };
}

function demandOpen({ state }: Task): void {
  if (state !== 'PENDING') throw new ApiRefusal(400, `The task is ${state}.`);
}

/** The one that is named, or whose turn it is. */
function waitingSigner(task: Task, identifier: string | undefined): Signer {
  demandOpen(task);
  const signer =
    identifier === undefined
      ? task.signers.find(({ state }) => state === 'PENDING')
      : knownSigner(task, identifier);
  if (signer?.state === 'PENDING') return signer;
  throw new ApiRefusal(400, `The task does not wait for ${identifier ?? 'anybody'}.`);
}

function knownSigner({ signers }: Task, wanted: string): Signer | undefined {
  return signers.find(({ identifier }) => identifier === wanted);
}

function withSigner(task: Task, changed: Signer): Task {
  const signers = task.signers.map((signer) => (signer.identifier === changed.identifier ? changed : signer));
  return { ...task, signers };
}
