import { runStep } from '../src/app/steps/run-step.ts';
import { steps } from '../src/steps.ts';

/** Does one step of a restore, a retry or a rollback. */
steps('restoreSteps', 'restores', runStep);
