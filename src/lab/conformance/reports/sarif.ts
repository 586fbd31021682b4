import type { CaseEnded, RuleSummary, Verdict } from '../result.ts';
import { groups, type Severity } from '../rule.ts';
import { json } from './escape.ts';
import {
  atTheEnd,
  byRule,
  findingOf,
  TOOL,
  troubleOf,
  withOutcome,
  type Report,
  type WholeRun,
} from './report.ts';

/** SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
export function sarifReport(): Report {
  return atTheEnd(write);
}

function write(run: WholeRun): string {
  const { started, cases, ended } = run;
  const told = withOutcome(cases, 'failed', 'warned', 'waived');
  const rules = byRule(told).map(({ rule }) => rule);
  const trouble = troubleOf(run);
  const document = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: TOOL, version: started.version, rules: rules.map(descriptorOf) },
        },
        automationDetails: { id: `conformance/${started.sources.join('-')}/` },
        invocations: [
          {
            executionSuccessful: !UNSUCCESSFUL.includes(ended.verdict),
            startTimeUtc: new Date(started.at).toISOString(),
            endTimeUtc: new Date(started.at + ended.ms).toISOString(),
            ...(trouble === undefined
              ? {}
              : { toolExecutionNotifications: [{ level: 'error', message: { text: trouble } }] }),
          },
        ],
        results: told.map((one) => resultOf(one, rules)),
        properties: {
          target: started.target,
          verdict: ended.verdict,
          level: started.level,
          seed: started.seed,
        },
      },
    ],
  };
  return `${json(document, 2)}\n`;
}

const UNSUCCESSFUL: readonly Verdict[] = ['unreachable', 'inconclusive', 'interrupted', 'broken'];

/** What GitHub sorts by: https://docs.github.com/en/code-security/code-scanning, "SARIF support". */
const SCORES: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '2.0',
};

function descriptorOf({ id, title, why, fix, severity, source, group }: RuleSummary) {
  return {
    id,
    shortDescription: { text: `A right receiver ${title}.` },
    fullDescription: { text: why },
    help: { text: `${why}\n\nHow to fix it: ${fix}` },
    ...(source === undefined ? {} : { helpUri: source }),
    defaultConfiguration: { level: levelOf(severity) },
    properties: { tags: ['security', groups[group]], 'security-severity': SCORES[severity] },
  };
}

function resultOf(one: CaseEnded, rules: readonly RuleSummary[]) {
  const { id, rule, endpoint, trial, outcome, reason, reproduce } = one;
  return {
    ruleId: rule.id,
    ruleIndex: rules.findIndex((candidate) => candidate.id === rule.id),
    level: outcome === 'failed' ? levelOf(rule.severity) : 'note',
    message: { text: `${endpoint}, ${trial}: ${findingOf(one)}` },
    locations: [
      {
        // A receiver has no files here, and GitHub shows nothing without one.
        physicalLocation: { artifactLocation: { uri: uriOf(endpoint) }, region: { startLine: 1 } },
        logicalLocations: [{ fullyQualifiedName: endpoint, kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'caseId/v1': id },
    ...(outcome === 'waived'
      ? { suppressions: [{ kind: 'external', status: 'accepted', justification: reason ?? 'waived' }] }
      : {}),
    properties: { severity: rule.severity, reproduce },
  };
}

function uriOf(endpoint: string): string {
  return endpoint.split('/').map(encodeURIComponent).join('/');
}

function levelOf(severity: Severity): 'error' | 'warning' {
  return severity === 'critical' || severity === 'high' ? 'error' : 'warning';
}
