import { at, listAt, ofType, type Resource, type Shape } from './shapes.ts';

/** The built-in roles that are given, by their ids. */
const builtIn: Readonly<Record<string, string>> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
  'e147488a-f6f5-4113-8e2d-b22465e65bf6': 'Key Vault Crypto Service Encryption User',
  '4633458b-17de-408a-b874-0445c86b69e6': 'Key Vault Secrets User',
};

/** Each role and the one kind of place where it may be given: the narrowest that does. */
const places: Readonly<Record<string, RegExp>> = {
  'Storage Blob Data Owner': /\/Microsoft\.Storage\/storageAccounts\/sthost[a-z0-9]+$/,
  'Storage Queue Data Contributor': /\/Microsoft\.Storage\/storageAccounts\/sthost[a-z0-9]+$/,
  'Storage Blob Data Contributor':
    /\/storageAccounts\/stsnap[a-z0-9]+\/blobServices\/default\/containers\/hub-snapshots$/,
  'Monitoring Metrics Publisher': /\/Microsoft\.Insights\/components\/[\w-]+$/,
  'Key Vault Crypto Service Encryption User': /\/Microsoft\.KeyVault\/vaults\/[\w-]+\/keys\/[\w-]+$/,
  'Key Vault Secrets User': /\/Microsoft\.KeyVault\/vaults\/[\w-]+\/secrets\/[\w-]+$/,
  backend: /\/storageAccounts\/stsnap[a-z0-9]+\/blobServices\/default\/containers\/hub-snapshots$/,
  hub: /\/Microsoft\.NotificationHubs\/namespaces\/[\w-]+\/notificationHubs\/[\w.-]+$/,
  namespace: /\/Microsoft\.NotificationHubs\/namespaces\/[\w-]+$/,
};

const hubs = 'Microsoft.NotificationHubs/namespaces';
const keyActions = [
  `${hubs}/notificationHubs/read`,
  `${hubs}/notificationHubs/authorizationRules/read`,
  `${hubs}/notificationHubs/authorizationRules/listkeys/action`,
];
export const customActions: Readonly<Record<string, readonly string[]>> = {
  hub: keyActions,
  namespace: [`${hubs}/read`, `${hubs}/authorizationRules/read`, `${hubs}/notificationHubs/read`],
};
const blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';
/** What is done with blobs. Backends read the container, and change what is in the folders of dual writes. */
const dataActions: Readonly<Record<string, readonly string[]>> = {
  backend: [`${blobs}/read`, `${blobs}/write`, `${blobs}/add/action`, `${blobs}/delete`],
};
/** Microsoft Learn, "Example Azure role assignment conditions for Blob Storage". */
const isNoChange = ['write', 'add/action', 'delete'].map((action) => `!(ActionMatches{'${blobs}/${action}'})`);
export const DUAL_WRITES_PATH = '_pairs/*/dual/*';
const conditions: Readonly<Record<string, string>> = {
  backend: `((${isNoChange.join(' AND ')}) OR (@Resource[${blobs}:path] StringLike '${DUAL_WRITES_PATH}'))`,
};
/** Returns push credentials in clear: only where the shape asks for it. */
export const credentialAction = `${hubs}/notificationHubs/pnsCredentials/action`;

export function roleFaults(shape: Shape): readonly string[] {
  const given = assignmentsOf(shape);
  const expected = expectedRoles(shape);
  return [
    ...ofType(shape, 'Microsoft.Authorization/roleDefinitions').flatMap((role) => definitionFaults(shape, role)),
    ...given
      .filter(({ role, scope }) => places[role]?.test(scope) !== true && !isForJobs(shape, role, scope))
      .map(({ role, scope }) => `${role} is given at ${scope}`),
    ...(JSON.stringify(given.map(({ role }) => role).toSorted()) === JSON.stringify(expected)
      ? []
      : [`the roles are ${given.map(({ role }) => role).join(', ')}, not ${expected.join(', ')}`]),
    ...given
      .filter(({ id, role, scope }) =>
        // Those of identities that are known are evaluated.
        role === 'backend' ? given.filter((one) => one.id === id).length > 1 : !id.includes(`guid('${scope}'`),
      )
      .map(({ scope }) => `an assignment at ${scope} has no name of its own`),
    ...given
      .filter(({ role, condition }) => condition !== conditions[role])
      .map(({ role, condition }) => `${role} is given on the condition ${condition}`),
    ...given
      .filter(
        ({ role, principal, identity }) =>
          role !== 'backend' &&
          !new RegExp(`/userAssignedIdentities${identity}[a-z0-9]{13}', '[\\d-]+'\\)\\.principalId`).test(principal),
      )
      .map(({ role }) => `${role} is given to another identity`),
  ];
}

