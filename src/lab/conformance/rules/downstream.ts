import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import { valuesOf } from '../reply.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';

/** Group J, as far as replies tell of it: what genuine content is shown to somebody. */
export const downstreamRules: readonly Rule[] = [
  {
    id: 'J7-escaped',
    group: 'J',
    title: 'escapes what it shows of an event in a page',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'Names of documents and people are written by users. In a page they become script, which acts as whoever opened it.',
    fix: 'Build pages with a template engine that escapes by itself, and forbid scripts with a Content-Security-Policy.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html',
    trials: (at) =>
      at.source.events[at.type]?.mode === 'reply'
        ? [
            shown('an element', '<script>alert(7)</script>'),
            shown('an image', '<img src=x onerror=alert(7)>'),
            shown('the end of an attribute', '"onmouseover="alert(7)'),
          ]
        : [],
  },
];

function shown(name: string, markup: string): Trial {
  const expected = 'no page that has it as markup';
  return tried(name, async (stage) => {
    const request = await stage.genuine({ payload: withMarkup(stage.endpoint, markup) });
    const observation = await stage.send(request, 'with markup in its texts');
    const [type = ''] = valuesOf(observation, 'content-type');
    const isPage = /html|^$/.test(type);
    const observed = `${describe(observation)}${isPage ? ' with a page' : ''}`;
    if (isAccepted(observation) && isPage && observation.body.toString().includes(markup)) {
      return failed(expected, `${observed}, and the markup in it`);
    }
    return passed(expected, observed);
  });
}

/** The usual payload, each of its texts but ids followed by markup. */
function withMarkup({ source, type }: EndpointUnderTest, markup: string): unknown {
  return JSON.parse(JSON.stringify(source.events[type]?.example ?? {}), (_name, value: unknown) =>
    typeof value === 'string' && !/^[0-9a-f-]{36}$/.test(value) ? `${value}${markup}` : value,
  ) as unknown;
}
