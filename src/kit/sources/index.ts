import type { EndpointDefinition } from '../source.ts';
import { hotdocs } from './hotdocs/index.ts';
import { phenixid } from './phenixid/index.ts';
import { risr } from './risr/index.ts';

/** The senders this kit receives from. A further one is a folder here and a line. */
export const sources = [hotdocs, phenixid, risr] as const;

/**
 * Endpoints besides the one that every event type has: a second Custom Interview Event webhook, a second tenant. Each
 * has a secret of its own, named after its path. For example, with HOTDOCS_LOOKUP_TENANT_SECRET:
 *
 *     endpoint('/hotdocs/lookup-tenant', hotdocs, 'CustomInterviewEvent'),
 */
export const furtherEndpoints: readonly EndpointDefinition[] = [];
