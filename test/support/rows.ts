import { keyHashOf, recordKey, shardOf } from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';

const connect = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const instance = 'http://www.w3.org/2001/XMLSchema-instance';

export interface AppleRowOptions {
  readonly id: string;
  readonly tags?: readonly string[];
  readonly token?: string;
  readonly etag?: number;
  readonly template?: { readonly name: string; readonly body: string };
  readonly expirationTime?: string;
  readonly userId?: string;
}

/** An Apple registration's XML as a listing shows it. */
export function anAppleRow(options: AppleRowOptions): string {
  const {
    id,
    tags = [],
    token = tokenOf(id),
    etag = 1,
    template,
    expirationTime = '9999-12-31T23:59:59.999Z',
  } = options;
  const kind = template === undefined ? 'Apple' : 'AppleTemplate';
  const tail =
    template === undefined
      ? ''
      : `<BodyTemplate><![CDATA[${template.body.replaceAll(']]>', ']]]]><![CDATA[>')}]]></BodyTemplate><TemplateName>${template.name}</TemplateName>`;
  const tagText = tags.length === 0 ? '' : `<Tags>${[...tags].sort().join(',')}</Tags>`;
  return `<${kind}RegistrationDescription xmlns="${connect}" xmlns:i="${instance}"><ETag>${etag}</ETag><ExpirationTime>${expirationTime}</ExpirationTime><RegistrationId>${id}</RegistrationId>${tagText}<DeviceToken>${token}</DeviceToken>${tail}</${kind}RegistrationDescription>`;
}

/** The rows of an installation with one template, as a listing shows them. */
export function anInstallation(
  installationId: string,
  options: Pick<AppleRowOptions, 'tags' | 'token' | 'etag' | 'expirationTime'> & { readonly body?: string } = {},
): [string, string][] {
  const own = [`$InstallationId:{${installationId}}`, ...(options.tags ?? ['news'])];
  const { token = tokenOf(installationId), etag, expirationTime } = options;
  const all = {
    token,
    ...(etag === undefined ? {} : { etag }),
    ...(expirationTime === undefined ? {} : { expirationTime }),
  };
  const native = `${installationId.length}1${hexOf(installationId)}-1-1`;
  const templated = `${installationId.length}2${hexOf(installationId)}-1-1`;
  const template = { name: 'alert', body: options.body ?? '{"aps":{"alert":"$(message)"}}' };
  return [
    [native, anAppleRow({ id: native, tags: own, ...all })],
    [templated, anAppleRow({ id: templated, tags: [...own, 'alert'], ...all, template })],
  ];
}

export function tokenOf(text: string): string {
  return hexOf(text).toUpperCase().padEnd(64, '0').slice(0, 64);
}

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex');
}

/** A device's own word: its row under that id, with a higher ETag than was there. */
export function register(
  { rows }: { readonly rows: Map<string, string> },
  id: string,
  tags: readonly string[],
  handle = id,
): void {
  const before = /<ETag>(\d+)<\/ETag>/.exec(rows.get(id) ?? '')?.[1] ?? '0';
  rows.set(id, anAppleRow({ id, token: tokenOf(handle), tags, etag: Number(before) + 1 }));
}

/** Takes away what belongs to other shards than the first of four; gives how many records are left. */
export function keepOneShard({ rows }: { readonly rows: Map<string, string> }): number {
  const keys = new Set<string>();
  for (const [id, xml] of rows) {
    const key = recordKey(parseRegistration(xml));
    if (shardOf(keyHashOf(key), 4) === 0) keys.add(key);
    else rows.delete(id);
  }
  return keys.size;
}
