import { z } from 'zod';
import { taskFields, taskChanges, type TaskChanges, type TaskFields } from './tasks.ts';
import { ApiRefusal, type PlatformRequest } from '../platform.ts';

/** One uploaded PDF. */
export interface Upload {
  readonly fileName: string;
  readonly body: Buffer;
}

/** @throws ApiRefusal 400 if this is no form */
export async function readForm({ headers, body }: PlatformRequest): Promise<FormData> {
  const type = headers['content-type'] ?? '';
  try {
    if (!/^multipart\/form-data\b/i.test(type)) throw new Error('not multipart/form-data');
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- of concern to servers that strangers can reach
    return await new Response(new Uint8Array(body), { headers: { 'Content-Type': type } }).formData();
  } catch {
    throw new ApiRefusal(400, 'Expected multipart/form-data.');
  }
}

/** The uploaded files, whatever their fields are called. */
export async function uploadsIn(form: FormData): Promise<Upload[]> {
  const files = [...form.values()].filter((value) => typeof value !== 'string');
  return Promise.all(
    files.map(async (file) => ({ fileName: file.name, body: Buffer.from(await file.arrayBuffer()) })),
  );
}

/** The fields of an order; its files are what was uploaded with it. @throws ApiRefusal 400 */
export function orderIn(form: FormData, files: readonly string[]): TaskFields {
  return checked(taskFields, { ...textsIn(form), files });
}

/** @throws ApiRefusal 400 */
export function orderChangesIn(form: FormData, files: readonly string[]): TaskChanges {
  return checked(taskChanges, { ...textsIn(form), ...(files.length > 0 && { files }) });
}

function textsIn(form: FormData): Record<string, unknown> {
  const signers = form.getAll('signers').map((value) => jsonIn('signers', value));
  return {
    ...named(form, 'title', (value) => value),
    ...named(form, 'description', (value) => value),
    ...named(form, 'dueDate', (value) => value),
    ...named(form, 'solicitor', (value) => jsonIn('solicitor', value)),
    ...named(form, 'tags', (value) => jsonIn('tags', value)),
    ...(signers.length > 0 && { signers }),
  };
}

function named(form: FormData, name: string, read: (value: unknown) => unknown): Record<string, unknown> {
  return form.has(name) ? { [name]: read(form.get(name)) } : {};
}

function jsonIn(name: string, value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    throw new ApiRefusal(400, `The field ${name} is not JSON.`);
  }
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ApiRefusal(400, z.prettifyError(result.error));
}
