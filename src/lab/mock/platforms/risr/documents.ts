import { randomUuid, type Random } from '../../random.ts';
import { ApiRefusal } from '../platform.ts';

/** As a document store keeps it: the number in `rev` grows with each save, and a write must name the current one. */
export type Document<Content extends object> = Content & { readonly id: string; readonly rev: string };

export interface Documents<Content extends object> {
  all(): Document<Content>[];
  has(id: string): boolean;
  /** @throws ApiRefusal 404 */
  find(id: string): Document<Content>;
  add(id: string, content: Content): Document<Content>;
  /** Replaces all but the identity. */
  save(id: string, content: Content): Document<Content>;
  remove(id: string): void;
  /** @throws ApiRefusal 404, and 409 unless this is its current `rev` */
  demandCurrent(id: string, rev: unknown): Document<Content>;
}

interface DocumentsOptions {
  readonly what: string;
  readonly random: Random;
  readonly conflictStatus: () => number;
}

export function createDocuments<Content extends object>({
  what,
  random,
  conflictStatus,
}: DocumentsOptions): Documents<Content> {
  const documents = new Map<string, Document<Content>>();
  const find = (id: string): Document<Content> => {
    const found = documents.get(id);
    if (found === undefined) throw new ApiRefusal(404, `There is no such ${what}.`);
    return found;
  };
  const put = (id: string, content: Content, count: number): Document<Content> => {
    const document = { ...content, id, rev: `${count}-${randomUuid(random).replaceAll('-', '')}` };
    documents.set(id, document);
    return document;
  };
  return {
    all: () => [...documents.values()],
    has: (id) => documents.has(id),
    find,
    add: (id, content) => put(id, content, 1),
    save: (id, content) => put(id, content, Number.parseInt(find(id).rev, 10) + 1),
    remove: (id) => void documents.delete(id),
    demandCurrent(id, rev) {
      const document = find(id);
      if (document.rev === rev) return document;
      throw new ApiRefusal(conflictStatus(), `The ${what} is at another rev by now; read it again.`);
    },
  };
}
