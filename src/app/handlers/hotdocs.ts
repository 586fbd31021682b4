import { notWritten, type HandlersOf, type hotdocs } from '../../kit/index.ts';
import type { Tools } from '../tools.ts';

/** What is done with each event of HotDocs Advance. `npm run new -- handler hotdocs <Event>` begins one. */
export function hotdocsHandlers(_tools: Tools): HandlersOf<typeof hotdocs.events> {
  return {
    NewWorkItemVersionComplete: notWritten,
    PostProcessingEvent: notWritten,
    InterviewLoadEvent: notWritten,
    CustomInterviewEvent: notWritten,
    ActionLink: notWritten,
  };
}
