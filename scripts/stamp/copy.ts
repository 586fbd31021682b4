import { posix } from 'node:path';
import ts from 'typescript';
import {
  addTo,
  boundBy,
  constantIn,
  declarationOf,
  identifiersIn,
  importsIn,
  memberOf,
  membersOf,
  nameOf,
  namesIn,
  objectIn,
  parseCode,
  returnedBy,
  splice,
  withImport,
  withoutIdleImport,
  type Imported,
  type Members,
} from './code.ts';
import type { Draft } from './draft.ts';
import { appIn, handlersIn, isNotWritten, methodIn } from './places.ts';

// From the example into the app, each file to the same place: what it imports of the kit is as far away from there.

interface Copying {
  readonly draft: Draft;
  /** What has been looked after, by file and name. */
  readonly seen: Set<string>;
  /** Code that has been copied, and the file it is in. */
  readonly copied: { readonly file: string; readonly node: ts.Node }[];
}

/** What has members that can be copied: an interface, or an object. */
interface Whole {
  readonly file: string;
  readonly title: string;
  in(code: ts.SourceFile): Members | undefined;
  /** The function that returns the object. */
  maker?(code: ts.SourceFile): ts.FunctionLikeDeclaration | undefined;
}

const TOOLS: Whole = {
  file: 'tools.ts',
  title: 'Tools',
  in: ({ statements }) =>
    statements.filter(ts.isInterfaceDeclaration).find(({ name }) => name.text === 'Tools'),
};
const APP: Whole = { file: 'index.ts', title: 'defineApp', in: appIn };
const OPENED = returned('index.ts', 'open', (code) => methodIn(appIn(code), 'open'));
const SETTINGS: Whole = {
  file: 'index.ts',
  title: 'settings',
  in: (code) => {
    const member = memberOf(appIn(code), 'settings');
    const here = member && ts.isPropertyAssignment(member) ? member.initializer : undefined;
    return objectIn(here) ?? objectIn(constantIn(code, 'settings'));
  },
};

function returned(file: string, title: string, maker: NonNullable<Whole['maker']>): Whole {
  return { file, title, maker, in: (code) => returnedBy(maker(code)) };
}

/** Copies a handler with what it needs: functions, modules, tools and how they are opened, settings, steps. */
export function copyHandler(draft: Draft, source: string, type: string): void {
  const copying: Copying = { draft, seen: new Set(), copied: [] };
  const file = `handlers/${source}.ts`;
  copyMember(
    copying,
    returned(file, 'the handlers', (code) => handlersIn(code, source)),
    type,
  );
  for (let before = 0; before < copying.copied.length;) {
    before = copying.copied.length;
    for (const tool of missing(copying, TOOLS, 'index.ts')) {
      copyMember(copying, TOOLS, tool);
      copyMember(copying, OPENED, tool);
      if (tool === 'records') copyMember(copying, APP, 'close');
    }
    for (const setting of missing(copying, SETTINGS)) copyMember(copying, SETTINGS, setting);
    if (wordsIn(copying).has('followUp')) copyMember(copying, APP, 'steps');
  }
  draft.edit(`src/app/${file}`, (text) => withoutIdleImport(text, 'notWritten'), '');
}

/** The members that are used in what has been copied, but in one file, and that the app does not have. */
function missing(copying: Copying, whole: Whole, but?: string): string[] {
  const theirs = whole.in(example(copying, whole.file));
  const ours = whole.in(app(copying, whole.file));
  const used = wordsIn(copying, but);
  const names = theirs ? membersOf(theirs).map(nameOf) : [];
  return names.filter((name) => used.has(name) && memberOf(ours, name) === undefined);
}

/** It is enough that a tool or a setting might be meant. */
function wordsIn({ copied }: Copying, but?: string): Set<string> {
  const nodes = copied.filter(({ file }) => file !== but).map(({ node }) => node);
  return new Set(nodes.flatMap(identifiersIn).map(({ text }) => text));
}

/** A handler that is not written is replaced; what else is there already is the app's own. */
function copyMember(copying: Copying, whole: Whole, name: string): void {
  const { file, title } = whole;
  const member = memberOf(whole.in(example(copying, file)), name);
  if (member === undefined || isSeen(copying, `${file} ${title} ${name}`)) return;
  const text = member.getFullText().trim();
  if (memberOf(whole.in(app(copying, file)), name)?.getText() === text) return;
  copyNeeds(copying, whole, member);
  const intoWhole = (code: ts.SourceFile) => {
    const ours = whole.in(code);
    const there = memberOf(ours, name);
    if (there === undefined) return ours && addTo(code.text, ours, text);
    return isNotWritten(there) ? splice(code.text, there.getStart(), there.end, text) : undefined;
  };
  edit(copying, file, intoWhole, `in ${title}:\n${text}`);
}

type Around = Pick<Whole, 'file' | 'maker'>;

function copyNeeds(copying: Copying, around: Around, node: ts.Node): void {
  const theirs = around.maker?.(example(copying, around.file));
  for (const name of namesIn(node)) {
    const local = theirs && declarationOf(statementsOf(theirs), name);
    const position =
      theirs?.parameters.findIndex((parameter) => boundBy(parameter.name).includes(name)) ?? -1;
    if (local !== undefined) copyLocal(copying, around, local, name);
    else if (position !== -1) copyParameter(copying, around, position, name);
    else copyNamed(copying, around.file, name);
  }
  copying.copied.push({ file: around.file, node });
}

