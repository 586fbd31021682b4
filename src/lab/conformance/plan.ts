import type { EndpointUnderTest, Grade, Level, Loan, Rule, Trial } from './rule.ts';

/** One trial of one rule at one endpoint. */
export interface Case {
  /** `rule/endpoint/trial`, never changes. */
  readonly id: string;
  readonly rule: Rule;
  readonly endpoint: EndpointUnderTest;
  readonly others: readonly EndpointUnderTest[];
  readonly trial: Trial;
  /** Why it is not tried. */
  readonly skipped?: string;
}

/** What a case is about. */
export function gradeOf({ rule, trial }: Pick<Case, 'rule' | 'trial'>): Grade {
  return trial.grade ?? rule.grade;
}

export interface PlanOptions {
  readonly endpoints: readonly EndpointUnderTest[];
  readonly rules: readonly Rule[];
  readonly level: Level;
  /** Patterns of rule or case ids, `*` standing for anything; when there are any, nothing else is tried. */
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly exhausting?: boolean;
  /** A sample: see {@link sampleOf}. */
  readonly quick?: boolean;
  readonly hasProbe: boolean;
  readonly hasRestart: boolean;
  readonly loans?: readonly Loan[];
}

/** Everything that is to be tried, endpoint by endpoint. @throws if two cases have one id */
export function planCases(options: PlanOptions): Case[] {
  const cases = options.endpoints.flatMap((endpoint) =>
    options.rules
      .filter((rule) => isAt(rule, endpoint, options))
      .flatMap((rule) => casesOf(rule, endpoint, options)),
  );
  const ids = new Set(cases.map(({ id }) => id));
  if (ids.size === cases.length) return options.quick === true ? sampleOf(cases) : cases;
  const twice = cases.find(({ id }, index) => cases.findIndex((other) => other.id === id) !== index);
  throw new Error(`Two cases are called ${twice?.id ?? ''}.`);
}

const SAMPLE = 3;

/** Of each rule three cases for each sender, far from each other; of those that would hold the others up, none. */
function sampleOf(cases: readonly Case[]): Case[] {
  const quick = cases.filter(
    ({ rule, skipped }) =>
      rule.alone !== true && rule.slow !== true && rule.level < 3 && skipped === undefined,
  );
  const byRule = Map.groupBy(quick, ({ rule, endpoint }) => `${rule.id} ${endpoint.source.name}`);
  const chosen = new Set([...byRule.values()].flatMap(spread));
  return quick.filter((one) => chosen.has(one));
}

/** The first, the last, and what lies evenly between them. */
function spread<Item>(items: readonly Item[]): Item[] {
  if (items.length <= SAMPLE) return [...items];
  const step = (items.length - 1) / (SAMPLE - 1);
  return items.filter((_, at) =>
    Array.from({ length: SAMPLE }, (__, n) => Math.round(n * step)).includes(at),
  );
}

/** Whether a rule's id or a case's matches a pattern, as `--only` and waivers have them. */
export function matches(pattern: string, rule: string, id: string): boolean {
  const text = pattern.split('*').map(escaped).join('.*');
  const whole = new RegExp(`^(?:${text})$`, 's');
  return whole.test(rule) || whole.test(id);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

function isAt(
  { level, oncePerSource, sealed }: Rule,
  endpoint: EndpointUnderTest,
  options: PlanOptions,
): boolean {
  if (level > options.level || sealed !== endpoint.sealed) return false;
  if (oncePerSource !== true) return true;
  return options.endpoints.find(({ source }) => source.name === endpoint.source.name) === endpoint;
}

function casesOf(rule: Rule, endpoint: EndpointUnderTest, options: PlanOptions): Case[] {
  const others = options.endpoints.filter((other) => other !== endpoint && other.sealed !== true);
  const { only = [], skip = [] } = options;
  return rule.trials(endpoint, others).flatMap((trial) => {
    const id = `${rule.id}/${endpoint.name}/${slugOf(trial.name)}`;
    const isNamed = (pattern: string) => matches(pattern, rule.id, id);
    if (only.length > 0 && !only.some(isNamed)) return [];
    const skipped = skip.some(isNamed) ? 'left out on demand' : hindranceOf(rule, options);
    return [{ id, rule, endpoint, others, trial, ...(skipped === undefined ? {} : { skipped }) }];
  });
}

const missing: Readonly<Record<Loan, string>> = {
  health: 'needs the address of a health check',
  terminate: 'needs a way to have the receiver end',
};

function hindranceOf({ level, exhausting, needs }: Rule, options: PlanOptions): string | undefined {
  if (exhausting === true && options.exhausting !== true) return 'exhausting, and tried on demand only';
  if (needs !== undefined && options.loans?.includes(needs) !== true) return missing[needs];
  if (level >= 2 && !options.hasProbe) return 'needs a probe';
  return level === 3 && !options.hasRestart ? 'needs a way to restart the receiver' : undefined;
}

/** Letter case stays: `None` and `none` are two attacks. */
function slugOf(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '');
}
