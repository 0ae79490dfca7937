/** What the app runs on; a part that the platform does not tell is `undefined`. */
export interface Platform {
  readonly nodeVersion: string;
  /** As the platform names it: `West Europe`. */
  readonly region: string | undefined;
  readonly appName: string | undefined;
  readonly resourceGroup: string | undefined;
  readonly heapLimitMegabytes: number;
  /** Node's arguments by the settings that this process was not started with. */
  readonly missingArguments: readonly string[];
}

/** One thing that has to be right. */
export interface Check {
  /** Stable. */
  readonly name: string;
  /** `unknown`: it could not be found out. */
  readonly state: 'good' | 'bad' | 'unknown';
  readonly message: string;
  /** A command, with what only its reader knows in angle brackets. */
  readonly fix?: string | undefined;
}

export const good = (name: string, message: string): Check => ({ name, state: 'good', message });
export const bad = (name: string, message: string, fix?: string): Check => ({ name, state: 'bad', message, fix });
export const unknown = (name: string, message: string, fix?: string): Check => ({
  name,
  state: 'unknown',
  message,
  fix,
});

/** A command that changes settings of this app. */
export function settingCommand({ appName, resourceGroup }: Platform, setting: string): string {
  return `az functionapp config appsettings set --name ${appName ?? '<app>'} --resource-group ${resourceGroup ?? '<group>'} --settings "${setting}"`;
}

/** A command that gives the app's identity a role. */
export function roleCommand(role: string, scope: string): string {
  return `az role assignment create --assignee-object-id <principal id of the app's identity> --assignee-principal-type ServicePrincipal --role "${role}" --scope ${scope}`;
}

/** A command that has the service copy a namespace's settings to the paired region. */
export function replicationCommand(namespace: string): string {
  const place = `--resource-group <group> --name ${namespace} --resource-type Microsoft.NotificationHubs/namespaces`;
  return `az resource update ${place} --api-version 2023-09-01 --set properties.replicationRegion=Default`;
}

/** A command that gives the app's identity the role to read push credentials, in a clone of this project. */
export const CREDENTIAL_ROLE_COMMAND =
  "echo 'param readsPushCredentials = true' >> infra/main.bicepparam && azd provision";

/** How the Azure CLI names the platforms whose credentials it can set. */
const credentialCommands: Readonly<Record<string, string>> = {
  Adm: 'adm',
  Apple: 'apns',
  Baidu: 'baidu',
  Gcm: 'gcm',
  Mpns: 'mpns',
  Windows: 'wns',
};

export function credentialCommand(platform: string, hub: { readonly namespace: string; readonly hub: string }): string {
  const command = credentialCommands[platform];
  const place = `--namespace-name ${hub.namespace} --notification-hub-name ${hub.hub}`;
  return command === undefined
    ? `In the portal, at hub ${hub.hub} of namespace ${hub.namespace}: Settings, ${platform}.`
    : `az notification-hub credential ${command} update --resource-group <group> ${place} <the credential>`;
}
