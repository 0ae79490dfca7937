/** One push platform as the service spells it: XML elements in wire order, send format, installation name. */
export interface PlatformSpec {
  readonly name: PlatformName;
  /** Elements that make up the handle; all of them are required. */
  readonly handle: readonly string[];
  /** Elements of a native row after `PushVariables`, in the order of the data contract. */
  readonly native: readonly string[];
  /** Elements that a template row has after those. */
  readonly template: readonly string[];
  /** Value of `ServiceBusNotification-Format`. */
  readonly sendFormat: string;
  /** Value of `platform` in an installation, lower-case. */
  readonly installationName: string;
  /** Element of the send telemetry that counts this platform. */
  readonly outcomeElement: string;
}

export type PlatformName = 'Adm' | 'Apple' | 'Baidu' | 'Browser' | 'FcmV1' | 'Gcm' | 'Mpns' | 'Windows' | 'Xiaomi';

const plainTemplate = ['BodyTemplate', 'TemplateName'];

/** Alphabetical: the service lists in this order. */
export const platforms: readonly PlatformSpec[] = [
  spec('Adm', ['AdmRegistrationId'], plainTemplate, 'adm', 'adm', 'Adm'),
  spec(
    'Apple',
    ['DeviceToken'],
    ['BodyTemplate', 'Expiry', 'TemplateName', 'Priority', 'ApnsHeaders'],
    'apple',
    'apns',
    'Apns',
  ),
  spec('Baidu', ['BaiduUserId', 'BaiduChannelId'], [...plainTemplate, 'MessageType'], 'baidu', 'baidu', 'Baidu'),
  spec('Browser', ['Endpoint', 'P256DH', 'Auth'], plainTemplate, 'browser', 'browser', 'Browser'),
  spec('FcmV1', ['FcmV1RegistrationId'], plainTemplate, 'fcmv1', 'fcmv1', 'FcmV1'),
  spec('Gcm', ['GcmRegistrationId'], plainTemplate, 'gcm', 'gcm', 'Gcm'),
  spec('Mpns', ['ChannelUri'], ['BodyTemplate', 'MpnsHeaders', 'TemplateName'], 'windowsphone', 'mpns', 'Mpns', [
    'SecondaryTileName',
  ]),
  spec('Windows', ['ChannelUri'], ['BodyTemplate', 'WnsHeaders', 'TemplateName'], 'windows', 'wns', 'Wns', [
    'SecondaryTileName',
  ]),
  spec('Xiaomi', ['XiaomiRegistrationId'], plainTemplate, 'xiaomi', 'xiaomi', 'Xiaomi'),
];

const byName = new Map(platforms.map((platform) => [platform.name.toLowerCase(), platform]));
const byFormat = new Map(platforms.map((platform) => [platform.sendFormat, platform]));
const byInstallationName = new Map(platforms.map((platform) => [platform.installationName, platform]));

export function platformSpec(name: PlatformName): PlatformSpec {
  const found = byName.get(name.toLowerCase());
  if (found === undefined) throw new RangeError(`no platform ${name}`);
  return found;
}

/** `AppleTemplateRegistrationDescription` → Apple, template; undefined for a name the service does not know. */
export function parseDescriptionName(name: string): { platform: PlatformSpec; isTemplate: boolean } | undefined {
  const match = /^(\w+?)(Template)?RegistrationDescription$/.exec(name);
  const platform = byName.get((match?.[1] ?? '').toLowerCase());
  return platform === undefined ? undefined : { platform, isTemplate: match?.[2] !== undefined };
}

export function platformOfFormat(format: string): PlatformSpec | undefined {
  return byFormat.get(format.toLowerCase());
}

export function platformOfInstallation(name: string): PlatformSpec | undefined {
  return byInstallationName.get(name.toLowerCase());
}

function spec(
  name: PlatformName,
  handle: readonly string[],
  template: readonly string[],
  sendFormat: string,
  installationName: string,
  outcome: string,
  extra: readonly string[] = [],
): PlatformSpec {
  const outcomeElement = `${outcome}OutcomeCounts`;
  return { name, handle, native: [...handle, ...extra], template, sendFormat, installationName, outcomeElement };
}
