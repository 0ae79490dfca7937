import { moment } from './format.js';

/** What messages advise to do in a terminal. `ID` is any id. */
const translations = [
  [/Watch it: TOOL watch ID; or stop it: TOOL cancel ID/g, 'Watch it on the overview, or stop it there'],
  [/TOOL accept (ID); TOOL backup/g, 'press “Accept …” at snapshot $1, and then “Back up now” on the overview'],
  [/TOOL verify latest/g, 'press “Verify the newest” on the overview'],
  [/TOOL verify (ID)/g, 'press “Verify” at snapshot $1'],
  [/TOOL unpin (ID)/g, 'press “Unpin” at snapshot $1'],
  [/TOOL delete (ID)/g, 'the terminal tool does it with “delete $1”'],
  [/See it: TOOL report (ID)/g, 'See the page of restore $1'],
  [/TOOL rollback (ID)/g, 'press “Roll back …” on the page of restore $1'],
  [/TOOL cancel (ID)/g, 'press “Stop …” on the page of restore $1'],
  [/TOOL restore\b/g, 'press “Restore …” on the overview'],
  [/TOOL backup\b/g, 'press “Back up now” on the overview'],
  [/TOOL drill\b/g, 'press “Run a drill” on the overview'],
  [/TOOL test-alert/g, 'press “Send a test alert” on the overview'],
  [/TOOL role HUB/g, 'press “… is in use …” on the overview'],
  [/TOOL role (\S*\w)/g, 'press “$1 is in use …” on the overview'],
  [/TOOL (clean-up --[a-z-]+|feedback)/g, 'the terminal tool does it with “$1”'],
  [/List those there are: TOOL \w+/g, 'The overview lists those there are'],
  [/Find it: TOOL \w+/g, 'Find it on the overview'],
  [/ \(TOOL snapshots lists them\)|: TOOL snapshots\b/g, ' from the list on the overview'],
  [/add --force/g, 'check the box that says so'],
  [/repeat this full name after --confirm/g, 'type this full name'],
  [/\(--only-platforms\)/g, 'by choosing these'],
  [/(?<=^|\s)--(?=[a-z])/g, 'the terminal tool’s --'],
].map(([pattern, words]) => {
  const source = String(/** @type {RegExp} */ (pattern).source)
    .replaceAll('TOOL', 'notification-hubs-dr')
    .replaceAll('ID', '[\\w.-]*\\w');
  return /** @type {const} */ ([new RegExp(source, 'g'), String(words)]);
});

/**
 * What the app advises to do in a terminal, as it is done on this page; instants as people read them.
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
