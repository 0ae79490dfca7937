import { toHubRequest } from '../../local/emulator/http-types.ts';
import type { Hub } from '../../local/emulator/hub.ts';
import { Namespace } from '../../local/emulator/namespace.ts';
import { answer } from '../../local/emulator/routes.ts';
import { toRowContent } from '../../local/emulator/row.ts';
import { parseDescription } from '../../local/emulator/xml-in.ts';
import type { Exchange } from '../fixtures/exchanges/exchange.ts';
import { sasHeader } from './sas-header.ts';

/** What is compared: all that does not differ from one run of the real service to the next. */
export interface Observed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const comparedHeaders = ['content-type', 'etag', 'content-location', 'location', 'x-ms-continuationtoken'];

/** Replays one recorded session against a hub of its own, from the state the session found. */
export class Replay {
  readonly #namespace: Namespace;
  readonly #exchanges: readonly Exchange[];
  readonly #generation: 2022 | 2024;
  readonly #normalise: (text: string) => string;

  /** @param hasOwnWording the texts of errors and of the list of hubs are ours: of these only what a client acts on counts. */
  constructor(exchanges: readonly Exchange[], hasOwnWording = false) {
    this.#exchanges = exchanges;
    this.#normalise = hasOwnWording ? (text) => withoutWording(normalise(text)) : normalise;
    const server = exchanges
      .map(({ responseHeaders }) => responseHeaders?.['Server'])
      .find((each) => each !== undefined);
    this.#generation = server === 'Kestrel' ? 2024 : 2022;
    // In the management sessions the namespace and its hub have one name, which shows as author of the entry.
    const hubName = exchanges[0]?.path.split(/[/?]/)[1] ?? '';
    this.#namespace = new Namespace(hubName);
    const isCreatedHere = exchanges.some(
      ({ method, path, status }) => method === 'PUT' && status === 201 && isHub(path),
    );
    if (!isCreatedHere) this.#namespace.addHub(hubName, { generation: this.#generation });
  }

  run(exchange: Exchange, index: number): { expected: Observed; actual: Observed } {
    this.#bringAbout(exchange);
    const { method, path } = exchange;
    const response = answer(
      this.#namespace,
      toHubRequest(method, path, this.#headers(exchange), this.#body(exchange, index)),
    );
    const body = [response.body ?? ''].flat().join('');
    this.#adoptIds(exchange, body);
    return {
      expected: this.#observe(exchange.status, exchange.responseHeaders ?? {}, exchange.responseBody ?? ''),
      actual: this.#observe(response.status, response.headers ?? {}, body),
    };
  }

  #observe(status: number, headers: Readonly<Record<string, string>>, body: string): Observed {
    const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), normalise(value)] as const);
    // An empty answer's type means nothing, and only some recordings have one.
    const kept = lower.filter(([name]) => comparedHeaders.includes(name) && (name !== 'content-type' || body !== ''));
    return { status, headers: Object.fromEntries(kept), body: this.#normalise(body) };
  }

  #hub(path: string): Hub | undefined {
    return this.#namespace.hub(path.split(/[/?]/)[1] ?? '');
  }

  /** Rows that a listing shows and the session did not make are left over from sessions before. */
  #bringAbout({ method, path, responseBody }: Exchange): void {
    const hub = this.#hub(path);
    if (method !== 'GET' || hub === undefined) return;
    for (const { id, xml, expiry } of descriptionsIn(responseBody ?? '')) {
      if (hub.rows.has(id)) continue;
      const installationId =
        /\$InstallationId:\{([^}]*)\}/.exec(xml)?.[1] ??
        (expiry.includes('.9999999') && this.#generation === 2022 ? '?' : undefined);
      const description = parseDescription(withoutServiceElements(xml), hub.switches);
      const etag = Number(/<ETag>(\d+)</.exec(xml)?.[1]);
      hub.setRow({ ...toRowContent(description, { installationId }), id, etag });
    }
  }

  /** The session continues with the ids the real service gave out. */
  #adoptIds({ method, path, responseBody }: Exchange, body: string): void {
    const hub = this.#hub(path);
    const [recorded] = descriptionsIn(responseBody ?? '');
    const [made] = descriptionsIn(body);
    const row = made === undefined ? undefined : hub?.rows.get(made.id);
    if (method !== 'POST' || hub === undefined || recorded === undefined || row === undefined) return;
    hub.removeRow(row.id);
    hub.setRow({ ...row, id: recorded.id });
  }

  /** Recorded where there is one; else what the .NET test behind the session must have sent. */
  #body({ method, path, requestBody, responseBody }: Exchange, index: number): string {
    if (requestBody !== null) return requestBody;
    if (path.includes('/registrations') && (method === 'POST' || method === 'PUT')) {
      return withoutServiceElements(responseBody ?? '');
    }
    if (!path.includes('/installations/')) return '';
    const later = this.#exchanges.slice(index).find((each) => each.method === 'GET' && each.status === 200);
    const isPatched = this.#exchanges.some((each) => each.method === 'PATCH');
    if (method === 'PATCH') return JSON.stringify([{ op: 'add', path: '/tags', value: 'tag1' }]);
    const { tags, ...installation } = JSON.parse(later?.responseBody ?? '{"platform":"apns","pushChannel":"AB"}');
    // The template's implicit tag may have a blank, which the service takes only from itself.
    for (const template of Object.values<Record<string, unknown>>(installation.templates ?? {}))
      delete template['tags'];
    return JSON.stringify(isPatched ? installation : { ...installation, tags });
  }

  #headers({ method, path, status, responseBody }: Exchange): Record<string, string> {
    const hubName = path.split(/[/?]/)[1] ?? '';
    const rules =
      status === 403 || responseBody?.includes('<Detail>Manage') === true
        ? this.#namespace.hubRules(hubName).filter(({ name }) => name.includes('Listen'))
        : this.#namespace.rules();
    const key = responseBody?.includes('InvalidSignature') === true ? 'not the key' : rules[0]?.keys[0];
    const authorization = sasHeader(
      `Endpoint=http://host/;SharedAccessKeyName=${rules[0]?.name};SharedAccessKey=${key}`,
    );
    const isUpdate = method === 'PUT' && status === 200 && isHub(path);
    return {
      host: 'host',
      authorization,
      'servicebusnotification-format': 'apple',
      ...(isUpdate ? { 'if-match': '*' } : {}),
    };
  }
}

