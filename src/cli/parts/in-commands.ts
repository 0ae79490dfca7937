const tool = 'notification-hubs-dr';

/** What the API says in calls and fields of its own, and how it is done here. The first that matches wins. */
const translations: readonly (readonly [RegExp, string])[] = [
  [/Watch it at GET \/api\/\w+\/([\w.-]*\w)/g, `Watch it: ${tool} watch $1`],
  [/, or cancel it: GET \/api\/\w+\/([\w.-]*\w)/g, `: ${tool} watch $1; or stop it: ${tool} cancel $1`],
  [/POST \/api\/snapshots\/([\w.-]*\w)\/verify/g, `${tool} verify $1`],
  [/POST \/api\/restores\/([\w.-]*\w)\/(retry|rollback)/g, `${tool} $2 $1`],
  [/set the field keepNewer/g, 'add --keep-newer'],
  [/POST \/api\/backups/g, `${tool} backup`],
  [/POST \/api\/drills/g, `${tool} drill`],
  [/GET \/api\/(snapshots|restores)\b(?!\/)/g, `${tool} $1`],
  [/GET \/api\/(?:backups|verifications|drills)\b(?!\/)/g, `${tool} status`],
  [/GET \/api\/\w+\/([\w.-]*\w)/g, `${tool} watch $1`],
  [/repeat this full name in the field confirm/g, 'repeat this full name after --confirm'],
  [/The field confirm does/g, '--confirm does'],
  [/failuresByCode says why/g, '"failures" above says why'],
];

/** The same advice for someone at this terminal. */
export function inCommands(message: string): string {
  return translations.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), message);
}
