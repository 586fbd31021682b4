import { createHash } from 'node:crypto';
import { z } from 'zod';
import { randomUuid, type Random } from '../../random.ts';
import { createDocx, createPdf, MIME_TYPES } from '../documents.ts';
import { ApiRefusal } from '../platform.ts';

export interface WorkItem {
  readonly id: string;
  readonly name: string;
  readonly workGroupId: string;
  readonly templatePackageId: string;
  readonly user: { readonly id: string; readonly loginName: string; readonly name: string };
  /** Oldest first. */
  readonly versions: readonly Version[];
}

export interface Version {
  readonly id: string;
  readonly templatePackageId: string;
  readonly status: VersionStatus;
  /** By variable name, as plain JSON. */
  readonly answers: InterviewAnswers;
  /** In the order in which the user sees them. */
  readonly documents: readonly AssembledDocument[];
  /** What the user was told of a webhook that failed. */
  readonly notice: string | undefined;
}

export type VersionStatus = 'InProgress' | 'PostProcessing' | 'PostProcessingFailed' | 'Completed';

export type InterviewAnswers = Readonly<Record<string, unknown>>;

export interface AssembledDocument {
  readonly id: string;
  readonly name: string;
  readonly fileName: string;
  readonly contentType: string;
  readonly body: Buffer;
}

type Draft<Item> = { -readonly [Key in keyof Item]: Item[Key] };

export interface VersionDraft extends Draft<Version> {
  /** Whether the PostProcessingEvent was answered with success; nothing may be fetched or changed before. */
  acknowledged: Promise<boolean>;
}

export interface WorkItemDraft extends WorkItem {
  readonly forms: NewWorkItem['documents'];
  versions: readonly VersionDraft[];
}

const MIA = {
  id: '7e1c9f54-0b7d-4c0f-8f4e-3c2f5a9d6e20',
  loginName: 'm.keller@acme.example',
  name: 'Mia Keller',
};

/** Advance writes them in lower case and does not mind how they come. */
export const guid = z.guid().transform((text) => text.toLowerCase());

export const newWorkItem = z.strictObject({
  id: guid.optional(),
  name: z.string().min(1).default('Lease 2024-118'),
  workGroupId: guid.default('44b0d1f2-8c3e-4a5b-9d6f-70e1f2a3b4c5'),
  templatePackageId: guid.default('0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b'),
  user: z.strictObject({ id: guid, loginName: z.string(), name: z.string() }).default(MIA),
  answers: z.record(z.string(), z.unknown()).default({}),
  /** What the template assembles. */
  documents: z
    .array(z.strictObject({ name: z.string().min(1), format: z.enum(['docx', 'pdf']) }))
    .min(1)
    .default([
      { name: 'Lease Agreement', format: 'docx' },
      { name: 'Cover Letter', format: 'pdf' },
    ]),
});

export type NewWorkItem = z.output<typeof newWorkItem>;

/** Documentation: Advance keeps the last five versions per template. */
const KEPT_VERSIONS = 5;

export interface WorkItems {
  create(input: NewWorkItem): WorkItemDraft;
  /** @throws ApiRefusal 404 */
  find(id: string): WorkItemDraft;
  all(): WorkItemDraft[];
  /** The version whose interview is open: the latest, or a new one with its answers. */
  open(item: WorkItemDraft): VersionDraft;
}

export function createWorkItems(random: Random): WorkItems {
  const items = new Map<string, WorkItemDraft>();
  const begin = (templatePackageId: string, answers: InterviewAnswers): VersionDraft => ({
    id: randomUuid(random),
    templatePackageId,
    status: 'InProgress',
    answers,
    documents: [],
    notice: undefined,
    acknowledged: Promise.resolve(true),
  });
  return {
    create({ id = randomUuid(random), documents: forms, answers, ...rest }) {
      if (items.has(id)) throw new ApiRefusal(409, 'There is a work item of this id.');
      const item = { id, ...rest, forms, versions: [begin(rest.templatePackageId, answers)] };
      items.set(id, item);
      return item;
    },
    find: (id) => items.get(id.toLowerCase()) ?? absent('work item'),
    all: () => [...items.values()],
    open(item) {
      const latest = versionOf(item, 'active');
      if (latest.status === 'InProgress') return latest;
      if (latest.status === 'PostProcessing') {
        throw new ApiRefusal(409, 'The documents of the last version are still being processed.');
      }
      const version = begin(item.templatePackageId, latest.answers);
      item.versions = lastOfEachTemplate([...item.versions, version]);
      return version;
    },
  };
}

function lastOfEachTemplate(versions: readonly VersionDraft[]): VersionDraft[] {
  return versions.filter(({ templatePackageId }, index) => {
    const later = versions.slice(index + 1).filter((other) => other.templatePackageId === templatePackageId);
    return later.length < KEPT_VERSIONS;
  });
}

/**
 * By id, or the latest one as `active`.
 * @throws ApiRefusal 404
 */
export function versionOf(item: WorkItemDraft, id: string): VersionDraft {
  const wanted = id.toLowerCase();
  const found = wanted === 'active' ? item.versions.at(-1) : item.versions.find((one) => one.id === wanted);
  return found ?? absent('version');
}

/** @throws ApiRefusal 404 */
export function documentOf(version: Version | undefined, id: string): AssembledDocument {
  return version?.documents.find((document) => document.id === id.toLowerCase()) ?? absent('document');
}

function absent(what: string): never {
  throw new ApiRefusal(404, `There is no such ${what}.`);
}

export function latestCompleted<Item extends Version>(versions: readonly Item[]): Item | undefined {
  return versions.findLast(({ status }) => status === 'Completed');
}

/** Replaces the document of the same id, or adds one: at its old place or the end, or where it is told to. */
export function place(version: VersionDraft, document: AssembledDocument, order: number | undefined): void {
  const index = version.documents.findIndex(({ id }) => id === document.id);
  const others = version.documents.filter(({ id }) => id !== document.id);
  const position = order ?? (index === -1 ? others.length : index);
  version.documents = others.toSpliced(position, 0, document);
}

/** The documents that the template makes of the answers. */
export function assemble(item: WorkItemDraft, { answers }: Version): AssembledDocument[] {
  return item.forms.map(({ name, format }) => {
    const said = Object.entries(answers).map(([variable, value]) => `${variable}: ${wordsOf(value)}`);
    const lines = [name, item.name, '', ...said];
    return {
      id: nameBasedId(item.id, name),
      name,
      fileName: `${name}.${format}`,
      contentType: MIME_TYPES[format],
      body: format === 'pdf' ? createPdf(lines) : createDocx(lines),
    };
  });
}

function wordsOf(value: unknown): string {
  if (value === null) return '(unanswered)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Version 5, as the published sample has it: the same document keeps its id from one version to the next. */
function nameBasedId(namespace: string, name: string): string {
  const bytes = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