function isHub(path: string): boolean {
  return /^\/[^/?]+(\?|$)/.test(path);
}

function descriptionsIn(body: string): { id: string; xml: string; expiry: string }[] {
  return [...body.matchAll(/<content type="application\/xml">(<\w+RegistrationDescription.*?)<\/content>/gs)].map(
    ([, xml = '']) => ({
      xml,
      id: /<RegistrationId>([^<]*)</.exec(xml)?.[1] ?? '',
      expiry: /<ExpirationTime>([^<]*)</.exec(xml)?.[1] ?? '',
    }),
  );
}

function withoutServiceElements(xml: string): string {
  return xml.replace(/<(ETag|ExpirationTime|RegistrationId)>[^<]*<\/\1>/g, '');
}

/** Ids, times, hosts, keys and counters become placeholders; all else must be equal. */
function normalise(text: string): string {
  return text
    .replace(/https?:\/\/[^/"<]+/g, 'HOST')
    .replace(/\b\d{10,}-\d{10,}-\d\b/g, 'REGISTRATION')
    .replace(/messages\/[\w-]+/g, 'messages/NOTIFICATION')
    .replace(/uuid:[\w-]+;id=\d+/g, 'uuid:FEED')
    .replace(/TrackingId:[^,<]*,TimeStamp:[^<]*/g, 'TRACKING')
    .replace(/<(published|updated|CreatedTime|ModifiedTime)>[^<]*</g, '<$1>TIME<')
    .replace(/<(PrimaryKey|SecondaryKey)>[^<]*</g, '<$1>KEY<')
    .replace(/<(Daily\w+)>\d+</g, '<$1>COUNT<');
}

/** Of an error's text the first word is left, of the list of hubs nothing. */
function withoutWording(text: string): string {
  return text
    .replace(/<Detail>([\w=]*)[^<]*</g, '<Detail>$1<')
    .replace(/<title type="text">[^<]*<\/title><subtitle type="text">[^<]*</g, '<title/><subtitle type="text"><')
    .replace(/<generator>[^<]*</g, '<generator><');
}
