import ts from 'typescript';

// Finds places in TypeScript, and puts text there. The formatter tidies up afterwards.

export function parseCode(text: string): ts.SourceFile {
  return ts.createSourceFile('code.ts', text, ts.ScriptTarget.Latest, true);
}

/** Looks through brackets, `as` and `satisfies`. */
export function objectIn(node: ts.Node | undefined): ts.ObjectLiteralExpression | undefined {
  if (node === undefined || ts.isObjectLiteralExpression(node)) return node;
  const wraps =
    ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node);
  return wraps ? objectIn(node.expression) : undefined;
}

/** The object that a function returns at its end. */
export function returnedBy(maker: ts.FunctionLikeDeclaration | undefined) {
  const body = maker?.body;
  const last = body && ts.isBlock(body) ? body.statements.at(-1) : undefined;
  return objectIn(last && ts.isReturnStatement(last) ? last.expression : body);
}

export type Members = ts.ObjectLiteralExpression | ts.InterfaceDeclaration;

export function membersOf(of: Members): readonly ts.NamedDeclaration[] {
  return ts.isInterfaceDeclaration(of) ? of.members : of.properties;
}

export function memberOf(of: Members | undefined, name: string): ts.NamedDeclaration | undefined {
  return of && membersOf(of).find((member) => nameOf(member) === name);
}

export function nameOf({ name }: ts.NamedDeclaration): string {
  return name !== undefined && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? name.text : '';
}

/** The statement that declares a name. */
export function declarationOf(statements: readonly ts.Statement[], name: string): ts.Statement | undefined {
  return statements.find((statement) => declaredBy(statement).includes(name));
}

function declaredBy(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap((declaration) => boundBy(declaration.name));
  }
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement);
  return isNamed ? [statement.name?.text ?? ''] : [];
}

export function boundBy(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundBy(element.name) : []));
}

/** What a constant of a file is set to. */
export function constantIn(file: ts.SourceFile, name: string): ts.Expression | undefined {
  return file.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .find((declaration) => nameOf(declaration) === name)?.initializer;
}

/** Every identifier, comments left out. */
export function identifiersIn(node: ts.Node): ts.Identifier[] {
  if (ts.isIdentifier(node)) return [node];
  const found: ts.Identifier[] = [];
  ts.forEachChild(node, (child) => void found.push(...identifiersIn(child)));
  return found;
}

/** The names that a piece of code uses or declares; names of members are not among them. */
export function namesIn(node: ts.Node): Set<string> {
  const names = identifiersIn(node).filter((at) => !isMemberName(at));
  return new Set(names.map(({ text }) => text));
}

function isMemberName(at: ts.Identifier): boolean {
  const { parent } = at;
  if (ts.isBindingElement(parent)) return parent.propertyName === at;
  const hasMemberName =
    ts.isPropertyAccessExpression(parent) ||
    ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isMethodDeclaration(parent);
  return hasMemberName && parent.name === at;
}

/** Replaces a part of a text. */
export function splice(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}

/** Adds an entry at the end of what stands in brackets. */
export function addTo(
  text: string,
  list: Members | ts.ArrayLiteralExpression | ts.ObjectBindingPattern,
  entry: string,
): string {
  const at = text.slice(0, list.end - 1).trimEnd().length;
  const added = splice(text, at, at, `\n${entry}`);
  if (ts.isInterfaceDeclaration(list)) return added;
  const items = ts.isObjectLiteralExpression(list) ? list.properties : list.elements;
  return items.length === 0 || items.hasTrailingComma ? added : splice(added, items.end, items.end, ',');
}

/** One name that a file imports. */
export interface Imported {
  readonly module: string;
  readonly name: string;
  /** As a type only. */
  readonly type: boolean;
  /** What it is called where it comes from, if otherwise. */
  readonly as?: string | undefined;
}

interface Found extends Imported {
  readonly declaration: ts.ImportDeclaration;
}

export function importsIn(file: ts.SourceFile): Found[] {
  return file.statements.filter(ts.isImportDeclaration).flatMap((declaration) => {
    const { importClause: clause, moduleSpecifier } = declaration;
    const named = clause?.name === undefined ? clause?.namedBindings : undefined;
    if (named === undefined || !ts.isNamedImports(named) || !ts.isStringLiteral(moduleSpecifier)) return [];
    const allTypes = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return named.elements.map(({ name, propertyName, isTypeOnly }) => ({
      declaration,
      module: moduleSpecifier.text,
      name: name.text,
      type: allTypes || isTypeOnly,
      as: propertyName?.text,
    }));
  });
}

/** Imports a name, together with what else comes from there. */
export function withImport(text: string, wanted: Imported): string {
  const { module, name, type } = wanted;
  const file = parseCode(text);
  const there = importsIn(file);
  if (there.some((known) => known.name === name && (type || !known.type))) return text;
  const declaration = there.find((known) => known.module === module)?.declaration;
  if (declaration === undefined) {
    const last = file.statements.findLast(ts.isImportDeclaration);
    const at = module.startsWith('.') ? (last?.end ?? 0) : 0;
    return splice(text, at, at, `\n${importLine(module, [wanted])}\n`);
  }
  const beside = there.filter((known) => known.declaration === declaration && known.name !== name);
  const line = importLine(module, [...beside, wanted]);
  return splice(text, declaration.getStart(), declaration.end, line);
}

/** Imports a name no longer, if nothing uses it. */
export function withoutIdleImport(text: string, name: string): string {
  const file = parseCode(text);
  const there = importsIn(file);
  const idle = there.find((known) => known.name === name);
  const uses = identifiersIn(file).filter((at) => at.text === name);
  if (idle === undefined || uses.length > 1) return text;
  const { declaration, module } = idle;
  const rest = there.filter((known) => known.declaration === declaration && known !== idle);
  return splice(text, declaration.getStart(), declaration.end, importLine(module, rest));
}

/** Values before types, as the neighbours do. */
function importLine(module: string, names: readonly Imported[]): string {
  if (names.length === 0) return '';
  const sorted = names.toSorted(
    (one, other) => Number(one.type) - Number(other.type) || one.name.localeCompare(other.name),
  );
  const allTypes = names.every(({ type }) => type);
  const list = sorted.map(
    ({ name, type, as }) =>
      (type && !allTypes ? 'type ' : '') + (as === undefined ? name : `${as} as ${name}`),
  );
  return `import ${allTypes ? 'type ' : ''}{ ${list.join(', ')} } from '${module}';`;
}
