import { onOneLine, printable } from '../printable.ts';
import type { Asked, Examination } from './examine.ts';
import { isHarmless } from './examine.ts';
import { faults, proxies, type Fault, type FaultId, type ProxyName } from './findings.ts';

/** A group of requests on one line. */
export function askedLine({ name, at, found }: Asked): string {
  if (at === undefined) return `–   ${name}: no endpoint for it`;
  const ids = [...new Set(found.map(({ id }) => id))];
  const mark = ids.length === 0 ? 'ok ' : ids.every(isHarmless) ? 'say' : 'BAD';
  const detail = ids.includes('blocked') ? ` (${found[0]?.detail ?? ''})` : '';
  return onOneLine(`${mark} ${name}, ${at}${ids.length === 0 ? '' : `: ${ids.join(', ')}${detail}`}`);
}

const MOST_DETAILS = 4;

/** Each fault with what showed it and what ends it. `only`: lines for these proxies alone. */
export function examinationText(
  { found, verdict }: Examination,
  only: readonly ProxyName[] = proxies,
): string {
  const told = [...found].map(([id, details]) => faultText(id, details, only));
  return (verdict === 'unreachable' ? [VERDICTS[verdict]] : [...told, VERDICTS[verdict]]).join('\n\n');
}

function faultText(id: FaultId, details: readonly string[], only: readonly ProxyName[]): string {
  const { title, hop, lines }: Fault = faults[id];
  const more = details.length - MOST_DETAILS;
  return [
    `${isHarmless(id) ? 'To know' : 'FAULT'} ${id}: ${title}`,
    ...details.slice(0, MOST_DETAILS).map((detail) => `  seen    ${onOneLine(detail)}`),
    ...(more > 0 ? [`          and ${more} more like it`] : []),
    `  likely  ${hop}`,
    ...only.flatMap((proxy) => linesFor(proxy, lines[proxy])),
  ].join('\n');
}

function linesFor(proxy: ProxyName, text: string | undefined): string[] {
  if (text === undefined) return [];
  return printable(text)
    .split('\n')
    .map((line, at) => `  ${(at === 0 ? proxy : '').padEnd(9)} ${line}`);
}

const VERDICTS: Readonly<Record<Examination['verdict'], string>> = {
  conformant: 'Nothing on the way changes, drops or refuses a delivery.',
  'not conformant': 'The way is not right: deliveries are lost or refused by what stands above.',
  unreachable: 'Nothing answers there: is the address right, the receiver running, the port open?',
  inconclusive: 'No canary was recognised, so nothing can be said of the way.',
  interrupted: 'Interrupted.',
  broken: 'The examination broke off.',
};

/** The same for a program. */
export function examinationJson({ verdict, asked, found }: Examination): string {
  const findings = [...found].map(([id, details]) => {
    const { title, hop, lines }: Fault = faults[id];
    return { id, harmless: isHarmless(id), title, details, hop, lines };
  });
  const groups = asked.map(({ name, at, found: shown }) => ({ name, at, found: shown.map(({ id }) => id) }));
  return JSON.stringify({ verdict, asked: groups, findings }, null, 2);
}
