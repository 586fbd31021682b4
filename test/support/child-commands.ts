import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import type { CommandLine } from './in-one-process.ts';

// Runs commands one after the other. What is in the folder `again` is loaded for each of them: files of scripts read the
// command line and the environment when they are loaded. The rest is loaded once.

const [root = '', again = ''] = process.argv.slice(2);
const loadedAgain = pathToFileURL(join(root, again, '/')).href;
let count = 0;

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return found.url.startsWith(loadedAgain) ? { ...found, url: `${found.url}?${count}` } : found;
  },
});

class Exit extends Error {}

const exit = process.exit.bind(process);
process.once('disconnect', () => exit());
process.exit = (code) => {
  process.exitCode = code ?? process.exitCode;
  throw new Exit();
};

/** What commands listen to, each time they are run. */
const heard = [
  [process.stdout, 'error'],
  ...['SIGHUP', 'SIGINT', 'SIGTERM', 'uncaughtException'].map((event) => [process, event] as const),
] as const;

let output = { out: '', err: '' };
for (const [stream, name] of [[process.stdout, 'out'] as const, [process.stderr, 'err'] as const]) {
  stream.write = (text: string | Uint8Array, ...further: unknown[]) => {
    output[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
    const done = further.find((one) => typeof one === 'function');
    if (done !== undefined) process.nextTick(done);
    return true;
  };
}

async function run({ script, args, env, cwd }: CommandLine): Promise<void> {
  count += 1;
  output = { out: '', err: '' };
  process.exitCode = 0;
  process.chdir(cwd);
  process.argv.splice(2, Infinity, ...args);
  // In place: what Node itself reads of it, as TMPDIR, is there and nowhere else.
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, env);
  try {
    await import(pathToFileURL(join(root, 'scripts', `${script}.ts`)).href);
  } catch (error) {
    if (!(error instanceof Exit)) {
      process.exitCode = 1;
      output.err += `${inspect(error)}\n`;
    }
  }
  for (const [emitter, event] of heard) emitter.removeAllListeners(event);
  process.send?.({ code: process.exitCode, ...output });
}

process.on('message', (line: CommandLine) => void run(line));
