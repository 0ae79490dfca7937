import { moment } from './format.js';

/** @type {readonly (readonly [RegExp, string])[]} */
const translations = [
  [/Watch it at GET \/api\/\w+\/[\w.-]*\w, or cancel it/g, 'Watch it on the overview, or stop it there'],
  [
    /Look what it does, or cancel it: GET \/api\/backups\/[\w.-]*\w/g,
    'Look what it does, or press “Stop the backup” on the overview',
  ],
  [/POST \/api\/snapshots\/latest\/verify/g, 'press “Verify the newest” on the overview'],
  [/POST \/api\/snapshots\/([\w.-]*\w)\/verify/g, 'press “Verify” at snapshot $1'],
  [/POST \/api\/snapshots\/([\w.-]*\w)\/accept/g, 'press “Accept …” at snapshot $1'],
  [/DELETE \/api\/snapshots\/([\w.-]*\w)\/pin/g, 'press “Unpin” at snapshot $1'],
  [/DELETE \/api\/snapshots\/([\w.-]*\w)/g, 'the terminal tool does it with “delete $1”'],
  [/POST \/api\/restores\/[\w.-]*\w\/retry/g, 'press “Retry the failed ones” on its page'],
  [/POST \/api\/restores\/([\w.-]*\w)\/rollback/g, 'press “Roll back …” on the page of restore $1'],
  [/POST \/api\/restores\/([\w.-]*\w)\/cancel/g, 'press “Stop …” on the page of restore $1'],
  [/POST \/api\/restores\b(?!\/)/g, 'press “Restore …” on the overview'],
  [/POST \/api\/backups\b(?!\/)/g, 'press “Back up now” on the overview'],
  [/POST \/api\/drills\b(?!\/)/g, 'press “Run a drill” on the overview'],
  [/POST \/api\/alerts\/test/g, 'press “Send a test alert” on the overview'],
  [/POST \/api\/role \{"active":"([^"]+)"\}/g, 'press “$1 is in use …” on the overview'],
  [/POST \/api\/role\b/g, 'press “… is in use …” on the overview'],
  [/ \(GET \/api\/snapshots\)/g, ' from the list on the overview'],
  [/Look again: GET \/api\/snapshots/g, 'Look at the list again'],
  [/GET \/api\/snapshots shows/g, 'The list of snapshots on the overview shows'],
  [/GET \/api\/\w+ lists/g, 'The overview lists'],
  [/[Rr]epeat the call with force/g, 'check the box that says so'],
  [/repeat this full name in the field confirm/g, 'type this full name'],
  [/set the field keepNewer, which undoes/g, 'let the terminal tool do it with --keep-newer, which undoes'],
  [/failuresByCode says why, and byPlatform of what: fix/g, 'The page of the restore says why, and of what: fix'],
  [/failuresByCode says why/g, 'The page of the restore says why'],
  [/with only\.platforms/g, 'by choosing these platforms'],
];

/**
 * What the API says in calls and fields of its own, as it is done on this page; instants as people read them.
 * @param {string} message
 */
export function onThisPage(message) {
  const translated = translations.reduce((text, [pattern, words]) => text.replace(pattern, words), message);
  return translated.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (instant) => moment(instant));
}

/**
 * The same, on the overview itself.
 * @param {string} message
 */
export function onOverview(message) {
  return onThisPage(message).replaceAll(' on the overview', '');
}
