// Compiled and never run: each line below an expected error must be one, or `tsc` complains of the comment.
import { endpoint } from '../../../src/kit/endpoint/definition.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';

export const further = [
  endpoint('/hotdocs/lookup-tenant', hotdocs, 'CustomInterviewEvent'),
  endpoint('/hotdocs/north/done', hotdocs, 'NewWorkItemVersionComplete', { installation: 'north' }),
  // @ts-expect-error HotDocs spells it CustomInterviewEvent
  endpoint('/hotdocs/lookup-tenant', hotdocs, 'CustomInterviewEvnt'),
  // @ts-expect-error the event is of another source
  endpoint('/risr/lookup-tenant', risr, 'CustomInterviewEvent'),
  // @ts-expect-error a path begins with a slash
  endpoint('risr/second', risr, 'profile_updated'),
];
