import { hash } from 'node:crypto';
import { createEndpoint } from '../../src/lab/conformance/endpoints.ts';
import { planCases, type Case } from '../../src/lab/conformance/plan.ts';
import type { EndpointUnderTest, Rule } from '../../src/lab/conformance/rule.ts';
import { endpoint } from '../../src/kit/endpoint/definition.ts';
import type { Source, Switches } from '../../src/kit/source.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import {
  secretsFor,
  startReceiver,
  type TestReceiver,
  type TestReceiverOptions,
} from '../support/receiver.ts';
import { credentialAt } from './support.ts';

/** An endpoint of our receiver, and how its sender is set. */
interface Door {
  readonly name: string;
  readonly source: Source;
  readonly type: string;
  readonly path: string;
  readonly switches: Switches;
  /** The rules whose trials differ here from those at other doors. */
  readonly tries: RegExp;
}

function door(
  name: string,
  source: Source,
  type: string,
  switches: Switches,
  { tries = /./, path = `/${source.name}/${type}` }: { readonly tries?: RegExp; readonly path?: string } = {},
): Door {
  return { name, source, type, path, switches, tries };
}

/** Where a token travels makes no difference to what is in it. */
const tokensOnly = /^(?:A|E[1-58])/;

const COMPLETE = 'NewWorkItemVersionComplete';

/** Live for a while yet, behind the newest one. */
export const OLDER_TOKEN = 'An-older-access-token-that-is-still-live';
export const OLDER_SECRET = hash('sha256', 'an older secret that is still live');
export const NORTH_SECRET = hash('sha256', 'the secret of the installation north');
/** What an operator may choose as a key, believing that it is secret. */
const OPAQUE_KEY = 'Kq7-opaque-key-of-the-installation-west';

const secrets = secretsFor([phenixid]);

/** Each way to prove a delivery, and each place that a token travels in. */
const houses: Readonly<Record<HouseName, House>> = {
  usual: {
    doors: [
      door('hotdocs/form', hotdocs, COMPLETE, { carrier: 'form' }),
      door('hotdocs/query', hotdocs, 'InterviewLoadEvent', { carrier: 'query', verb: 'GET' }),
      door('hotdocs/header', hotdocs, 'CustomInterviewEvent', { carrier: 'header' }),
      door('hotdocs/json', hotdocs, 'PostProcessingEvent', { carrier: 'json' }, { tries: tokensOnly }),
      door(
        'hotdocs/multipart',
        hotdocs,
        'ActionLink',
        { carrier: 'multipart' },
        { tries: /^(?:A|E[1-58]|F7)/ },
      ),
      door(
        'hotdocs/body',
        hotdocs,
        COMPLETE,
        { carrier: 'body', verb: 'PUT' },
        { tries: tokensOnly, path: '/hotdocs/second' },
      ),
      door(
        'hotdocs/token',
        hotdocs,
        'PostProcessingEvent',
        {},
        { tries: /^(?:A27|C|E[1-46-8]|F)/, path: '/hotdocs/by-token' },
      ),
      door('phenixid', phenixid, 'OrderSigned', {}, { path: '/phenixid' }),
      door('phenixid/north', phenixid, 'OrderSigned', { key: 'north' }, { tries: /^B10/, path: '/phenixid' }),
      door('risr', risr, 'profile_updated', {}),
      door('risr/login', risr, 'user_logged_in', {}, { tries: /^(?:E6|F)/ }),
    ],
    options: {
      further: [
        endpoint('/hotdocs/second', hotdocs, COMPLETE),
        endpoint('/hotdocs/by-token', hotdocs, 'PostProcessingEvent'),
      ],
      env: {
        HOTDOCS_BY_TOKEN_SECRET: undefined,
        HOTDOCS_BY_TOKEN_TOKEN: `An-Access-Token/typed-into-the-webhook,${OLDER_TOKEN}`,
        PHENIXID_SECRET: `${secrets['PHENIXID_SECRET'] ?? ''},${OLDER_SECRET}`,
        PHENIXID_NORTH_SECRET: NORTH_SECRET,
      },
    },
  },
  keys: {
    doors: [
      door('phenixid/key', phenixid, 'OrderSigned', { key: OPAQUE_KEY }, { tries: /^C/, path: '/phenixid' }),
    ],
    options: {
      env: {
        PHENIXID_SECRET: undefined,
        PHENIXID_WEST_SECRET: secrets['PHENIXID_SECRET'],
        PHENIXID_WEST_KEY: OPAQUE_KEY,
        PHENIXID_NORTH_SECRET: NORTH_SECRET,
        PHENIXID_SOUTH_SECRET: hash('sha256', 'the secret of the installation south'),
        PHENIXID_SOUTH_KEY: 'Site South+1%',
      },
    },
  },
};

interface House {
  readonly doors: readonly Door[];
  readonly options: TestReceiverOptions;
}

/** Two receivers: one refuses what names no installation, the other does not. */
export type HouseName = 'usual' | 'keys';

/** A receiver that never answers 429, so that thousands of failed proofs can be told apart. */
export async function openHouse(name: HouseName): Promise<TestReceiver> {
  const { options } = houses[name];
  return startReceiver({ ...options, env: { FAILED_PROOF_LIMIT: '1000000', ...options.env } });
}

/** The cases of a rule at the doors of a house; `url` and `credential` are those of the receiver, once it is open. */
export function casesIn(name: HouseName, rule: Rule, receiver?: TestReceiver): Case[] {
  const { doors } = houses[name];
  const endpoints = doors.map((one) => endpointAt(one, receiver));
  const plan = { endpoints, rules: [rule], level: 1, hasProbe: false, hasRestart: false } as const;
  return planCases(plan).filter(({ endpoint: { name: at } }) =>
    doors.some((one) => one.name === at && one.tries.test(rule.id)),
  );
}

function endpointAt(
  { name, source, type, path, switches }: Door,
  receiver?: TestReceiver,
): EndpointUnderTest {
  const key = switches['key'] ?? '';
  return createEndpoint({
    source,
    type,
    name,
    url: new URL(path, receiver?.url ?? 'http://receiver.invalid'),
    credential:
      receiver === undefined
        ? { kind: name.endsWith('/token') ? 'TOKEN' : 'SECRET', text: `nobody's secret of ${name}` }
        : credentialAt(receiver, path, key),
    switches,
  });
}
