import { runFormerStep } from '../src/app/steps/former-step.ts';
import { steps } from '../src/steps.ts';

/** Does one step that an earlier version of the app enqueued. */
steps('formerSteps', 'former', runFormerStep);
