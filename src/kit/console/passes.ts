import type { Role, Visitor } from './page.ts';

/** A token, and who has it. */
export interface Pass extends Visitor {
  readonly token: string;
}

const LEAST = 20;

/**
 * The holders of tokens, as a setting writes them: `name:token`, separated by commas or line ends. A token without a name is
 * called after its role.
 * @throws if one of them is too short, or is none; the message quotes nothing
 */
export function readPasses(text: string, role: Role): readonly Pass[] {
  const entries = text
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.map((entry, index) => {
    const [, name = role, token = ''] = /^(?:([\w.@ -]{1,64}):)?([!-~]*)$/.exec(entry) ?? [];
    if (token.length >= LEAST) return { name, role, token };
    throw new Error(
      `expected name:token, separated by commas, each token of at least ${LEAST} printable characters: number ${index + 1} is not`,
    );
  });
}
