import type { Role, Visitor } from './page.ts';

/** A token, and who has it. */
export interface Pass extends Visitor {
  readonly token: string;
}

const LEAST = 20;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}\p{M} .'@+_-]{0,63}$/u;
/** What can be seen, but for what stands between a name and its token, or between two of them. */
const TOKEN = /^[!-+.-9;-~-]{20,}$/;

/**
 * The holders of tokens, as a setting writes them: `name:token`, separated by commas or line ends. A token without a name is
 * called after its role.
 * @throws if one of them is none; the message quotes nothing
 */
export function readPasses(text: string, role: Role): readonly Pass[] {
  const entries = text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const passes = entries.map((entry, index): Pass => {
    const at = entry.indexOf(':');
    const [name, token] = at === -1 ? [role, entry] : [entry.slice(0, at).trim(), entry.slice(at + 1).trim()];
    if (NAME.test(name) && TOKEN.test(token)) return { name, role, token };
    throw new Error(
      `expected name:token, separated by commas; a name begins with a letter, a token has at least ${LEAST} printable ` +
        `characters and no colon: number ${index + 1} is not so`,
    );
  });
  if (new Set(passes.map(({ token }) => token)).size < passes.length)
    throw new Error('two of them have the same token');
  return passes;
}
