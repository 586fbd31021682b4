import { createEffects } from '../../src/lab/rig/effects.ts';
import { credentialVariable, endpointsOf, upperSnake } from '../../src/kit/endpoint/definition.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { startReceiver } from '../support/receiver.ts';
import type { Credential, Credentials } from './parts.ts';
import type { Running } from './receiver.ts';

/** This kit's own receiver, as the suite sees any other. */
export async function startKit(credentials: Credentials): Promise<Running> {
  // Each of many failed proofs is to be refused for what is wrong with it.
  const env = { FAILED_PROOF_LIMIT: '1000000', ...secretsIn(credentials) };
  const receiver = await startReceiver({ env });
  return {
    url: new URL(receiver.url),
    effects: createEffects(receiver.app.inbox),
    stop: () => receiver.stop(),
  };
}

function secretsIn(credentials: Credentials): Record<string, string | undefined> {
  const variables = sources.flatMap((source) =>
    endpointsOf(source).flatMap((definition): [string, string | undefined][] => {
      const usual = credentialVariable({ definition, source });
      const own = [...credentials].filter(([path]) => path.replace(/\?.*/, '') === definition.path);
      return [
        [usual, undefined],
        ...own.map(([, credential]): [string, string] => [variableFor(usual, credential), credential.text]),
      ];
    }),
  );
  return Object.fromEntries(variables);
}

/** `…_TOKEN` instead of `…_SECRET`, `PHENIXID_NORTH_SECRET` instead of `PHENIXID_SECRET`. */
function variableFor(usual: string, { kind, key }: Credential): string {
  const installation = key === undefined ? '' : `${upperSnake(key)}_`;
  return usual.replace(/SECRET$/, `${installation}${kind}`);
}
