import { DrError } from '../../core/errors.ts';
import type { FeedbackRun } from '../../core/feedback/run.ts';
import { feedbackRunName } from '../../core/paths.ts';
import type { App } from '../app.ts';
import { documents } from '../stored/documents.ts';
import { quietMsOf, readFeedbackState } from './state.ts';

/** What the HTTP API shows of the clean-up. Fields are contract: add, never rename. */
export async function readFeedbackView(app: App) {
  const state = await readFeedbackState(app);
  return {
    mode: app.policy.feedbackCleanup ?? 'off',
    quietHours: quietMsOf(app) / 3_600_000,
    running: state?.running ?? null,
    failure: state?.failure ?? null,
    last: state?.last ?? null,
  };
}

/** With each record that it removed, by the ids with which a restore can bring it back. */
export async function readFeedbackRun(app: App, id: string): Promise<FeedbackRun> {
  const found = /^[\w-]{1,64}$/.test(id) ? await documents.feedbackRun.find(app, feedbackRunName(id)) : undefined;
  if (found !== undefined) return found.value;
  const message = `There is no clean-up '${id}'. They are kept for 30 days; the last one: notification-hubs-dr feedback`;
  throw new DrError('RunNotFound', message, { target: id });
}
