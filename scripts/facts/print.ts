import { LOOKED_AT, THEN_ONE_IN } from '../../src/kit/facts/observer.ts';
import { markdownTable } from '../../src/lab/rig/table.ts';
import { table } from '../inbox/print.ts';
import { assumedOf, dayOf, driftText, seenOf, verdictOf, type Learnt } from './learnt.ts';

const SAMPLING = `Of each endpoint the first ${LOOKED_AT.toLocaleString('en')} deliveries after a start are looked at, then one in ${THEN_ONE_IN}.`;

/** For a terminal. */
export function pageOf(learnt: readonly Learnt[]): string {
  return [...learnt.map(sectionOf), SAMPLING].join('\n\n');
}

function headOf({ source, came, examined, since }: Learnt): string {
  if (since === undefined) return `${source.title}: no delivery yet`;
  return `${source.title}: ${deliveriesOf(came)} since ${dayOf(since)}, ${examined} looked at`;
}

function deliveriesOf(count: number): string {
  return count === 1 ? '1 delivery' : `${count} deliveries`;
}

function sectionOf(learnt: Learnt): string {
  const { findings, drift } = learnt;
  const seen = findings.filter(({ state }) => state !== 'not seen');
  const unseen = findings.filter(({ state }) => state === 'not seen').map(({ fact }) => fact.id);
  const rows = seen.map((finding) => [
    ...[` ${finding.fact.id}`, finding.fact.what],
    ...[assumedOf(finding), seenOf(finding), verdictOf(finding)],
  ]);
  return [
    headOf(learnt),
    ...(rows.length === 0 ? [] : [table([['', '', 'assumed', 'seen', ''], ...rows])]),
    ...(unseen.length > 0 && learnt.since !== undefined ? [`  Not seen yet: ${unseen.join(', ')}`] : []),
    ...drift.map(
      (found) => `  Drift: ${driftText(found)}, since ${dayOf(found.first)}${placeOf(found, learnt)}`,
    ),
  ].join('\n');
}

/** Where an event came, unless it is the usual endpoint of it. */
function placeOf({ endpoint, type }: Learnt['drift'][number], { source }: Learnt): string {
  const usual = [`/${source.name}`, `/${source.name}/${type}`];
  return usual.includes(endpoint) ? '' : ` at ${endpoint}`;
}

/** The facts that no delivery shows. */
export function hiddenPage(learnt: readonly Learnt[]): string {
  return learnt
    .map(({ source, hidden }) => {
      const rows = hidden.map(({ id, what, hidden: why }) => [` ${id}`, what, why]);
      return [source.title, table(rows)].join('\n');
    })
    .join('\n\n');
}

/** In Markdown, for the maintainers of the kit: constant words and numbers, and no path of an endpoint. */
export function reportOf(learnt: readonly Learnt[], version: string): string {
  const sections = learnt
    .filter(({ examined }) => examined > 0)
    .map(({ source, examined, findings, drift }) => {
      const rows = findings.map((finding) => [
        ...[finding.fact.id, finding.fact.what, assumedOf(finding)],
        ...[seenOf(finding), finding.state],
      ]);
      const changes = drift.map((found) => `- ${driftText({ ...found, came: wordless(found) })}`);
      return [
        `## ${source.title}, ${deliveriesOf(examined)}`,
        markdownTable(['Fact', 'What', 'Assumed', 'Seen', ''], rows),
        ...(changes.length === 0 ? [] : [changes.join('\n')]),
      ].join('\n\n');
    });
  return [`# What the senders of advance-receiver-kit ${version} really do`, ...sections].join('\n\n');
}

/** A word of a list is a value of the sender's. */
function wordless({ kind, came }: Learnt['drift'][number]): string {
  return kind === 'word' ? '' : came;
}
