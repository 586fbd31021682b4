import type { Finding, Rule, Trial } from '../rule.ts';
import { describe, failed, isAccepted, passed } from '../trials.ts';

/** Group H, second part: those who ask how the receiver is. */
export const healthRules: readonly Rule[] = [
  {
    id: 'H4-health',
    group: 'H',
    title: 'tells every health check how it is, however it asks',
    severity: 'high',
    grade: 'correct',
    level: 1,
    needs: 'health',
    oncePerSource: true,
    why: 'Load balancers ask in old and short ways: HTTP/1.0 without a Host, HEAD, the name of a container. One that is refused takes a receiver out that is well, and the deliveries go nowhere.',
    fix: 'Answer GET and HEAD on the path of the health check whatever the version, the Host and the query are, and let no other check stand in front of it.',
    trials: () => [
      asked('HTTP/1.0 without a Host', (path) => [`GET ${path} HTTP/1.0`]),
      asked('HEAD', (path, host) => [`HEAD ${path} HTTP/1.1`, host, CLOSE], 'HEAD'),
      asked('a query behind the path', (path, host) => [`GET ${path}?from=balancer HTTP/1.1`, host, CLOSE]),
      asked('the name of a container as Host', (path) => [`GET ${path} HTTP/1.1`, 'Host: receiver-0', CLOSE]),
    ],
  },
];

const CLOSE = 'Connection: close';

/** Between none but itself: it proves nothing and is no delivery. */
function asked(
  name: string,
  lines: (path: string, host: string) => readonly string[],
  method = 'GET',
): Trial {
  const ask = async (stage: Parameters<Trial['run']>[0], by: typeof lines, verb: string) =>
    stage.askHealth(
      (url) => Buffer.from(`${by(url.pathname, `Host: ${url.host}`).join('\r\n')}\r\n\r\n`),
      verb,
    );
  return {
    name,
    async run(stage): Promise<Finding> {
      const usual = await ask(stage, (path, host) => [`GET ${path} HTTP/1.1`, host, CLOSE], 'GET');
      if (!isAccepted(usual)) {
        return {
          outcome: 'inconclusive',
          expected: '2xx to a usual question first',
          observed: describe(usual),
        };
      }
      const observation = await ask(stage, lines, method);
      return (isAccepted(observation) ? passed : failed)('2xx', describe(observation));
    },
  };
}
