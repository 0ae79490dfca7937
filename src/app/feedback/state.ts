import { DrError } from '../../core/errors.ts';
import type { FeedbackState } from '../../core/feedback/run.ts';
import { FEEDBACK_RUNS_FOLDER, FEEDBACK_STATE_NAME, feedbackRunName } from '../../core/paths.ts';
import { type App, toInstant } from '../app.ts';
import { documents } from '../stored/documents.ts';
import { removeBefore } from '../stored/remove-all.ts';

/** A day, where the settings say nothing. */
export function quietMsOf({ policy }: App): number {
  return policy.feedbackQuietMs ?? 86_400_000;
}

const NOTHING: FeedbackState = { files: {} };
/** Beside its step budget: one that is older has died. */
const SPARE_MS = 300_000;

/** Takes the clean-up in hand, for one at a time. Throws `RunInProgress`. */
export async function beginCleanUp(app: App, id: string): Promise<FeedbackState> {
  for (;;) {
    const { value = NOTHING, etag } = await documents.feedbackState.tryFind(app, FEEDBACK_STATE_NAME, 'mayBeMissing');
    const { running } = value;
    const nowMs = app.world.storageNow();
    if (running !== undefined && nowMs - Date.parse(running.at) < app.policy.stepBudgetMs + SPARE_MS) {
      const message = `The clean-up ${running.id} still runs. Wait until it is over: notification-hubs-dr feedback`;
      throw new DrError('RunInProgress', message, { target: running.id });
    }
    const taken = { ...value, running: { id, at: toInstant(nowMs) } };
    if ((await documents.feedbackState.write(app, FEEDBACK_STATE_NAME, taken, { etag })) !== 'conflict') return value;
  }
}

/** What a clean-up leaves, if it still is in hand. */
export async function endCleanUp(
  app: App,
  id: string,
  { files, last, failure }: Partial<Pick<FeedbackState, 'files' | 'last'>> & { readonly failure?: DrError },
): Promise<void> {
  for (;;) {
    const { value, etag } = await documents.feedbackState.tryFind(app, FEEDBACK_STATE_NAME, 'mayBeMissing');
    if (value?.running?.id !== id) return;
    const { running: _, failure: before, ...kept } = value;
    const since = before?.since ?? toInstant(app.world.storageNow());
    const next: FeedbackState = {
      ...kept,
      ...(files === undefined ? {} : { files }),
      ...(last === undefined ? {} : { last }),
      ...(failure === undefined ? {} : { failure: { code: failure.code, message: failure.message, since } }),
    };
    if ((await documents.feedbackState.write(app, FEEDBACK_STATE_NAME, next, { etag })) !== 'conflict') return;
  }
}

/** `undefined` where no clean-up ever ran, or its state cannot be read. */
export async function readFeedbackState(app: App): Promise<FeedbackState | undefined> {
  return (await documents.feedbackState.tryFind(app, FEEDBACK_STATE_NAME, 'mayBeMissing')).value;
}

const KEEP_MS = 30 * 86_400_000;

/** Removes what is known of clean-ups of a month ago: their names begin with their time. */
export async function pruneFeedback(app: App): Promise<void> {
  const before = toInstant(app.world.storageNow() - KEEP_MS).slice(0, 'yyyy-mm-ddThh'.length);
  await removeBefore(app, FEEDBACK_RUNS_FOLDER, feedbackRunName(before));
}
