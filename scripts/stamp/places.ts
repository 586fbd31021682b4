import ts from 'typescript';
import { constantIn, memberOf, objectIn } from './code.ts';
import { constantOf } from './names.ts';

export const APP = 'src/app/index.ts';

/** What a file gives to `defineApp`. */
export function appIn(file: ts.SourceFile): ts.ObjectLiteralExpression | undefined {
  const made = constantIn(file, 'app') ?? constantIn(file, 'example');
  return made && ts.isCallExpression(made) ? objectIn(made.arguments[0]) : undefined;
}

/** A method of an object, however it is written. */
export function methodIn(
  object: ts.ObjectLiteralExpression | undefined,
  name: string,
): ts.FunctionLikeDeclaration | undefined {
  const member = memberOf(object, name);
  if (member === undefined || ts.isMethodDeclaration(member)) return member;
  if (!ts.isPropertyAssignment(member)) return undefined;
  const { initializer } = member;
  return ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer) ? initializer : undefined;
}

/** The function that makes the handlers of a source. */
export function handlersIn(file: ts.SourceFile, source: string): ts.FunctionDeclaration | undefined {
  const wanted = `${constantOf(source)}Handlers`;
  return file.statements.find(
    (statement): statement is ts.FunctionDeclaration =>
      ts.isFunctionDeclaration(statement) && statement.name?.text === wanted,
  );
}

/** `Event: notWritten` */
export function isNotWritten(member: ts.Node | undefined): boolean {
  return (
    member !== undefined &&
    ts.isPropertyAssignment(member) &&
    ts.isIdentifier(member.initializer) &&
    member.initializer.text === 'notWritten'
  );
}
