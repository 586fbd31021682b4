import './node-20/globals.ts';
import { basename } from 'node:path';
import { sources } from '../../src/kit/sources/index.ts';
import { commandEnvironment } from '../../src/lab/command.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { runConform } from './command.ts';

// The suite without the kit: `npm run conform -- --bundle` makes one file of this one and of all that it imports.

const [, file = ''] = process.argv;
await runConform({
  command: `node ${basename(file)}`,
  version: packageJson.version,
  app: { sources },
  environment: commandEnvironment('.env'),
});
