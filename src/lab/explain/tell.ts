import type { EndpointConfig } from '../../kit/endpoint/definition.ts';
import { pathOf } from '../../kit/http/router.ts';
import { onOneLine } from '../printable.ts';
import { pairsOf } from '../../kit/tape/raw.ts';
import type { RawRequest } from '../raw-request.ts';
import { viewOf, type Case } from './case.ts';
import type { Explanation, Report } from './explain.ts';
import { spotsOf, TOKEN, bare } from './spots.ts';

/** A report in words. Nothing of a secret, a token or a payload is in it. */
export function tell(report: Report, accept: string | undefined): string {
  return lines(report, accept).map(onOneLine).join('\n');
}

function lines(report: Report, accept: string | undefined): readonly string[] {
  const { judged, verdict, fits, named, excluded } = report;
  if (verdict === 'verifies') {
    const unread = judged.accepted
      ? []
      : [`What it says cannot be read, so it would be a dead letter: ${judged.why}`];
    return [
      'It verifies now, as it came.',
      ...unread,
      ...(accept === undefined ? [] : [`Take it in with ${accept}.`]),
    ];
  }
  const refused = judged.accepted ? [] : [`Refused, ${judged.code}: ${judged.why}`, ''];
  const seen =
    fits.length > 0 ? [] : named.flatMap(({ means, remedies }) => [...means, ...remedies.map(indented), '']);
  return [
    ...refused,
    ...seen,
    ...(fits.length > 0
      ? fitting(fits)
      : ['Nothing that was tried makes it verify.', ...excluded.map(indented)]),
    effort(report),
  ];
}

function fitting(fits: readonly Explanation[]): readonly string[] {
  const [only] = fits;
  if (fits.length === 1 && only !== undefined) return [...explained(only), certain(only)];
  return [
    `${fits.length} changes would each make it verify; which of them is true cannot be told from here.`,
    ...fits.flatMap((fit) => ['', ...explained(fit)]),
    '',
  ];
}

function explained({ means, remedies, orElse, unreadable }: Explanation): readonly string[] {
  return [
    `It would verify if ${means.join(', and if ')}.`,
    ...remedies.map(indented),
    ...orElse.map((other) => indented(`Or, which looks the same: if ${other}.`)),
    ...(unreadable === undefined
      ? []
      : [indented(`What it says could not be read even then: ${unreadable}`)]),
  ];
}

function certain({ ids }: Explanation): string {
  return indented(
    `Certain: the receiver's whole check accepts it with ${ids.length === 1 ? 'this change alone' : 'these two changes, and with neither alone'}.`,
  );
}

function effort({ tried, pairs, complete, elapsedMs }: Report): string {
  const paired = pairs > 0 ? `, and ${pairs} pairs of them` : '';
  const ended = complete ? '' : ' The time was over before everything was tried: --seconds gives it more.';
  return indented(`${tried} changes tried${paired}, in ${(elapsedMs / 1_000).toFixed(1)} s.${ended}`);
}

function indented(text: string): string {
  return `  ${text}`;
}

/** Path, method, place of the proof and size: what a delivery is recognised by. */
export function outline(request: RawRequest, endpoints: readonly EndpointConfig[]): readonly string[] {
  const place = placeOfProof({ request, at: 0, known: { endpoints, further: [] } });
  return [pathOf(request.target), request.method, place, `${request.body.length} bytes`].map(onOneLine);
}

function placeOfProof(of: Case): string {
  const header = viewOf(of).proof?.header;
  const written = pairsOf(of.request).find(([name]) => name.toLowerCase() === header)?.[0];
  if (written !== undefined) return `signature in ${written}`;
  const spot = spotsOf(of.request).find(({ text }) => TOKEN.test(bare(text.trim())));
  if (spot !== undefined) return `token in ${spot.place === 'header' ? spot.name : spot.place}`;
  return spotsOf(of.request).some(({ name }) => name === 'authorization') ? 'Authorization' : 'no proof seen';
}
