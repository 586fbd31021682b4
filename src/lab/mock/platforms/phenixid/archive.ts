import { randomUuid, type Random } from '../../random.ts';
import type { PhenixidChoices } from './switches.ts';
import type { Signature, Task } from './tasks.ts';
import { ApiRefusal } from '../platform.ts';

/** The tasks and their files: as they are, and as the API shows them, which may come later. */
export interface Archive {
  save(task: Task): void;
  /** @throws ApiRefusal for an unknown id, as the rest of these */
  find(id: string): Task;
  shown(id: string): Task;
  all(): Task[];
  /** Its files go with it. */
  remove(id: string): void;
  /** @throws ApiRefusal 400 if it is no PDF */
  addFile(fileName: string, body: Buffer): StoredFile;
  /** A file of a task, with the signatures it has by then. */
  fileOf(task: Task, fileId: string): StoredFile;
  /** A file, alone or of whichever task the API shows it in. */
  shownFile(fileId: string): StoredFile;
  /** @throws ApiRefusal 400 unless all are there and in no other task */
  demandFiles(ids: readonly string[], owner?: Task): void;
}

export interface StoredFile {
  readonly id: string;
  readonly fileName: string;
  readonly body: Buffer;
}

interface Snapshot {
  readonly task: Task;
  readonly fromMs: number;
}

export function createArchive(random: Random, now: () => Date, choices: () => PhenixidChoices): Archive {
  const histories = new Map<string, readonly Snapshot[]>();
  const files = new Map<string, StoredFile>();

  const unknown = (what: string) => new ApiRefusal(Number(choices().unknownId), `There is no such ${what}.`);
  const latest = (id: string) => histories.get(id)?.at(-1)?.task;
  const visible = (id: string) => {
    const nowMs = now().getTime();
    return histories.get(id)?.findLast(({ fromMs }) => fromMs <= nowMs)?.task;
  };
  const found = (task: Task | undefined) => {
    if (task === undefined) throw unknown('task');
    return task;
  };
  const signed = (fileId: string, task: Task | undefined) => {
    const file = files.get(fileId);
    if (file === undefined) throw unknown('file');
    return { ...file, body: withSignatures(file.body, task?.signatures ?? []) };
  };

  return {
    save(task) {
      const fromMs = now().getTime() + Number(choices().apiLagMs);
      histories.set(task.id, [...(histories.get(task.id) ?? []), { task, fromMs }]);
    },
    find: (id) => found(latest(id)),
    shown: (id) => found(visible(id)),
    all: () => [...histories.keys()].map((id) => found(latest(id))),
    remove(id) {
      for (const fileId of found(latest(id)).files) files.delete(fileId);
      histories.delete(id);
    },
    addFile(fileName, body) {
      if (!body.subarray(0, 5).equals(PDF_START)) throw new ApiRefusal(400, 'The file is no PDF.');
      const file = { id: randomUuid(random), fileName, body };
      files.set(file.id, file);
      return file;
    },
    fileOf(task, fileId) {
      if (!task.files.includes(fileId)) throw unknown('file');
      return signed(fileId, task);
    },
    shownFile(fileId) {
      const owner = [...histories.keys()].map(visible).find((task) => task?.files.includes(fileId));
      return signed(fileId, owner);
    },
    demandFiles(ids, owner) {
      const taken = [...histories.keys()]
        .filter((id) => id !== owner?.id)
        .flatMap((id) => latest(id)?.files ?? []);
      const wrong = ids.filter((id) => !files.has(id) || taken.includes(id));
      if (wrong.length > 0) throw new ApiRefusal(400, `Not files to be signed here: ${wrong.join(', ')}.`);
    },
  };
}

const PDF_START = Buffer.from('%PDF-');

/** Behind its own end, where signatures are put in a PDF: what was there before stays byte for byte. */
function withSignatures(pdf: Buffer, signatures: readonly Signature[]): Buffer {
  const [, place = '0'] =
    /startxref\s+(\d+)/.exec(pdf.subarray(pdf.lastIndexOf('startxref')).toString('latin1')) ?? [];
  const sections = signatures.map(({ identifier, at }) => {
    const who = identifier.replace(/\p{Cc}/gu, '');
    return `% Signed by ${who} at ${at.toISOString()}\nstartxref\n${place}\n%%EOF\n`;
  });
  return Buffer.concat([pdf, Buffer.from(sections.length > 0 ? `\n${sections.join('')}` : '')]);
}
