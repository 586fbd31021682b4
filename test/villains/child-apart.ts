import { burdened } from './broken/burdens.ts';
import type { Credential } from './parts.ts';
import { createReceiver } from './receiver.ts';
import { right } from './right.ts';

// The receiver that VILLAIN names, as a program; `apart` starts it.

const { VILLAIN = '', CREDENTIALS = '[]' } = process.env;
const parts = burdened.get(VILLAIN);
if (parts === undefined) throw new Error(`VILLAIN: there is none that is called "${VILLAIN}".`);
// As `apart` writes them.
const credentials = new Map(JSON.parse(CREDENTIALS) as [string, Credential][]);
const { url } = await createReceiver({ ...right, ...parts })(credentials);
process.stdout.write(`Listening on ${url.href}\n`);
