import ts from 'typescript';
import { upperSnake } from '../../src/kit/endpoint/definition.ts';
import type { EventDefinition, Source } from '../../src/kit/source.ts';
import { constantIn, memberOf, nameOf, splice } from './code.ts';

// What is about the same thing must have the same subject, or it would not be handled in turn: a new event looks at how the
// others of its source are written.

/** An event that its source has already, as its catalogue writes it. */
interface Neighbour {
  readonly type: string;
  readonly call: ts.CallExpression;
  /** How its subject is made; empty where it has none. */
  readonly subject: string;
}

/** Those of the same mode, in the order of the catalogue. */
export function neighboursIn(
  file: ts.SourceFile,
  { properties }: ts.ObjectLiteralExpression,
  { events }: Source,
  mode: EventDefinition['mode'],
): Neighbour[] {
  return properties.flatMap((property) => {
    const type = typeOf(file, property);
    const call = ts.isPropertyAssignment(property) ? property.initializer : undefined;
    if (call === undefined || !ts.isCallExpression(call) || events[type]?.mode !== mode) return [];
    return [{ type, call, subject: subjectIn(call) }];
  });
}

/**
 * How a new event is written like its neighbours: like those about the same thing or, where all of the source are about
 * one thing, like these. `undefined` where it is the first of its kind.
 */
export function formFor(type: string, neighbours: readonly Neighbour[]): string | undefined {
  const alike = neighbours.findLast((one) => thingOf(one.type) === thingOf(type)) ?? idiomOf(neighbours);
  return alike && writtenLike(alike);
}

/** With what the subject of others begins that are about the same thing, whatever their mode. */
export function subjectLike(type: string, { events }: Source): string | undefined {
  const [subject] = Object.entries(events).flatMap(([known, event]) =>
    thingOf(known) === thingOf(type) ? (event.subject?.(event.example) ?? []) : [],
  );
  return subject?.split(':')[0];
}

/** `order.shipped` and `OrderShipped` are about an order. */
export function thingOf(type: string): string {
  return upperSnake(type).split('_')[0]?.toLowerCase() ?? type;
}

/** A function that makes them all, or one subject for events that are called differently. */
function idiomOf(neighbours: readonly Neighbour[]): Neighbour | undefined {
  const last = neighbours.at(-1);
  const isOne =
    last !== undefined && last.subject !== '' && neighbours.every(({ subject }) => subject === last.subject);
  const things = new Set(neighbours.map((one) => thingOf(one.type)));
  return isOne && (isHelper(last.call) || things.size > 1) ? last : undefined;
}

function typeOf(file: ts.SourceFile, { name }: ts.ObjectLiteralElementLike): string {
  if (name === undefined || !ts.isComputedPropertyName(name))
    return name === undefined ? '' : nameOf({ name } as ts.NamedDeclaration);
  const constant = constantIn(file, name.expression.getText());
  return constant && ts.isStringLiteral(constant) ? constant.text : '';
}

function subjectIn(call: ts.CallExpression): string {
  if (isHelper(call)) return call.expression.getText();
  const [definition] = call.arguments;
  if (definition === undefined || !ts.isObjectLiteralExpression(definition)) return '';
  const spread = definition.properties.filter(ts.isSpreadAssignment).map((each) => each.getText());
  return [...spread, memberOf(definition, 'subject')?.getText() ?? ''].join('');
}

/** `taskEvent('…')`: a function of the catalogue that is told the summary only. */
function isHelper({ expression, arguments: [summary, ...rest] }: ts.CallExpression): boolean {
  return (
    ts.isIdentifier(expression) && summary !== undefined && ts.isStringLiteral(summary) && rest.length === 0
  );
}

const SUMMARY = "'Stamped: say in one sentence what has happened.'";

/** The same text with a summary to fill in. */
function writtenLike({ call }: Neighbour): string | undefined {
  const [definition] = call.arguments;
  const member =
    definition && ts.isObjectLiteralExpression(definition) ? memberOf(definition, 'summary') : undefined;
  const summary = isHelper(call)
    ? definition
    : member && ts.isPropertyAssignment(member)
      ? member.initializer
      : undefined;
  if (summary === undefined) return undefined;
  const from = call.getStart();
  return splice(call.getText(), summary.getStart() - from, summary.end - from, SUMMARY);
}
