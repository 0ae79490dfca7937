import { ApiError, call, download } from '../app/api.js';
import { wake } from '../app/poll.js';
import { restoreAddress } from '../parts/addresses.js';
import { askFirst, hubNameField } from '../parts/dialogs.js';
import { h } from '../parts/dom.js';
import { plural } from '../parts/format.js';
import { verifyButton } from '../parts/verify-button.js';
import { actionButton, hubName } from '../parts/widgets.js';
import { chooseAsIn } from './choose-options.js';
import { stoppedText } from './run-words.js';

/**
 * @typedef {import('../api-types.d.ts').Restore} Restore
 * @typedef {import('../api-types.d.ts').Action} Action
 */

/**
 * The actions the app offers and this page knows, plus the way back.
 * @param {Restore} run
 */
export function runActions(run) {
  return [(run.nextActions ?? []).map((action) => control(run, action)), backToOverview()];
}

export function backToOverview() {
  return h('a', { class: 'button', href: '#/', 'data-focus': 'back' }, 'Back to overview');
}

/**
 * @param {Restore} run
 * @param {Action} action
 */
function control(run, action) {
  switch (action.name) {
    case 'cancel':
      return actionButton('Stop …', async () => askToCancel(run, action), { focus: 'cancel' });
    case 'retry':
      return actionButton('Retry the failed ones', async () => retry(run, action), {
        class: 'main',
        focus: 'retry',
        busy: 'Starting the retry …',
        failed: 'The retry was not started.',
      });
    case 'rollback':
      return actionButton('Roll back …', async () => askToRollBack(run, action), { focus: 'rollback' });
    case 'report':
      return actionButton('Download the report', () => download(action.href, `restore-${run.id}.md`), {
        focus: 'report',
        busy: 'Fetching the report …',
        failed: 'The report could not be fetched.',
      });
    case 'verify':
      return verifyButton(run.snapshot.id, 'Verify the snapshot');
    case 'restoreAgain':
      return actionButton('Restore again …', async () => chooseAgain(run), { focus: 'again' });
    case 'chooseAnother':
      return actionButton('Restore another snapshot …', async () => chooseAgain(run), { focus: 'another' });
    default:
      // `watch` is this page; `failures` and `restore` are parts of it. Actions of a newer app are unknown here.
      return undefined;
  }
}

/**
 * Performs an action and opens the run it started.
 * @param {Action} action
 * @param {object} [body]
 */
async function perform({ href, method, body: given }, body = given) {
  /** @type {Restore} */
  const run = await call(href, { method, body });
  location.hash = restoreAddress(run.id);
  wake();
}

/**
 * @param {Restore} run
 * @param {Action} action
 */
function askToCancel(run, action) {
  askFirst({
    title: 'Stop this run?',
    body: h('p', {}, run.dryRun ? 'It writes nothing.' : stoppedText),
    yes: 'Stop it',
    no: 'Let it run',
    busy: 'Stopping it …',
    failed: 'The run was not stopped.',
    work: () => perform(action),
  });
}

/**
 * The app wants the name of a target that is in use, also where it came into use while this page was open.
 * @param {Restore} run
 * @param {Action} action
 */
async function retry(run, action) {
  if (!action.writesToHubInUse) {
    try {
      return await perform(action);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'ConfirmationMissing')) throw error;
    }
  }
  const field = hubNameField(run.target, 'retry-name');
  askFirst({
    title: 'Retry into the hub in use?',
    body: h(
      'p',
      {},
      h('strong', { class: 'name' }, hubName(run.target)),
      ' is in use. The retry writes into it what the restore could not write.',
    ),
    yes: 'Retry',
    no: 'Leave it',
    busy: 'Starting the retry …',
    failed: 'The retry was not started.',
    nameField: field,
    work: () => perform(action, { confirm: field.value() }),
  });
  return undefined;
}

/**
 * @param {Restore} run
 * @param {Action} action
 */
function askToRollBack(run, action) {
  const field = hubNameField(run.target, 'rollback-name');
  askFirst({
    title: 'Roll this restore back?',
    body: [
      h('p', {}, 'In ', h('strong', { class: 'name' }, hubName(run.target)), ` this ${undoneBy(run)}.`),
      action.writesToHubInUse &&
        h(
          'p',
          {},
          'This hub is in use: devices whose records go get no notifications until they register again. It stays in use. Only where devices and backends use the other hub again, first declare so on the overview.',
        ),
    ],
    yes: 'Roll back',
    no: 'Keep it',
    busy: 'Starting the rollback …',
    failed: 'The rollback was not started.',
    nameField: field,
    work: () => perform(action, { confirm: field.value() }),
  });
}

/**
 * What a rollback of it would do, in numbers.
 * @param {Restore} run
 */
function undoneBy({ counts }) {
  const { created = 0, updated = 0, renewed = 0, moved = 0, withdrawn = 0 } = counts;
  const changed = updated + renewed + moved + withdrawn;
  const deeds = [
    created > 0 && `removes ${plural(created, 'record')} that the restore created`,
    changed > 0 && `puts back ${plural(changed, 'record')} that it changed or removed`,
  ].filter((deed) => deed !== false);
  const what = deeds.length === 0 ? 'undoes what the restore may have written' : deeds.join(' and ');
  return `${what}, except what has changed since`;
}

/** @param {Restore} run */
function chooseAgain(run) {
  chooseAsIn(run);
  location.hash = '#/restore';
}
