import * as util from 'node:util';

export * from 'node:util';

const since20_12: { parseEnv?: typeof util.parseEnv; styleText?: typeof util.styleText } = util;

export const parseEnv = since20_12.parseEnv ?? ((text: string) => Object.fromEntries(assignmentsIn(text)));

/** Without colours where Node has none. */
export const styleText = since20_12.styleText ?? ((_style: unknown, text: string) => text);

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*(?:(["'`])(.*?)\2|([^#\r\n]*))/gms;

function assignmentsIn(text: string): (readonly [name: string, value: string])[] {
  return [...text.matchAll(ASSIGNMENT)].map(([, name = '', , quoted, bare = '']) => [
    name,
    quoted ?? bare.trim(),
  ]);
}
