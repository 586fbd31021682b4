import { upperSnake, type Credential } from '../endpoint/definition.ts';
import { messageOf } from '../errors.ts';
import type { SettingDefinitions, SettingValues, Source } from '../source.ts';
import { LOOKS_LIKE_SETTING, openToAll, readTextFile } from './text-file.ts';

/** The environment as this program reads it. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PLACEHOLDER = /^(.)\1+$|change.?me|replace.?(with|me)|your.?(secret|token)|placeholder/i;

/** What nobody has agreed: control and format characters, odd blanks, and what stands for a byte that was not understood. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\ufffd]|(?! )\p{Zs}/u;

/** As keyboards write them, and as word processors make of them. */
const QUOTED = /^["'`\u2018-\u201f\u00ab\u00bb]|["'`\u2018-\u201f\u00ab\u00bb]$/;

const WITH_NAME = 'begins with the name of a variable and a sign behind it, as a line of .env does.';

/** Two texts that are each as long as a secret must be. */
const TWO_SECRETS = /^[^;|\s]{16,}\s*[;|\s]\s*[^;|\s]{16,}$/;

/** Reads variables, remembers which were asked for, and collects what is wrong instead of stopping at the first. */
export class Reader {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly #env: Environment;
  readonly #asked = new Set<string>();
  readonly #kept = new Map<string, string | undefined>();
  readonly #besideKept = new Map<string, string | undefined>();
  readonly #files = new Set<string>();

  constructor(env: Environment) {
    this.#env = env;
  }

  names(): string[] {
    return Object.keys(this.#env);
  }

  known(): string[] {
    return [...this.#asked];
  }

  unread(): string[] {
    return this.names().filter((name) => !this.#asked.has(name));
  }

  /** A variable's text; unset and empty are the same. */
  text(name: string): string | undefined {
    this.#asked.add(name);
    return this.#env[name] === '' ? undefined : this.#env[name];
  }

  /** The same, of what may change together with a secret. */
  renewable(name: string): string | undefined {
    const text = this.text(name);
    this.#besideKept.set(name, text);
    return text;
  }

  /** What was read, for telling later what has changed. */
  all(): AllRead {
    const kept = new Map([...this.#kept, ...this.#besideKept]);
    const renewable = new Set([...kept.keys()].flatMap((name) => [name, `${name}_FILE`]));
    return { kept, files: [...this.#files], asked: this.#asked, renewable };
  }

  /** Whether a variable, or the file that may stand for it, is given. */
  isSet(name: string): boolean {
    return this.text(name) !== undefined || this.text(`${name}_FILE`) !== undefined;
  }

  /** Whether a variable is one that a secret, password or certificate is read from, or that names the file of one. */
  isKept(name: string): boolean {
    return this.#kept.has(name.replace(/_FILE$/, ''));
  }

  /** Where a setting that may be kept in a file was read from. */
  nameOf(name: string): string {
    return this.text(`${name}_FILE`) === undefined ? name : `${name}_FILE`;
  }

  /** Each setting from the first of the prefixes that has it, else its default. */
  settings<Definitions extends SettingDefinitions>(
    definitions: Definitions,
    prefixes: readonly string[],
  ): SettingValues<Definitions> {
    const values = Object.entries(definitions).map(([name, definition]) => {
      const names = prefixes.map((prefix) => prefix + name);
      const read = (name: string) => (definition.file === true ? this.#textOrFile(name) : this.text(name));
      const set = names.find((candidate) => read(candidate) !== undefined);
      if (set !== undefined && definition.file === true) this.#checkText(set, read(set) ?? '');
      const result = definition.schema.safeParse(set === undefined ? definition.default : read(set));
      if (!result.success) {
        const wanted = result.error.issues.map((issue) => issue.message).join('; ');
        this.complain(`${set === undefined ? name : this.nameOf(set)}: ${wanted}.`);
        // It will not start, but what else is wrong can only be found out with a value here.
        return [name, definition.schema.safeParse(definition.default).data];
      }
      return [name, result.data];
    });
    // The entries have just been made from these definitions, name by name.
    return Object.fromEntries(values) as SettingValues<Definitions>;
  }

  /** The credential behind a prefix, of whichever kind is set. */
  credential(source: Source, prefix: string): Credential | undefined {
    const found = Object.keys(source.proof.kinds).flatMap((kind) => {
      const variable = `${prefix}_${kind}`;
      const value = this.#textOrFile(variable);
      return value === undefined ? [] : [{ kind, variable, texts: value.split(',') }];
    });
    const [first, second] = found;
    if (first === undefined) return undefined;
    if (second) {
      this.complain(
        `${first.variable} and ${second.variable} are both set: one endpoint has one kind of proof.`,
      );
    }
    for (const secret of first.texts) {
      this.#checkSecret(first.variable, secret, source);
      if (TWO_SECRETS.test(secret))
        this.warn(
          `${first.variable} has a ; or a blank between what could be two secrets. It counts as one: put a comma there if it is two.`,
        );
    }
    // JSON has commas of its own.
    for (const text of [first.texts.join(','), ...first.texts]) {
      const doubt = source.proof.kinds[first.kind]?.doubt?.(text);
      if (doubt !== undefined) this.warn(`${first.variable} ${doubt}`);
    }
    return first;
  }

  /** Files that are named for a variable which no file can stand for. */
  uselessFiles(): string[] {
    const bases = this.names().flatMap((name) => /^(.+)_FILE$/.exec(name)?.[1] ?? []);
    return bases.filter((base) => this.#asked.has(base) && !this.#kept.has(base));
  }

  /** Read once: what stands in a file may change while the rest is being read. */
  #textOrFile(variable: string): string | undefined {
    if (!this.#kept.has(variable)) this.#kept.set(variable, this.#readTextOrFile(variable));
    return this.#kept.get(variable);
  }

  #readTextOrFile(variable: string): string | undefined {
    const direct = this.text(variable);
    const file = this.text(`${variable}_FILE`);
    if (file === undefined) return direct;
    this.#files.add(file);
    if (direct !== undefined) this.complain(`${variable} and ${variable}_FILE are both set: keep one.`);
    try {
      // Editors and `echo` end a file with a line end; it is not part of the secret.
      const { text: whole, oddity } = readTextFile(file);
      const text = whole.replace(/\r?\n$/, '');
      if (oddity !== undefined) this.warn(`${variable}_FILE ${oddity}`);
      const open = isPublic(text) ? undefined : openToAll(file);
      if (open !== undefined)
        this.warn(`${variable}_FILE names a file that every user of this machine may ${open}: chmod 600.`);
      return text;
    } catch (error) {
      this.complain(`${variable}_FILE names a file that cannot be read (${codeOf(error)}).`);
      return undefined;
    }
  }

  /** A password, a certificate: texts of which some have lines. */
  #checkText(variable: string, text: string): void {
    if (INVISIBLE.test(text.replace(/[\r\n\t]/g, ''))) {
      this.complain(invisibleIn(variable));
    } else if (QUOTED.test(text)) {
      this.warn(`${variable} has a quotation mark at an end. It counts: remove it unless it is meant.`);
    } else if (LOOKS_LIKE_SETTING.test(text)) {
      this.warn(`${variable} ${WITH_NAME} It counts: remove it unless it is meant.`);
    }
  }

  #checkSecret(variable: string, secret: string, source: Source): void {
    const bytes = Buffer.byteLength(secret);
    if (secret.trim() !== secret) {
      this.complain(`${variable} has blanks or line ends around a secret; remove them.`);
    } else if (/[\r\n]/.test(secret)) {
      this.complain(`${variable} has several lines: of several live secrets each goes behind a comma.`);
    } else if (INVISIBLE.test(secret)) {
      this.complain(invisibleIn(variable));
    } else if (QUOTED.test(secret)) {
      this.complain(`${variable} has a quotation mark at an end of a secret; remove it.`);
    } else if (LOOKS_LIKE_SETTING.test(secret)) {
      this.complain(`${variable} ${WITH_NAME} Keep only what stands behind the sign.`);
    } else if (secret === '') {
      this.complain(`${variable} holds an empty secret: an empty key would let anybody sign.`);
    } else if (PLACEHOLDER.test(secret)) {
      this.complain(`${variable} still holds a placeholder; put the agreed secret there.`);
    } else if (isNameIn(source, secret)) {
      this.complain(`${variable} holds a name from the sender's documentation, which anybody can guess.`);
    } else if (bytes < 16) {
      this.complain(`${variable} holds a secret of ${bytes} bytes; fewer than 16 can be guessed.`);
    } else if (bytes < 32) {
      this.warnings.push(`${variable} holds a secret of ${bytes} bytes; 32 or more are advised.`);
    }
  }

  warn(warning: string): void {
    if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }

  complain(problem: string): void {
    // A setting of a whole source is read once per endpoint; one complaint is enough.
    if (!this.problems.includes(problem)) this.problems.push(problem);
  }
}

function invisibleIn(variable: string): string {
  return `${variable} holds an invisible character or one of another encoding; type it again by hand.`;
}

/** What a reader has read. */
export interface AllRead {
  /** The texts of secrets, passwords and certificates, and of what belongs to one, by their variables. */
  readonly kept: ReadonlyMap<string, string | undefined>;
  /** The files that some of them were read from. */
  readonly files: readonly string[];
  /** Every variable that was asked for. */
  readonly asked: ReadonlySet<string>;
  /** The variables of `kept`, and those that name a file for one. */
  readonly renewable: ReadonlySet<string>;
}

/** Certificates and lists of revoked ones are for everybody. */
function isPublic(text: string): boolean {
  return text.startsWith('-----BEGIN') && !text.includes('PRIVATE KEY');
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error
    ? String(error.code)
    : messageOf(error);
}

/** Whether a text is the name of the sender or of one of its events, in whatever spelling. */
function isNameIn({ name, title, events }: Source, secret: string): boolean {
  return [name, title, ...Object.keys(events)].some((known) => upperSnake(known) === upperSnake(secret));
}
