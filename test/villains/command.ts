import { rules } from '../../src/lab/conformance/rules/index.ts';
import { makeCertificates, requireOpenssl, type Certificates } from '../support/certificates.ts';
import { accusations, bearing, burdensOf } from './correct.ts';
import { isMissed, missedBy, tryVillains, unseenAt, type MatrixRow } from './matrix.ts';
import { readOptions, runCommand } from '../../src/lab/command.ts';

const USAGE = `Tries the conformance suite on receivers that are broken on purpose (test/villains), and shows which rule finds out
which of them, at every sender; and on right ones, with every case. Of both npm test tries a sample. Takes minutes.

  npm run prove -- kill-matrix
  npm run prove -- kill-matrix --rules      by rule instead of by receiver

Ends with 0 if each receiver is found out by the rules that claim it, each rule finds out one at least, and no right
receiver is accused.`;

const WHOLE = { isWhole: true };

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: { rules: { type: 'boolean' } },
  });
  const certificates = requireOpenssl('receivers broken below HTTP') ? await makeCertificates() : undefined;
  const [accused, rows] = await tryAll(certificates).finally(() => certificates?.remove());
  console.log(values.rules === true ? byRule(rows) : byReceiver(rows));
  const escaped = rows.filter((row) => escapes(row));
  const idle = rules.filter(({ id }) => !rows.some(({ villain }) => villain.claimedBy.includes(id)));
  console.log(`\n${rows.length} receivers, ${rules.length} rules; ${escaped.length} not found out.`);
  if (idle.length > 0)
    console.log(`Without a receiver that breaks them: ${idle.map(({ id }) => id).join(', ')}`);
  for (const [name, says] of accused)
    console.log(
      `Right, ${name}: ${says.length === 0 ? 'accused of nothing' : `ACCUSED\n  ${says.join('\n  ')}`}`,
    );
  const isRight = [...accused.values()].every(({ length }) => length === 0);
  return isRight && escaped.length + idle.length === 0 ? 0 : 1;
}, USAGE);

async function tryAll(certificates: Certificates | undefined) {
  const accused = new Map(await accusations(certificates, WHOLE));
  for (const [name, start] of Object.entries(bearing))
    accused.set(`${name}, under every burden`, await burdensOf(start, WHOLE));
  return [accused, await tryVillains(certificates, WHOLE)] as const;
}

function escapes(row: MatrixRow): boolean {
  return row.villain.claimedBy.length === 0 || isMissed(row);
}

function byReceiver(rows: readonly MatrixRow[]): string {
  return rows
    .map((row) => {
      const { name, claimedBy, outcome = 'failed' } = row.villain;
      const missed = missedBy(row);
      const found = claimedBy.map((id) => (missed.includes(id) ? `NOT ${id}` : id));
      const unseen = unseenAt(row).map((source) => `NOT SEEN AT ${source}`);
      const word = outcome === 'failed' ? '' : ` (${outcome})`;
      return `${name.padEnd(48)} ${[...found, ...unseen].join(', ') || 'NO RULE'}${word}`;
    })
    .join('\n');
}

function byRule(rows: readonly MatrixRow[]): string {
  return rules
    .map(({ id }) => {
      const found = rows.filter((row) => row.villain.claimedBy.includes(id) && !missedBy(row).includes(id));
      return `${id.padEnd(30)} ${found.map(({ villain }) => villain.name).join('; ') || 'NOTHING'}`;
    })
    .join('\n');
}
