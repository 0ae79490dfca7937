interface Plant {
  readonly what: string;
  /** The file that is edited, in a copy: `from` becomes `to`, wherever it is. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The source that shows it (default: the edited one). */
  readonly seenIn?: string;
  /** What the check then says. */
  readonly found: RegExp;
}

/** A wrong edit of each kind. What a shape may deploy at all is held by `test/infra`, which has planted faults of its own. */
export const planted: readonly Plant[] = [
  {
    what: 'a wrong property',
    file: 'modules/app.bicep',
    from: 'httpsOnly: true',
    to: 'httpOnly: true',
    found: /app\.bicep.* BCP089: .*"httpOnly"/,
  },
  {
    what: 'a secret output',
    file: 'modules/storage.bicep',
    from: 'output blobUri ',
    to: 'output key string = host.listKeys().keys[0].value\noutput blobUri ',
    found: /storage\.bicep.* outputs-should-not-contain-secrets: /,
  },
  {
    what: 'a setting that the app does not have',
    file: 'shapes/new-hubs.bicepparam',
    from: 'STANDBY_SYNC',
    to: 'STANDBY_SINC',
    found: /new-hubs\.bicepparam.* BCP\d+: .*"STANDBY_SINC"/,
  },
  {
    what: 'a source that is not formatted',
    file: 'modules/identity.bicep',
    from: 'param name string',
    to: 'param  name  string',
    found: /identity\.bicep is not what the compiler makes/,
  },
  {
    what: 'a source that drifted',
    file: 'modules/storage.bicep',
    from: "'TLS1_2'",
    to: "'TLS1_0'",
    seenIn: 'main.bicep',
    found: /main\.json is not what the compiler makes.*\n\+.*TLS1_0/s,
  },
  {
    what: 'a template that was edited by hand',
    file: 'main.json',
    from: '"retentionInDays": 30',
    to: '"retentionInDays": 31',
    seenIn: 'main.bicep',
    found: /main\.json is not what the compiler makes.*\n- +"retentionInDays": 31/s,
  },
  {
    what: 'a shape that drifted',
    file: 'main.bicep',
    from: 'recoveryDays int = 7',
    to: 'recoveryDays int = 8',
    seenIn: 'shapes/new-hubs.bicepparam',
    found: /new-hubs\.snapshot\.json is not what the compiler makes.*\n\+ +"days": 8/s,
  },
  {
    what: 'a setting that the plan refuses',
    file: 'modules/app.bicep',
    from: '      STEP_QUEUE:',
    to: "      FUNCTIONS_WORKER_RUNTIME: 'node'\n      STEP_QUEUE:",
    seenIn: 'shapes/existing-hubs.bicepparam',
    found: /existing-hubs\.snapshot\.json is not what the compiler makes.*\n\+ +"FUNCTIONS_WORKER_RUNTIME"/s,
  },
  {
    what: 'a role that is too wide',
    file: 'modules/hub-access.bicep',
    from: 'notificationHubs/authorizationRules/listkeys/action',
    to: 'notificationHubs/*',
    seenIn: 'shapes/existing-hubs.bicepparam',
    found: /existing-hubs\.snapshot\.json is not what the compiler makes.*\n\+ +"[\w./]+\/notificationHubs\/\*"/s,
  },
  {
    what: 'an app in the region of the primary',
    file: 'shapes/new-hubs.bicepparam',
    from: "'westeurope'",
    to: "'North Europe'",
    found: /location must be the region of the secondary hub/,
  },
];
