import type { FeedbackFiles } from '../../src/core/ports.ts';

const connect = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';

export interface Said {
  readonly at: number | string;
  readonly error: string;
  readonly platform?: string;
  readonly handle: string;
  readonly installationId?: string;
  readonly newHandle?: string;
}

/** One document, as the vendor's sample shows it: it calls itself UTF-16, whatever it is stored in. */
export function aDocument({ at, error, platform = 'apns', handle, installationId, newHandle }: Said): string {
  const time = typeof at === 'number' ? new Date(at).toISOString() : at;
  const element = (name: string, text: string | undefined): string =>
    text === undefined ? '' : `<${name}>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</${name}>`;
  const fields = [
    element('FeedbackTime', time),
    element('NotificationSystemError', error),
    element('Platform', platform),
    element('PnsHandle', handle),
    element('InstallationId', installationId),
    element('NotificationId', 'n-1'),
    element('NewPnsHandle', newHandle),
  ];
  return `<?xml version="1.0" encoding="utf-16"?><PnsFeedback xmlns="${connect}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">${fields.join('')}</PnsFeedback>`;
}

/** The containers of some hubs, by their addresses, and files at addresses of their own. */
export function createFeedbackStore() {
  const containers = new Map<string, Map<string, { readonly bytes: Uint8Array; readonly etag: string }>>();
  let writes = 0;
  const filesOf = (address: string) => containers.get(address) ?? new Map<string, never>();
  const files: FeedbackFiles = {
    list: async (address) =>
      [...filesOf(address)].map(([name, { bytes, etag }]) => ({ name, sizeBytes: bytes.length, etag })),
    read: async (address, name = '', { offset, length }) =>
      filesOf(address)
        .get(name)
        ?.bytes.subarray(offset, offset + length) ?? new Uint8Array(),
  };
  return {
    files,
    put(address: string, name: string, text: string, encoding: 'utf8' | 'utf16le' = 'utf8'): void {
      writes += 1;
      const container = containers.get(address) ?? new Map();
      containers.set(address, container.set(name, { bytes: Buffer.from(text, encoding), etag: `${writes}` }));
    },
  };
}
