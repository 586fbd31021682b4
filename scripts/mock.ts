import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/mock/random.ts';
import { createSender, type Sender } from '../src/mock/sender.ts';
import { createMockApp, overviewText } from '../src/mock/server.ts';
import type { Source } from '../src/source.ts';
import { furtherEndpoints, sources } from '../src/sources/index.ts';
import { receiverUrl, runCommand, untilStopped, wholeNumber } from './command.ts';
import { credentialsFrom } from './credentials.ts';

const USAGE = `The mock of all sources: keeps running on this machine and sends on request.

  npm run mock -- [--url address]

  --url address  the receiver (default http://127.0.0.1:3000)
  MOCK_PORT      the mock's own port (default 4000; 0 takes a free one)
`;

await runCommand(async (args) => {
  const { values } = parseArgs({
    args,
    options: { url: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const port = wholeNumber('MOCK_PORT', process.env['MOCK_PORT'] ?? '4000', { min: 0, max: 65_535 });
  const url = receiverUrl(values.url, process.env['PORT']);
  const senders = sendersTo(url);
  const server = createServer(createMockApp(senders));
  return (await listen(server, port)) ? runUntilStopped(server, senders, url) : 1;
});

function sendersTo(url: URL): Sender[] {
  const credentialsOf = credentialsFrom(process.env, sources, furtherEndpoints);
  const random = createRandom(randomInt(2 ** 32));
  return sources.map((source: Source) =>
    createSender({ source, url, random, credentialFor: credentialsOf(source) }),
  );
}

async function listen(server: Server, port: number): Promise<boolean> {
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!taken) throw error;
    console.error(
      `Port ${port} is taken; is a mock running already? MOCK_PORT=4001 npm run mock takes another.`,
    );
    return false;
  }
}

async function runUntilStopped(server: Server, senders: readonly Sender[], url: URL): Promise<number> {
  const address = server.address();
  const host = typeof address === 'object' ? `127.0.0.1:${address?.port ?? ''}` : '';
  console.log(`The mock listens at http://${host} and sends to ${url.href}; Ctrl-C ends it.\n`);
  console.log(overviewText(senders, host));
  await untilStopped();
  server.close();
  server.closeAllConnections();
  for (const sender of senders) sender.close();
  return 0;
}
