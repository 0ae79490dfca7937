import { type Content, readElements } from './elements.ts';
import { headersElement, readUsual } from './usual.ts';

/**
 * What only rebuilding an installation wants to know of a row's description, which `parseRegistration` has read before;
 * `undefined` is absent, nil or empty. Headers are in their order; names may repeat.
 */
export function readContents(xml: string) {
  const usual = readUsual(xml);
  if (usual === undefined) return readAnyContents(xml);
  const { pushVariables, p256dh, auth, body, expiry, headers } = usual;
  return {
    pushVariables: pushVariables || undefined,
    p256dh: p256dh || undefined,
    auth: auth || undefined,
    body: body || undefined,
    expiry: expiry || undefined,
    headers: headers === undefined ? [] : headersOf([headersElement(headers)]),
  };
}

/** `readContents` for any description. */
export function readAnyContents(xml: string) {
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

/** Most rows have none, which a search for the name shows without reading the row. */
export function readPushVariables(xml: string): string | undefined {
  return xml.includes('PushVariables') ? readContents(xml).pushVariables : undefined;
}

function headersOf(elements: readonly Content[]) {
  const collection = elements.find((element) => /^(?:Wns|Mpns|Apns)Headers$/.test(element.name));
  return (collection?.children ?? []).flatMap(({ children }) => {
    const name = textOf(children, 'Header');
    return name === undefined ? [] : [[name, textOf(children, 'Value') ?? ''] as const];
  });
}

/** Absent, nil and empty are all `undefined`. */
function textOf(elements: readonly Content[], name: string): string | undefined {
  return elements.find((candidate) => candidate.name === name)?.text || undefined;
}
