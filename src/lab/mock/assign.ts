import { UsageError } from '../usage.ts';

/** One member of a payload to be changed before it is sent: `documents.0.name`. */
export interface Assignment {
  readonly path: string;
  readonly value: unknown;
}

/**
 * Reads `a.b=value`: the value is JSON if it is JSON, else text.
 * @throws UsageError
 */
export function parseAssignment(text: string): Assignment {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`Expected path=value, as in user.email=a@b.example, and got ${text}`);
  return { path: text.slice(0, at), value: jsonOrText(text.slice(at + 1)) };
}

/**
 * The payload with every assignment made; the original stays as it is.
 * @throws UsageError
 */
export function assign(payload: unknown, assignments: readonly Assignment[]): unknown {
  const result: unknown = structuredClone(payload);
  for (const { path, value } of assignments) put(result, path.split('.'), value, path);
  return result;
}

function put(holder: unknown, [name = '', ...rest]: readonly string[], value: unknown, path: string): void {
  if (name === '' || name === '__proto__') throw new UsageError(`A payload has no member at ${path}`);
  const target = containerOf(holder, name, path);
  if (rest.length === 0) {
    target[name] = value;
    return;
  }
  const next: unknown = Object.hasOwn(target, name) ? target[name] : undefined;
  if (next === undefined || next === null) target[name] = {};
  put(target[name], rest, value, path);
}

function containerOf(holder: unknown, name: string, path: string): Record<string, unknown> {
  if (typeof holder !== 'object' || holder === null) {
    throw new UsageError(`Cannot set ${path}: ${name} would be a member of a plain value.`);
  }
  if (Array.isArray(holder) && !(/^\d{1,6}$/.test(name) && Number(name) <= holder.length)) {
    throw new UsageError(
      `Cannot set ${path}: a list of ${holder.length} has the places 0 to ${holder.length}.`,
    );
  }
  // An object or a list: a list's places are members too, and `name` is one of them.
  return holder as Record<string, unknown>;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
