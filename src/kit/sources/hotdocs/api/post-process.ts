import { DeadLetter, HandlerLate } from '../../../errors.ts';
import { CallFailed } from '../../../outgoing/errors.ts';
import { orGiveUp } from '../../../outgoing/give-up.ts';
import type { Occurrence } from '../../../source.ts';
import { unchanged, type Said } from '../../../step.ts';
import type { HotdocsApi, Upload, Version } from './api.ts';

/** A document to replace under its id, or to add under a new one. */
export type DocumentChange = Omit<Upload, keyof Version>;

type VersionEvent = Occurrence<string, { readonly workItemId: string; readonly workItemVersionId: string }>;

export interface PostProcessOptions<Event extends VersionEvent> {
  readonly api: HotdocsApi;
  /** Makes all changes before the first is uploaded: where it fails, the originals are untouched. */
  readonly change: (event: Event) => Promise<readonly DocumentChange[]>;
  /** When documents cannot be changed for good: reports that, or gives the user the originals. */
  readonly onFailure: 'failed' | 'complete';
}

/**
 * Changes the documents of a version and lets the user have them: the whole of handling a `PostProcessingEvent`. A user
 * waits, so a failure for good is reported, too.
 * @throws what `change` throws, DeadLetter where the API refuses
 */
export async function postProcess<Event extends VersionEvent>(
  event: Event,
  { api, change, onFailure }: PostProcessOptions<Event>,
): Promise<Said> {
  try {
    return await orGiveUp(changeDocuments(event, api, change));
  } catch (error) {
    // Should this fail as well, its error goes on instead: one that may be over soon is tried again.
    if (isFinal(event, error)) await endAnyway(api, versionOf(event), onFailure);
    throw error;
  }
}

async function changeDocuments<Event extends VersionEvent>(
  event: Event,
  api: HotdocsApi,
  change: PostProcessOptions<Event>['change'],
): Promise<Said> {
  const version = versionOf(event);
  const { signal } = event;
  const ended = event.attempt > 1 && (await hasEnded(api, event));
  if (ended) return unchanged('version is not in post-processing any more');
  const uploads = await change(event);
  for (const upload of uploads) await api.uploadDocument({ ...version, ...upload }, signal);
  await api.setPostProcessingStatus({ ...version, status: 'Complete' }, signal);
  return `${uploads.length} document${uploads.length === 1 ? '' : 's'} uploaded, status set to Complete`;
}

/** An attempt that was cut short may have come to the end. That path is not documented: unanswered, it says nothing. */
async function hasEnded(api: HotdocsApi, event: VersionEvent): Promise<boolean> {
  const status = await api.versionStatus(versionOf(event), event.signal).catch(() => '');
  return /^(completed|postprocessingfailed)$/i.test(status);
}

function versionOf({ payload: { workItemId, workItemVersionId } }: VersionEvent): Version {
  return { workItemId, versionId: workItemVersionId };
}

/** An attempt that a shutdown cuts short is not lost: it is given back, and comes again. */
function isFinal({ lastAttempt, signal }: VersionEvent, error: unknown): boolean {
  if (signal.aborted && !(signal.reason instanceof HandlerLate)) return false;
  return lastAttempt || error instanceof DeadLetter;
}

/** Without the event's signal: its time may be over. Whether a failure can be reported at all is not documented. */
async function endAnyway(api: HotdocsApi, version: Version, onFailure: 'failed' | 'complete'): Promise<void> {
  if (onFailure === 'failed') {
    try {
      await api.setPostProcessingStatus({ ...version, status: 'Failed' });
      return;
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }
  await api.setPostProcessingStatus({ ...version, status: 'Complete' });
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof CallFailed)) return false;
  const { status = 0 } = error;
  return status >= 400 && status <= 499;
}
