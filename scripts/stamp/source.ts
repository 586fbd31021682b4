import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { upperSnake } from '../../src/kit/endpoint/definition.ts';
import { UsageError } from '../../src/lab/usage.ts';
import type { Source } from '../../src/kit/source.ts';
import { addTo, memberOf, parseCode, returnedBy, withImport } from './code.ts';
import { openDraft, type Stamped } from './draft.ts';
import { checkSourceName, constantOf, titleOf } from './names.ts';
import { APP, appIn, methodIn } from './places.ts';
import { fillIn, type Words } from './template.ts';

/**
 * A new source: data sheet, catalogue, handlers and test, and its place in the app.
 * @throws UsageError, with nothing written
 */
export async function stampSource(
  root: string,
  name: string,
  sources: readonly Source[],
  { headers }: { readonly headers: boolean },
): Promise<Stamped> {
  checkSourceName(name, sources, codeAround(root));
  const constant = constantOf(name);
  const draft = openDraft(root);
  for (const [file, template] of Object.entries(filesOf(name))) {
    if (existsSync(join(root, file))) throw new UsageError(`${file} exists already.`);
    draft.write(
      file,
      fillIn(root, template, { name, constant, Title: titleOf(name), ...envelopeWords(root, name, headers) }),
    );
  }
  draft.edit(
    APP,
    (text) => intoApp(text, name, constant),
    `${constant} of ./sources/${name}/index.ts in \`sources\`, and among the \`handlers\`, of ./handlers/${name}.ts:\n` +
      `'${name}': ${constant}Handlers(tools),`,
  );
  return draft.save(nextSteps(name, headers));
}

/** What differs with where type and id of an event stand: in the body, or in headers beside it. */
function envelopeWords(root: string, name: string, headers: boolean): Words {
  if (!headers) {
    return {
      imports: "import { z } from 'zod';",
      used: 'parse,',
      named: '',
      constants: '',
      envelope: fillIn(root, 'source/envelope-body.ts', {}),
      written: '',
      witness: '{"id":"1","type":"example.created","data":{"id":"example-1"}}',
      witnessheaders: '{}',
      hashing: '',
      key: "'1'",
    };
  }
  const [type, id] = ['Event', 'Delivery'].map((end) => `X-${titleOf(name).replaceAll(' ', '-')}-${end}`);
  return {
    imports: "import { createHash } from 'node:crypto';",
    used: 'DeadLetter, type EnvelopeHeaders,',
    named: "headers: { [TYPE_HEADER.toLowerCase()]: 'unsigned', [ID_HEADER.toLowerCase()]: 'unsigned' }, ",
    constants:
      `/** Of one that the sender's signature covers, say \`signed\` below. */\nconst TYPE_HEADER = '${type}';\n` +
      `const ID_HEADER = '${id}';`,
    envelope: fillIn(root, 'source/envelope-headers.ts', {}),
    written: "[TYPE_HEADER]: to.type, [ID_HEADER]: to.id ?? '',",
    witness: '{"id":"example-1"}',
    witnessheaders: `{ '${type?.toLowerCase()}': 'example.created', '${id?.toLowerCase()}': '1' }`,
    hashing: 'createHash, ',
    key: "`example.created ${createHash('sha256').update(content).digest('hex')}`",
  };
}

/** Files to write, and the template of each. */
function filesOf(name: string): Record<string, string> {
  return {
    [`src/app/sources/${name}/index.ts`]: 'source/index.ts',
    [`src/app/sources/${name}/events.ts`]: 'source/events.ts',
    [`src/app/handlers/${name}.ts`]: 'source/handlers.ts',
    [`test/app/${name}.test.ts`]: 'source/test.ts',
  };
}

/** All code in which the name will be a constant. */
function codeAround(root: string): string[] {
  const templates = Object.values(filesOf('')).map((template) => `templates/${template}.tpl`);
  return [...templates, APP].map((file) => readFileSync(join(root, file), 'utf8'));
}

function intoApp(text: string, name: string, constant: string): string | undefined {
  const sources = memberOf(appIn(parseCode(text)), 'sources');
  if (!sources || !ts.isPropertyAssignment(sources) || !ts.isArrayLiteralExpression(sources.initializer)) {
    return undefined;
  }
  const listed = addTo(text, sources.initializer, constant);
  const handlers = returnedBy(methodIn(appIn(parseCode(listed)), 'handlers'));
  if (handlers === undefined) return undefined;
  return [
    { module: `./handlers/${name}.ts`, name: `${constant}Handlers`, type: false },
    { module: `./sources/${name}/index.ts`, name: constant, type: false },
  ].reduce(withImport, addTo(listed, handlers, `'${name}': ${constant}Handlers(tools),`));
}

function nextSteps(name: string, headers: boolean): string[] {
  const sheet = `src/app/sources/${name}/index.ts`;
  return [
    `witness: put a request that the sender itself has made into test/app/${name}.test.ts`,
    `proof: where its signature stands and how it is written, in ${sheet}; for another scheme, write a Proof`,
    headers
      ? `envelope: which headers type and id stand in, and whether the signature covers them, in ${sheet}`
      : `envelope: where id, type and payload stand, in ${sheet}`,
    `events: src/app/sources/${name}/events.ts; npm run new -- event ${name} <event.type> adds one`,
    `reply: what the sender takes for success, in ${sheet}`,
    `what is done with its events: npm run new -- handler ${name} example.created`,
    `set ${upperSnake(name)}_SECRET, npm start, and npm run send -- ${name} example.created; npm run check tells whether all agrees`,
  ];
}
