import { z } from 'zod';
import { bodySource, parseWith } from '../parse.ts';
import { parseBody } from './restore.ts';

const feedbackSchema = z.strictObject({
  /** Reads, and says what would be removed. */
  dryRun: z.boolean().optional(),
  /** Reads the errors of this send instead of the hub's feedback. */
  notificationId: z.string().trim().min(1).max(256).optional(),
  /** Removes also what is beyond the bounds, or of a platform of which too many died together. */
  beyondBounds: z.boolean().optional(),
  /** `namespace/hub` of the standby, typed back. */
  confirm: z.string().optional(),
});

export type FeedbackRequest = Readonly<z.infer<typeof feedbackSchema>>;

/** Reads the body of `POST /api/feedback`, which may be empty. Throws `BadRequest` or `UnknownField`. */
export function parseFeedbackRequest(body: string): FeedbackRequest {
  const source = bodySource(
    'Send nothing, or a JSON object with dryRun (true or false), notificationId (of a send), ' +
      'beyondBounds (true or false) and confirm (namespace/hub of the standby).',
  );
  return parseWith(feedbackSchema, body === '' ? {} : parseBody(body, source), source);
}
