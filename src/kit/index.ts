// The one door: everything that an app imports of the kit. What is not here is the kit's own and may change any day.

// An app, and the ways to run it.
export { defineApp, notWritten, type Apis, type ApisOf } from './app.ts';
export { run } from './program/run.ts';
export { mount } from './program/mount.ts';
export { endpoint } from './endpoint/definition.ts';
/** What a setting of your own is read with: `setting.text()`, `setting.integer({ min, max })`. */
export * as setting from './reading/settings.ts';
export type { Inbox } from './inbox/inbox.ts';
export type { Sealing } from './inbox/sealed/sealing.ts';
export type { Log } from './log.ts';

// Handlers.
export type { HandlersOf, Occurrence, SettingDefinitions } from './source.ts';
export { defineStep, runs, unchanged, type RunnableStep, type Said } from './step.ts';
export { DeadLetter } from './errors.ts';
export { orGiveUp } from './outgoing/give-up.ts';
/** For documents of strangers, and libraries that were not made for them. */
export { runApart } from './apart/run-apart.ts';
export { beginsAsPdf } from './outgoing/content.ts';
export { allMembers } from './reading/json.ts';
export { html, Html, json } from './reading/html.ts';
export type { Saved } from './outgoing/save.ts';

// The products, their APIs, and what is usually done with them.
export { hotdocs } from './sources/hotdocs/index.ts';
export { phenixid } from './sources/phenixid/index.ts';
export { risr } from './sources/risr/index.ts';
export type { HotdocsApi } from './sources/hotdocs/api/api.ts';
export type { PhenixidApi } from './sources/phenixid/api/api.ts';
export type { RisrApi } from './sources/risr/api/api.ts';
/** What an interview is answered with: `answers.text('Lea')`, `answers.repeat([…])`. */
export * as answers from './sources/hotdocs/answers/answers.ts';
export { writeAnswers } from './sources/hotdocs/answers/dialects.ts';
export { postProcess, type DocumentChange } from './sources/hotdocs/api/post-process.ts';
export { startReconciliation } from './sources/phenixid/reconciliation.ts';

// A source of your own.
export { defineSource, event } from './source.ts';
export { hmacHeader, signHmacHeader, type HmacSpelling } from './proofs/hmac-header.ts';
/** For a signature that `hmacHeader` does not cover. */
export type { Proof } from './proofs/proof.ts';
export { headerValues } from './delivery.ts';
export { DeliveryRejected } from './errors.ts';
export { readJson } from './reading/json.ts';
export { parse } from './reading/json.ts';
export type {
  Destination,
  Envelope,
  EnvelopeHeaders,
  OutgoingEvent,
  OutgoingRequest,
  ReceivedReply,
  ReplyContent,
  SwitchDefinitions,
  SwitchValues,
  Verdict,
} from './source.ts';