/** What it needs stands before it. */
function copyLocal(copying: Copying, around: Around, statement: ts.Statement, name: string): void {
  const ours = around.maker?.(app(copying, around.file));
  if (ours && declarationOf(statementsOf(ours), name)) return;
  if (isSeen(copying, `${around.file} ${name}, inside`)) return;
  const part = partOf(statement, name);
  copyNeeds(copying, around, part.needs);
  const intoBody = (code: ts.SourceFile) => {
    const body = around.maker?.(code)?.body;
    if (body === undefined) return undefined;
    if (ts.isBlock(body)) {
      return withPart(code.text, body.statements, part, body.statements.at(-1)?.getStart() ?? body.end - 1);
    }
    return splice(code.text, body.getStart(), body.end, `{ ${part.text}\nreturn ${body.getText()}; }`);
  };
  edit(copying, around.file, intoBody, part.text);
}

/** `_tools` is what the app calls it as long as nobody uses it. */
function copyParameter(copying: Copying, { file, maker }: Around, position: number, name: string): void {
  const parameterOf = (code: ts.SourceFile) => maker?.(code)?.parameters[position]?.name;
  const theirs = parameterOf(example(copying, file));
  const intoParameters = (code: ts.SourceFile) => {
    const ours = parameterOf(code);
    if (ours === undefined || theirs?.kind !== ours.kind) return undefined;
    if (boundBy(ours).includes(name)) return code.text;
    if (ts.isObjectBindingPattern(ours)) return addTo(code.text, ours, name);
    return ours.getText() === `_${name}` ? splice(code.text, ours.getStart(), ours.end, name) : undefined;
  };
  edit(copying, file, intoParameters, `the parameter \`${name}\``);
}

/** Copies what a file declares under a name, or imports. */
function copyNamed(copying: Copying, file: string, name: string): void {
  if (isSeen(copying, `${file} ${name}`)) return;
  if (declarationOf(app(copying, file).statements, name) !== undefined) return;
  const code = example(copying, file);
  const imported = importsIn(code).find((known) => known.name === name);
  if (imported !== undefined) {
    edit(copying, file, ({ text }) => withImport(text, imported), `${name} of ${imported.module}`);
    followImport(copying, file, imported);
    return;
  }
  const statement = declarationOf(code.statements, name);
  if (statement === undefined) return; // one of JavaScript's own
  const part = partOf(statement, name);
  const text = `\n\n${part.text}\n`;
  if (ts.isVariableStatement(statement) || statement.pos < firstExport(code)) {
    copyNeeds(copying, { file }, part.needs);
    const atTop = (ours: ts.SourceFile) =>
      withPart(ours.text, ours.statements, { ...part, text }, firstExport(ours));
    edit(copying, file, atTop, text);
  } else {
    edit(copying, file, (ours) => ours.text + text, text);
    copyNeeds(copying, { file }, part.needs);
  }
}

/** A module of the example comes along, if the app has none in its place. */
function followImport(copying: Copying, from: string, { module, name }: Imported): void {
  const file = posix.join(posix.dirname(from), module);
  if (!module.startsWith('.') || file.startsWith('..')) return;
  if (copying.draft.read(`src/app/${file}`) !== undefined) {
    copyNamed(copying, file, name);
    return;
  }
  const code = example(copying, file);
  copying.draft.write(`src/app/${file}`, code.text);
  copying.copied.push({ file, node: code });
  for (const imported of importsIn(code)) followImport(copying, file, imported);
}

/** What declares a name: a statement, or one member of what it takes apart. */
interface Part {
  readonly text: string;
  readonly needs: ts.Node;
  readonly member?: { readonly text: string; readonly of: string };
}

function partOf(statement: ts.Statement, name: string): Part {
  const [declaration] = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [];
  if (declaration?.initializer === undefined || !ts.isObjectBindingPattern(declaration.name)) {
    return { text: statement.getFullText().trim(), needs: statement };
  }
  const needs = declaration.initializer;
  const element = declaration.name.elements.find((candidate) => boundBy(candidate.name).includes(name));
  const member = { text: element?.getText() ?? name, of: needs.getText() };
  return { text: `const { ${member.text} } = ${member.of};`, needs, member };
}

function withPart(text: string, among: readonly ts.Statement[], part: Part, at: number): string {
  const pattern = among
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .filter(({ initializer }) => initializer?.getText() === part.member?.of)
    .map(({ name }) => name)
    .find(ts.isObjectBindingPattern);
  if (pattern && part.member) return addTo(text, pattern, part.member.text);
  return splice(text, at, at, `${part.text}\n`);
}

function firstExport({ statements, end }: ts.SourceFile): number {
  return statements.find((statement) => statement.getText().startsWith('export '))?.pos ?? end;
}

function statementsOf({ body }: ts.FunctionLikeDeclaration): readonly ts.Statement[] {
  return body && ts.isBlock(body) ? body.statements : [];
}

function isSeen({ seen }: Copying, what: string): boolean {
  return seen.size === seen.add(what).size;
}

function example({ draft }: Copying, file: string): ts.SourceFile {
  return parseCode(draft.read(`src/example/${file}`) ?? '');
}

function app({ draft }: Copying, file: string): ts.SourceFile {
  return parseCode(draft.read(`src/app/${file}`) ?? '');
}

type Change = (code: ts.SourceFile) => string | undefined;

function edit({ draft }: Copying, file: string, change: Change, byHand: string): void {
  draft.edit(`src/app/${file}`, (text) => change(parseCode(text)), byHand);
}
