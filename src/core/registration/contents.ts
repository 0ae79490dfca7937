import type { XmlElement } from '../xml/description.ts';
import { normaliseLineEnds } from '../xml/text.ts';
import { readElements } from './elements.ts';
import { readUsual, type UsualFields } from './usual.ts';

/** What only rebuilding an installation wants to know of a row; `undefined` is absent, nil or empty. */
export interface RowContents {
  readonly pushVariables: string | undefined;
  readonly p256dh: string | undefined;
  readonly auth: string | undefined;
  readonly body: string | undefined;
  readonly expiry: string | undefined;
  /** In their order; names may repeat. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Reads them from a row's description, which `parseRegistration` has read before. */
export function readContents(xml: string): RowContents {
  const usual = readUsual(xml);
  return usual === undefined ? readAnyContents(xml) : fromUsual(usual);
}

/** `readContents` for every description there can be. */
export function readAnyContents(xml: string): RowContents {
  const { elements } = readElements(xml);
  return {
    pushVariables: textOf(elements, 'PushVariables'),
    p256dh: textOf(elements, 'P256DH'),
    auth: textOf(elements, 'Auth'),
    body: textOf(elements, 'BodyTemplate'),
    expiry: textOf(elements, 'Expiry'),
    headers: headersOf(elements),
  };
}

/** Most rows have none, which is seen at a glance: no element is there whose name is not. */
export function readPushVariables(xml: string): string | undefined {
  return xml.includes('PushVariables') ? readContents(xml).pushVariables : undefined;
}

function fromUsual(usual: UsualFields): RowContents {
  return {
    pushVariables: usual.pushVariables || undefined,
    p256dh: usual.p256dh || undefined,
    auth: usual.auth || undefined,
    body: usual.body ? normaliseLineEnds(usual.body) : undefined,
    expiry: usual.expiry || undefined,
    headers: usual.headers === undefined ? [] : usualHeadersOf(usual.headers),
  };
}

const USUAL_HEADER = /<Header>([^<]+)<\/Header><Value>([^<]*)<\/Value>/g;

/** None of their texts has anything to decode, or the description were not read as usual. */
function usualHeadersOf(xml: string): (readonly [string, string])[] {
  return Array.from(xml.matchAll(USUAL_HEADER), ([, name = '', value = '']) => [name, value] as const);
}

function headersOf(elements: readonly XmlElement[]): (readonly [string, string])[] {
  const collection = elements.find((element) => /^(?:Wns|Mpns|Apns)Headers$/.test(element.name));
  return (collection?.children ?? []).flatMap(({ children }) => {
    const name = textOf(children, 'Header');
    return name === undefined ? [] : [[name, textOf(children, 'Value') ?? ''] as const];
  });
}

function textOf(elements: readonly XmlElement[], name: string): string | undefined {
  const element = elements.find((candidate) => candidate.name === name);
  return element === undefined || element.isNil || element.text === '' ? undefined : element.text;
}