/** Only where bulk jobs may be used: a key to sign addresses with is had of the account alone. */
function isForJobs(shape: Shape, role: string, scope: string): boolean {
  return (
    hasJobs(shape) && role === 'Storage Blob Data Contributor' && /\/storageAccounts\/stsnap[a-z0-9]+$/.test(scope)
  );
}

function hasJobs({ source }: Shape): boolean {
  return /BACKUP_SOURCE: '(?:export|auto)'|RESTORE_WRITER: '(?:import|auto)'/.test(source);
}

/** Of each app: four of its own, five with jobs; of each hub two; one for each secret, and for the key. */
function expectedRoles(shape: Shape): readonly string[] {
  const times = (count: number, ...roles: readonly string[]): string[] =>
    Array.from({ length: count }, () => roles).flat();
  const apps = ofType(shape, 'Microsoft.Web/sites').length;
  const own = ['Storage Blob Data Owner', 'Storage Queue Data Contributor', 'Storage Blob Data Contributor'];
  const created = ofType(shape, 'Microsoft.NotificationHubs/namespaces/notificationHubs').length;
  const count = (pattern: RegExp): number => [...shape.source.matchAll(pattern)].length;
  return [
    ...times(apps, ...own, 'Monitoring Metrics Publisher'),
    ...times(hasJobs(shape) ? apps : 0, 'Storage Blob Data Contributor'),
    ...times(created + count(/: '\/subscriptions\/[^']*\/notificationHubs\//g), 'hub', 'namespace'),
    ...times(backendsIn(shape), 'backend'),
    ...times(count(/'\/subscriptions\/[^']*\/secrets\//g), 'Key Vault Secrets User'),
    ...times(count(/'\/subscriptions\/[^']*\/keys\//g), 'Key Vault Crypto Service Encryption User'),
  ].toSorted();
}

function backendsIn({ source }: Shape): number {
  return (/^param backendPrincipalIds = \[(.*)\]$/m.exec(source)?.[1] ?? '').split(',').filter((id) => id !== '')
    .length;
}

interface Assignment {
  readonly id: string;
  readonly role: string;
  readonly scope: string;
  readonly principal: string;
  /** What the principal's expression must name. */
  readonly identity: string;
  readonly condition: unknown;
}

function assignmentsOf(shape: Shape): readonly Assignment[] {
  return ofType(shape, 'Microsoft.Authorization/roleAssignments').map((assignment) => {
    const roleId = `${at(assignment, 'properties.roleDefinitionId')}`;
    const custom = shape.resources.find(({ id }) => id === roleId);
    const role = custom === undefined ? (builtIn[roleId.split('/').at(-1) ?? ''] ?? roleId) : kindOf(custom);
    const [, known] =
      /^(.+)\/providers\/Microsoft\.Authorization\/roleAssignments\/[\da-f-]{36}$/.exec(assignment.id) ?? [];
    const scope = /^\[extensionResourceId\('([^']+)'/.exec(assignment.id)?.[1] ?? known ?? assignment.id;
    const principal = `${at(assignment, 'properties.principalId')}`;
    const identity = role.includes('Encryption') ? '/id-encryption-' : '/id-';
    return { id: assignment.id, role, scope, principal, identity, condition: at(assignment, 'properties.condition') };
  });
}

/** `notification-hubs-dr hub {digits}`: of a hub, a namespace, or for backends. */
function kindOf(role: Resource): string {
  return `${at(role, 'properties.roleName')}`.split(' ')[1] ?? '';
}

function definitionFaults(shape: Shape, role: Resource): readonly string[] {
  const kind = kindOf(role);
  const isOptedIn = kind === 'hub' && /^param readsPushCredentials = true$/m.test(shape.source);
  const expected = [...(customActions[kind] ?? []), ...(isOptedIn ? [credentialAction] : [])];
  const [permission, ...more] = listAt(role, 'properties.permissions');
  const [scope, ...others] = listAt(role, 'properties.assignableScopes');
  const actions = JSON.stringify(at(permission, 'actions'));
  const onData = JSON.stringify(at(permission, 'dataActions'));
  return [
    ...(actions === JSON.stringify(expected) ? [] : [`the role of a ${kind} allows ${actions}`]),
    ...(more.length === 0 && onData === JSON.stringify(dataActions[kind] ?? [])
      ? []
      : [`the role of a ${kind} allows more`]),
    ...(others.length === 0 && /\/resourceGroups\/[^/]+$/.test(`${scope}`)
      ? []
      : [`the role of a ${kind} can be given at ${scope}`]),
  ];
}
