import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** What INBOX_URL names. */
export type InboxAddress =
  { readonly engine: 'memory' | 'postgres' } | { readonly engine: 'sqlite'; readonly file: string };

/** Undefined if the form is none we know. */
export function readAddress(url: string): InboxAddress | undefined {
  if (url === 'memory:') return { engine: 'memory' };
  if (/^postgres(?:ql)?:\/\//.test(url)) return { engine: 'postgres' };
  // Two slashes are refused: tools disagree whether a relative or an absolute path follows them.
  const file = /^sqlite:(?!\/\/|:)(.+)$/s.exec(url)?.[1];
  return file === undefined ? undefined : { engine: 'sqlite', file };
}

/** @throws if there is no such file, so that no receiver has ever run there */
export function requireInbox(file: string): void {
  if (!existsSync(file))
    throw new Error(`There is no inbox at ${file}: a receiver creates it when it starts. Check INBOX_URL.`);
}

/** Whether several processes, on several machines, can work on the inbox of this address. */
export function isShared(url: string): boolean {
  return readAddress(url)?.engine === 'postgres';
}

/** The address of an inbox as it may be printed: without user, password and parameters, a file by its whole path. */
export function printableInbox(url: string): string {
  const address = readAddress(url);
  if (address?.engine === 'sqlite') return `sqlite:${resolve(address.file)}`;
  return isShared(url) ? url.replace(/^([a-z]+:\/\/)(?:.*@)?([^?#]*).*$/s, '$1$2') : url;
}

/** Shorter texts stand in words that are no password. */
const SHORTEST_FOUND_ANYWHERE = 4;

/** A message that may quote the password in the address of an inbox, without it. */
export function withoutPassword(message: string, url: string): string {
  return passwordsIn(url).reduce((text, password) => {
    if (password.length >= SHORTEST_FOUND_ANYWHERE) return text.replaceAll(password, '…');
    return SURROUNDINGS.reduce(
      (rest, [before, after]) => rest.replaceAll(before + password + after, `${before}…${after}`),
      text,
    );
  }, message);
}

/** What stands around a password where one is quoted: in the address, or by itself. */
const SURROUNDINGS = [
  [':', '@'],
  ['password=', ''],
  ['"', '"'],
  ["'", "'"],
] as const;

/** As it is written there, and as it is meant. */
function passwordsIn(url: string): string[] {
  if (!isShared(url)) return [];
  const written = [/^[a-z]+:\/\/[^:/?#]*:(.*)@/s.exec(url)?.[1], /[?&]password=([^&#]*)/.exec(url)?.[1]];
  return written.flatMap((text) => (text ? [text, decoded(text)] : []));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
