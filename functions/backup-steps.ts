import { runStep } from '../src/app/steps/run-step.ts';
import { steps } from '../src/steps.ts';

/** Does one step of a backup. */
steps('backupSteps', 'backups', runStep);
